import type { Call, Method, PluginModule } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import { isAdminError } from "../../model/errors.ts";
import { listReply } from "../../model/list-reply.ts";
import type { PropertyHolder } from "../../model/properties/holder.ts";
import { formatValue } from "../../model/properties/property.ts";
import { parseWireValue } from "./wire-value.ts";

/** What a method does to the properties of a qube, or of the app. */
type PropertyMethod = (call: Call, holder: PropertyHolder) => string;

/** The methods of one holder (spec 8.2); all of them check first whether there is such a property. */
const METHODS: { readonly [name: string]: PropertyMethod } = {
	List: ({ permit }, holder) => {
		const sees = permit();
		return listReply(
			holder.properties().map(({ name }) => name),
			sees,
		);
	},
	Get: ({ argument, permit }, holder) => {
		holder.property(argument);
		permit();
		return describe(holder, argument);
	},
	GetAll: ({ permit }, holder) => {
		const sees = permit();
		const names = holder.properties().map(({ name }) => name);
		return names
			.filter(sees)
			.map((name) => `${name} ${escapeLine(describeSafely(holder, name))}\n`)
			.join("");
	},
	GetDefault: ({ argument, permit }, holder) => {
		const { type } = holder.property(argument);
		permit();
		const value = holder.getDefault(argument);
		return value === undefined ? "" : `type=${type} ${formatValue(value)}`;
	},
	Help: ({ argument, permit }, holder) => {
		const { doc } = holder.property(argument);
		permit();
		return doc;
	},
	Set: ({ argument, payload, permit }, holder) => {
		const newvalue = parseWireValue(holder.property(argument), payload);
		permit({ newvalue });
		holder.set(argument, newvalue);
		return "";
	},
	Reset: ({ argument, permit }, holder) => {
		holder.property(argument);
		permit();
		holder.reset(argument);
		return "";
	},
};

/** `admin.vm.property.*` for the qube that is called, `admin.property.*` for the app. */
export const methods: NonNullable<PluginModule["methods"]> = Object.fromEntries(
	Object.entries(METHODS).flatMap(([name, method]): [string, Method][] => [
		[`admin.vm.property.${name}`, (call) => method(call, call.destination)],
		[`admin.property.${name}`, (call) => method(call, call.app)],
	]),
);

/** `default=BOOL type=TYPE VALUE` (spec 3.6). */
function describe(holder: PropertyHolder, name: string): string {
	const { type } = holder.property(name);
	return `default=${formatValue(holder.isDefault(name))} type=${type} ${formatValue(holder.get(name) ?? null)}`;
}

/** One property that cannot be read does not hide the others (spec 12.5). */
function describeSafely(holder: PropertyHolder, name: string): string {
	try {
		return describe(holder, name);
	} catch (error) {
		if (!isAdminError(error)) log("error", `cannot read property ${name} of ${holder.holderName}: ${String(error)}`);
		return `default=True type=${holder.property(name).type} `;
	}
}

function escapeLine(text: string): string {
	return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
