// The characters of XML 1.0: what it can carry, and how.

const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
/** Characters that can stand anywhere in a file as they are, for between the brackets of a pattern. */
export const PLAIN = " !#-%'-;=?-~";
const ALL_PLAIN = new RegExp(`^[${PLAIN}]*$`);
const NAME_START =
	":A-Z_a-z\\u{c0}-\\u{d6}\\u{d8}-\\u{f6}\\u{f8}-\\u{2ff}\\u{370}-\\u{37d}\\u{37f}-\\u{1fff}\\u{200c}\\u{200d}\\u{2070}-\\u{218f}" +
	"\\u{2c00}-\\u{2fef}\\u{3001}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{fffd}\\u{10000}-\\u{effff}";
const NAME = new RegExp(`^[${NAME_START}][${NAME_START}\\-.0-9\\u{b7}\\u{300}-\\u{36f}\\u{203f}\\u{2040}]*$`, "u");

/** Whether a text is nothing but plain characters, as most are. */
export function isPlain(text: string): boolean {
	return ALL_PLAIN.test(text);
}

/** The first character that no XML file can carry, as `U+0001`; null where all can be written. */
export function findForbidden(text: string): string | null {
	const code = FORBIDDEN.exec(text)?.[0].codePointAt(0);
	return code === undefined ? null : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Whether a text can be the name of an attribute. */
export function isXmlName(text: string): boolean {
	if (/^[a-z_]+$/.test(text)) return true;
	return NAME.test(text);
}

/** Writes text for between two tags; a carriage return would be read as a line end. */
export function escapeText(text: string): string {
	return text.replace(/[&<>\r]/g, replacement);
}

/** Writes the value of an attribute for between double quotes; white space would be read as a blank. */
export function escapeAttribute(text: string): string {
	return text.replace(/[&<>"\t\n\r]/g, replacement);
}

const REPLACEMENTS: { readonly [char: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function replacement(char: string): string {
	return REPLACEMENTS[char] ?? `&#${char.charCodeAt(0)};`;
}

/** Whether there is nothing but white space as XML knows it, which a no-break space is not. */
export function isBlank(text: string): boolean {
	return !/[^ \t\r\n]/.test(text);
}

/** Without white space at the end. */
export function trimEnd(text: string): string {
	let end = text.length;
	while (end > 0 && isBlank(text.charAt(end - 1))) end--;
	return text.slice(0, end);
}
