import { AdminError } from "../errors.ts";

/** Something that is a value of a property and has a name in the Admin API: a qube, a label. */
export interface Named {
	readonly wireName: string;
}

/** A value of a property; null is none. */
export type Value = string | number | boolean | Named | null;

/** The types that clients are told of (spec 3.6). */
export type WireType = "str" | "int" | "bool" | "vm" | "label";

/** Texts of a certain form, such as IPv4Address, which can be told before anybody is asked whether a value may be set (spec 3.6). */
export interface TextForm {
	readonly name: string;
	readonly fits: (text: string) => boolean;
}

/** What a property is and how it behaves (spec 3.1). `Holder` is the class it belongs to. */
export interface Property<Holder> {
	readonly name: string;
	readonly type: WireType;
	/** Null where any text will do, and for all other types. */
	readonly form: TextForm | null;
	/** One or two sentences for people. */
	readonly doc: string;
	/** When the store is read: 2 with the qube itself, 3 global ones, 4 relations between qubes. */
	readonly stage: 2 | 3 | 4;
	/** Null where there is none, so that reading it may find nothing. */
	readonly defaultValue: ((holder: Holder) => Value) | null;
	/** The default is all there is: it cannot be set, and is never saved. */
	readonly isComputed: boolean;
	readonly isWriteOnce: boolean;
	readonly isCloned: boolean;
	/** Checks what is given and makes it the value that is kept. Throws AdminError. */
	readonly accept: (holder: Holder, given: Value) => Value;
}

/** What differs from the common case in a declaration. */
export interface Declaration<Holder> {
	readonly doc: string;
	readonly stage?: 2 | 3 | 4;
	readonly default?: Value | ((holder: Holder) => Value);
	readonly writeOnce?: boolean;
	readonly clone?: boolean;
	readonly form?: TextForm;
	/** Called with a value that is of the type already. */
	readonly check?: (holder: Holder, value: Value) => Value;
}

/** The text of a value: names of qubes and labels, `True` and `False`, nothing for none (spec 3.6). */
export function formatValue(value: Value): string {
	if (value === null) return "";
	if (typeof value === "boolean") return value ? "True" : "False";
	return typeof value === "object" ? value.wireName : String(value);
}

/** A property with text. */
export function textProperty<Holder>(name: string, declaration: Declaration<Holder>): Property<Holder> {
	return declare(name, "str", declaration, (given) => checkForm(declaration.form ?? null, formatValue(given)));
}

/** The text itself. Throws a QubesValueError where it has not the form. */
export function checkForm(form: TextForm | null, text: string): string {
	if (form === null || form.fits(text)) return text;
	throw new AdminError("QubesValueError", `Failed to parse property value as ${form.name}`);
}

/** A whole number; texts are read as decimals. */
export function intProperty<Holder>(name: string, declaration: Declaration<Holder>): Property<Holder> {
	return declare(name, "int", declaration, (given) => parseInteger(name, given));
}

/** Yes or no; texts as of spec 3.1. */
export function boolProperty<Holder>(name: string, declaration: Declaration<Holder>): Property<Holder> {
	return declare(name, "bool", declaration, parseBoolean);
}

/** A property whose values are of a kind of their own; `convert` makes one of what is given, or throws an AdminError. */
export function namedProperty<Holder>(
	name: string,
	type: "vm" | "label",
	declaration: Declaration<Holder>,
	convert: (holder: Holder, given: Value) => Value,
): Property<Holder> {
	const property = declare<Holder>(name, type, declaration, (given) => given);
	return { ...property, accept: (holder, given) => property.accept(holder, convert(holder, given)) };
}

/** A property that cannot be set: its value is what `read` finds. */
export function computedProperty<Holder>(
	name: string,
	type: WireType,
	doc: string,
	read: (holder: Holder) => Value,
): Property<Holder> {
	return { ...declare<Holder>(name, type, { doc, default: read }, (given) => given), isComputed: true };
}

/** Yes or no of a text (spec 3.1), null where it is neither. */
export function readBoolean(text: string): boolean | null {
	const lower = text.toLowerCase();
	if (["1", "yes", "true", "on"].includes(lower)) return true;
	return ["0", "no", "false", "off"].includes(lower) ? false : null;
}

function declare<Holder>(
	name: string,
	type: WireType,
	declaration: Declaration<Holder>,
	convert: (given: Value) => Value,
): Property<Holder> {
	const { doc, stage = 2, writeOnce = false, clone = true, form = null, check = (_holder, value) => value } = declaration;
	const given = declaration.default;
	const defaultValue = given === undefined ? null : typeof given === "function" ? given : () => given;
	return {
		...{ name, type, form, doc, stage, defaultValue, isComputed: false, isWriteOnce: writeOnce, isCloned: clone },
		accept: (holder, value) => check(holder, convert(value)),
	};
}

function parseInteger(name: string, given: Value): number {
	const number = typeof given === "string" && /^\s*[+-]?\d+\s*$/.test(given) ? Number(given) : given;
	if (typeof number === "number" && Number.isSafeInteger(number)) return number;
	throw new AdminError("QubesPropertyValueError", `${name}: want a whole number, not '${formatValue(given)}'`);
}

function parseBoolean(given: Value): boolean {
	const value = typeof given === "string" ? readBoolean(given) : Boolean(given);
	if (value !== null) return value;
	throw new AdminError("QubesValueError", `Invalid literal for boolean property: '${formatValue(given)}'`);
}
