import { DaemonError } from "./errors.ts";

/** A property as the daemon tells of it (spec 3.6). */
export interface PropertyValue {
	readonly isDefault: boolean;
	/** `str`, `int`, `bool`, `vm` or `label`. */
	readonly type: string;
	/** As it came; empty for none. */
	readonly text: string;
}

/** A value in terms of programs: null is none, undefined is unset. */
export type Decoded = string | number | boolean | null | undefined;

/** `default=BOOL type=TYPE VALUE`; the value is all that remains, line ends included. Throws DaemonError. */
export function parseValue(reply: string): PropertyValue {
	const [whole, isDefault, type = ""] = /^default=(True|False) type=(\S+) /.exec(reply) ?? [];
	if (whole === undefined) throw new DaemonError(`qubesd describes a property as "${reply}": want default=… type=… VALUE`);
	return { isDefault: isDefault === "True", type, text: reply.slice(whole.length) };
}

/** Lines of `NAME default=BOOL type=TYPE VALUE`, with `\\` and `\n` for backslash and line end. Throws DaemonError. */
export function parseValues(reply: string): Map<string, PropertyValue> {
	const lines = reply.split("\n").filter((line) => line !== "");
	return new Map(
		lines.map((line) => {
			const at = line.indexOf(" ");
			return [line.slice(0, Math.max(at, 0)), parseValue(unescapeLine(line.slice(at + 1)))];
		}),
	);
}

function unescapeLine(text: string): string {
	return text.replace(/\\(.)/g, (_match, character: string) => (character === "n" ? "\n" : character));
}

/** The value; an empty text is none for a qube or label, but unset for a number or a truth value. */
export function decode({ type, text }: PropertyValue): Decoded {
	switch (type) {
		case "str":
			return text;
		case "int":
			return text === "" ? undefined : Number(text);
		case "bool":
			return text === "" ? undefined : text === "True";
		default:
			return text === "" ? null : text;
	}
}

/** The value as people see it in lists: `None` for none, undefined for unset. */
export function displayText(value: PropertyValue): string | undefined {
	const decoded = decode(value);
	if (decoded === undefined) return undefined;
	return decoded === null ? "None" : value.text;
}
