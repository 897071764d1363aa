import type { App } from "../app.ts";
import { AdminError } from "../errors.ts";
import { Qube } from "../qubes/qube.ts";
import type { PropertyHolder } from "./holder.ts";
import { type Declaration, formatValue, namedProperty, type Property, type Value } from "./property.ts";

/** What qubes a property may name. */
export interface VmDeclaration<Holder> extends Declaration<Holder> {
	/** Whether it may be none. */
	readonly allowNone?: boolean;
	/** The class that the qube must be of, for messages and the check; without it any but RemoteVM (spec 3.1). */
	readonly of?: { readonly name: string; readonly is: (qube: Qube) => boolean };
}

const LOCAL = { name: "LocalVM", is: (qube: Qube) => qube.klass !== "RemoteVM" };

/** Finds the app of a holder. */
type AppOf<Holder> = (holder: Holder) => App;

/** A property that names a qube (spec 3.1, "VM-valued properties"): given as a qube, a name, or "" or null for none. */
export function vmProperty<Holder extends PropertyHolder>(
	name: string,
	appOf: AppOf<Holder>,
	{ allowNone = false, of = LOCAL, ...declaration }: VmDeclaration<Holder>,
): Property<Holder> {
	return namedProperty<Holder>(name, "vm", declaration, (holder, given) => {
		if (given === null || given === "") {
			if (allowNone) return null;
			throw new AdminError("QubesPropertyValueError", `Property ${name} does not allow setting to None`);
		}
		const qube = findQube(appOf(holder), given);
		if (qube === null) {
			throw new AdminError("QubesPropertyValueError", `Can't set ${name} to non-existing qube ${formatValue(given)}`);
		}
		if (of.is(qube)) return qube;
		throw new AdminError("QubesPropertyValueError", `${name}: want a qube of class ${of.name}, ${qube.name} is ${qube.klass}`);
	});
}

function findQube(app: App, given: Value): Qube | null {
	if (given instanceof Qube) return app.find(given.name) === given ? given : null;
	return app.find(formatValue(given));
}
