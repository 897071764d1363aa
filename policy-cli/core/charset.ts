/** Characters of a service and its argument (RPC names, see "Character sets" of the spec): `A-Z a-z 0-9 + - . _`. */
export function isRpcCode(code: number): boolean {
	return isServiceCode(code) || code === 0x2b;
}

/** Characters of a service without its argument: `A-Z a-z 0-9 - . _`. */
export function isServiceCode(code: number): boolean {
	return (
		(code >= 0x61 && code <= 0x7a) ||
		(code >= 0x30 && code <= 0x39) ||
		(code >= 0x41 && code <= 0x5a) ||
		code === 0x2d ||
		code === 0x2e ||
		code === 0x5f
	);
}

/** Whether a text has only characters of a service; the same as asking `isServiceCode` of each, by quick built-ins. */
export function isServiceText(text: string): boolean {
	// escape() leaves alone A-Z a-z 0-9 - . _ and @ * + /
	return escape(text) === text && lacks(text, "@") && lacks(text, "*") && lacks(text, "+") && lacks(text, "/");
}

function lacks(text: string, character: string): boolean {
	return text.split(character, 1)[0] === text;
}

/** Index of the first character of `text` that is not in a set; -1 if all are. */
export function findOutside(text: string, isInside: (code: number) => boolean): number {
	for (let i = 0; i < text.length; i++) {
		if (!isInside(text.charCodeAt(i))) return i;
	}
	return -1;
}

/** Whether text has a control character (Unicode category Cc). */
export function hasControl(text: string): boolean {
	// escape() writes these, and nothing else, as %00 to %1F and %7F to %9F; a percent sign is %25.
	const escaped = escape(text);
	return !CONTROLS.every((start) => lacks(escaped, start));
}

/** Whether text has no control character, backslash or character above U+00FF, so that it may be shown as it is. */
export function isInnocent(text: string): boolean {
	return !hasControl(text) && lacks(text, "\\") && lacks(escape(text), "%u");
}

const CONTROLS = ["%0", "%1", "%7F", "%8", "%9"];

/** Orders two strings by code point, as the spec sorts everything (JavaScript alone sorts by UTF-16 unit). */
export function compareCodePoints(a: string, b: string): number {
	const shorter = Math.min(a.length, b.length);
	for (let i = 0; i < shorter; i++) {
		const x = a.charCodeAt(i);
		const y = b.charCodeAt(i);
		if (x === y) continue;
		// A surrogate stands for a code point above U+FFFF, so it comes after U+E000..FFFF.
		const xIsSurrogate = x >= 0xd800 && x <= 0xdfff;
		const yIsSurrogate = y >= 0xd800 && y <= 0xdfff;
		if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
		return x - y;
	}
	return a.length - b.length;
}
