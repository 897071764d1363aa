/**
 * Splits text into lines at `\n`, `\r\n` and lone `\r`, and at nothing else (spec 1.1).
 * A text that ends in a line end has an empty last line, which is a comment like every empty line.
 */
export function splitLines(text: string): string[] {
	const unified = text.indexOf("\r") < 0 ? text : text.split("\r\n").join("\n").split("\r").join("\n");
	return unified.split("\n");
}

/** Splits a line into fields at runs of white space; no empty fields at either end (spec 1.1). */
export function splitFields(line: string): string[] {
	const fields: string[] = [];
	let from = skipSpace(line, 0);
	while (from < line.length) {
		const end = skipField(line, from);
		fields.push(line.slice(from, end));
		from = skipSpace(line, end);
	}
	return fields;
}

/** The column (in UTF-16 units, from 1) where field `index` of a line starts; behind the last field if it has fewer. */
export function columnOfField(line: string, index: number): number {
	let from = skipSpace(line, 0);
	for (let i = 0; i < index && from < line.length; i++) {
		const end = skipField(line, from);
		from = skipSpace(line, end);
		if (from === line.length) return end + 1;
	}
	return from + 1;
}

/** How many characters (code points) the first `units` UTF-16 units of a text are. */
export function countCharacters(text: string, units: number): number {
	let count = 0;
	for (let i = 0; i < units; i++) if (!isSecondHalf(text, i)) count++;
	return count;
}

/** Whether a character has begun in the UTF-16 unit before this one. */
export function isSecondHalf(text: string, at: number): boolean {
	const [first, second] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
	return first >= 0xd800 && first <= 0xdbff && second >= 0xdc00 && second <= 0xdfff;
}

function skipSpace(line: string, from: number): number {
	let at = from;
	while (at < line.length && isSpace(line.charCodeAt(at))) at++;
	return at;
}

function skipField(line: string, from: number): number {
	let at = from;
	while (at < line.length && !isSpace(line.charCodeAt(at))) at++;
	return at;
}

/** White space of the policy language, which is not that of JavaScript: it has U+001C..1F and U+0085, not U+FEFF. */
function isSpace(code: number): boolean {
	if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
	return (
		code === 0x85 ||
		code === 0xa0 ||
		code === 0x1680 ||
		(code >= 0x2000 && code <= 0x200a) ||
		code === 0x2028 ||
		code === 0x2029 ||
		code === 0x202f ||
		code === 0x205f ||
		code === 0x3000
	);
}
