/** Something that has a name in the Admin API: qube, pool, label, device (`BACKEND:PORT:DEVID`), port (`BACKEND:PORT`). */
interface Named {
	readonly wireName: string;
}

/**
 * The value of an argument of an event, as text (spec 7.5): `None`, `True`, `False`, numbers and texts as they are, what has a
 * `wireName` as that, maps and lists as Python writes them, such as `{'a': 'b'}`. Throws what the conversion of any other object throws.
 */
export function formatEventValue(value: unknown): string {
	if (value === null || value === undefined) return "None";
	if (typeof value === "boolean") return value ? "True" : "False";
	if (isNamed(value)) return value.wireName;
	if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
	if (value instanceof Map) return formatMap([...value]);
	if (isPlainObject(value)) return formatMap(Object.entries(value));
	return String(value);
}

function formatMap(entries: readonly (readonly [unknown, unknown])[]): string {
	return `{${entries.map(([key, value]) => `${repr(key)}: ${repr(value)}`).join(", ")}}`;
}

/** A value inside of another: texts and names are in quotes. */
function repr(value: unknown): string {
	return typeof value === "string" || isNamed(value) ? quote(formatEventValue(value)) : formatEventValue(value);
}

/** As Python quotes a text: with `"` only if there is a `'` in it and no `"`; what cannot be printed is escaped. */
function quote(text: string): string {
	const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
	let quoted = mark;
	for (const character of text)
		quoted += character === mark || character === "\\" ? `\\${character}` : escapeCharacter(character);
	return quoted + mark;
}

const SHORT_ESCAPES: { readonly [character: string]: string } = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** `\n`, `\x1b`, `\u200b`, `\U000e0001`: Python prints no controls, no separators but the space, nothing without a meaning. */
function escapeCharacter(character: string): string {
	if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
	const code = character.codePointAt(0) as number;
	const hex = code.toString(16);
	if (code <= 0xff) return SHORT_ESCAPES[character] ?? `\\x${hex.padStart(2, "0")}`;
	return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

function isNamed(value: unknown): value is Named {
	return typeof value === "object" && value !== null && "wireName" in value && typeof value.wireName === "string";
}

function isPlainObject(value: unknown): value is object {
	if (typeof value !== "object" || value === null) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}
