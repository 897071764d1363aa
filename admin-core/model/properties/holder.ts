import { log } from "../../log.ts";
import { AdminError } from "../errors.ts";
import { Emitter } from "../events/emitter.ts";
import type { EventArgs } from "../events/handler-table.ts";
import type { Property, Value } from "./property.ts";

// biome-ignore lint/suspicious/noExplicitAny: a property knows its own class of holders, a list of them does not
type AnyProperty = Property<any>;

/** What each class declares, not what it inherits. */
const declared = new WeakMap<object, readonly AnyProperty[]>();
/** All properties of a class by name, in the order of every listing, once it has been asked for. */
const collected = new WeakMap<object, ReadonlyMap<string, AnyProperty>>();

/** Declares properties of a class of holders; they come with all classes derived from it, and replace those of the same name there. */
export function declareProperties<Holder extends PropertyHolder>(
	// biome-ignore lint/suspicious/noExplicitAny: any class of holders, whatever its constructor takes
	target: abstract new (...args: any[]) => Holder,
	properties: readonly Property<Holder>[],
): void {
	declared.set(target, properties);
}

/** Something with properties: the app, and every qube (spec 3). Only what was set explicitly is kept; all else is its default. */
export abstract class PropertyHolder extends Emitter {
	private readonly explicit = new Map<string, Value>();

	/** How messages name it: the qube's name, or `Qubes` for the app. */
	abstract readonly holderName: string;

	/** All properties in the order of every listing: stage, name. */
	properties(): AnyProperty[] {
		return [...this.known().values()];
	}

	/** The property of a name. Throws a QubesNoSuchPropertyError. */
	property(name: string): AnyProperty {
		const property = this.known().get(name);
		if (property === undefined) {
			throw new AdminError("QubesNoSuchPropertyError", `Invalid property '${name}' of ${this.holderName}`);
		}
		return property;
	}

	hasProperty(name: string): boolean {
		return this.known().has(name);
	}

	/** The value in force: what was set, or the default; undefined where there is neither. Throws QubesNoSuchPropertyError. */
	get(name: string): Value | undefined {
		const value = this.explicit.get(name);
		return value === undefined ? this.getDefault(name) : value;
	}

	/** What the value would be if it was not set; undefined where there is no default. Throws QubesNoSuchPropertyError. */
	getDefault(name: string): Value | undefined {
		return this.property(name).defaultValue?.(this);
	}

	/** Whether nothing was set, even if what is set is what the default would be (spec 3.2). */
	isDefault(name: string): boolean {
		return !this.explicit.has(name);
	}

	/** Names and values of what was set, in the order of every listing. */
	explicitValues(): [name: string, value: Value][] {
		const set = this.properties().filter(({ name }) => this.explicit.has(name));
		return set.map(({ name }) => [name, this.explicit.get(name) as Value]);
	}

	/** Sets a property; handlers of `property-pre-set:*` can prevent it (spec 3.3), what one of `property-set:*` throws undoes it (spec 12, 12). Throws AdminError. */
	set(name: string, given: Value): void {
		const property = this.changeable(name);
		const old = this.oldValue(name);
		const value = property.accept(this, given);
		const args = { name, newvalue: value, ...old };
		this.fire(`property-pre-set:${name}`, args, { pre: true });
		this.change(name, value, args);
	}

	/** Makes a property default again, or just says so if it was; handlers can prevent or undo it as with `set` (spec 3.3). Throws AdminError. */
	reset(name: string): void {
		this.changeable(name);
		const args = { name, ...this.oldValue(name) };
		this.fire(`property-pre-reset:${name}`, args, { pre: true });
		if (this.firesDeprecated) this.fire(`property-pre-del:${name}`, args, { pre: true });
		this.change(name, undefined, args);
	}

	/** Makes these the values that are set, and no others, without asking anybody; what is given back tells of it, for when all else is as it was too. */
	rollBackProperties(values: readonly (readonly [name: string, value: Value])[]): (() => void)[] {
		const wanted = new Map(values);
		const names = new Set([...wanted.keys(), ...this.explicit.keys()]);
		const changed = [...names].filter((name) => wanted.get(name) !== this.explicit.get(name));
		return changed.map((name) => this.takeBack(name, wanted.get(name)));
	}

	/** Takes over what was set at another holder, without checks, by default all properties that are to be cloned (spec 3.4). */
	cloneProperties(source: PropertyHolder, names = this.properties().flatMap((one) => (one.isCloned ? [one.name] : []))): void {
		for (const name of names) {
			const value = source.explicit.get(name);
			if (value !== undefined) this.explicit.set(name, value);
		}
		this.fire("clone-properties", { src: source, proplist: names });
	}

	/** Whether events are fired under their old names too (spec 3.3). */
	protected get firesDeprecated(): boolean {
		return true;
	}

	/** Keeps a value, or none, and tells of it; the old one is back when somebody who is told throws. */
	private change(name: string, value: Value | undefined, args: EventArgs): void {
		const before = this.explicit.get(name);
		this.keep(name, value);
		try {
			this.tell(name, value, args);
		} catch (error) {
			this.tellSafely(name, this.takeBack(name, before));
			throw error;
		}
	}

	/** Keeps what there was, or none, without asking anybody; what is given back tells of it. */
	private takeBack(name: string, value: Value | undefined): () => void {
		const args = { name, ...(value === undefined ? {} : { newvalue: value }), ...this.oldValue(name) };
		this.keep(name, value);
		return () => this.tell(name, value, args);
	}

	/** Some were told of the other value and may have followed it, as volumes do a template; whoever refused it may do so again. */
	private tellSafely(name: string, tell: () => void): void {
		try {
			tell();
		} catch (error) {
			log("warning", `${this.holderName}: not all are told that property '${name}' is as before: ${String(error)}`);
		}
	}

	private tell(name: string, value: Value | undefined, args: EventArgs): void {
		this.fire(`property-${value === undefined ? "reset" : "set"}:${name}`, args);
		if (value === undefined && this.firesDeprecated) this.fire(`property-del:${name}`, args);
	}

	private keep(name: string, value: Value | undefined): void {
		if (value === undefined) this.explicit.delete(name);
		else this.explicit.set(name, value);
	}

	/** The property, if it may be set or reset now. */
	private changeable(name: string): AnyProperty {
		const property = this.property(name);
		const refusal = property.isComputed
			? "cannot be set"
			: property.isWriteOnce && this.explicit.has(name)
				? "is set already and cannot be changed"
				: null;
		if (refusal === null) return property;
		throw new AdminError("QubesPropertyValueError", `property '${name}' on ${this.constructor.name} instance ${refusal}`);
	}

	/** The `oldvalue` of an event, where there is one; nobody asks for it while events are off. */
	private oldValue(name: string): { oldvalue?: Value } {
		if (!this.eventsEnabled) return {};
		try {
			const old = this.get(name);
			return old === undefined ? {} : { oldvalue: old };
		} catch {
			// A default that cannot be found out is none (spec 3.3).
			return {};
		}
	}

	private known(): ReadonlyMap<string, AnyProperty> {
		return collectProperties(this.constructor);
	}
}

function collectProperties(target: object): ReadonlyMap<string, AnyProperty> {
	const known = collected.get(target);
	if (known !== undefined) return known;
	const parent = Object.getPrototypeOf(target) as object;
	const properties = new Map(parent === Function.prototype ? [] : collectProperties(parent));
	for (const property of declared.get(target) ?? []) properties.set(property.name, property);
	const compare = (a: AnyProperty, b: AnyProperty): number => a.stage - b.stage || (a.name < b.name ? -1 : 1);
	const sorted = new Map([...properties.values()].sort(compare).map((property) => [property.name, property]));
	collected.set(target, sorted);
	return sorted;
}
