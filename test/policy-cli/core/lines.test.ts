import test from "ava";
import { columnOfField, splitFields, splitLines } from "../../../policy-cli/core/lines.ts";
import { isPlain } from "../../../policy-cli/core/rows.ts";

/** The white space of spec 1.1, point 3, written out. */
const SPACE: readonly number[] = [
	...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
	...[0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a],
	...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
];

for (const [text, ...lines] of [
	["", ""],
	["a", "a"],
	["a\n", "a", ""],
	["a\nb", "a", "b"],
	["a\r\nb", "a", "b"],
	["a\rb", "a", "b"],
	["a\r", "a", ""],
	["a\r\n", "a", ""],
	["a\n\rb", "a", "", "b"],
	["a\r\rb", "a", "", "b"],
	["a\r\r\nb", "a", "", "b"],
	["\n\n", "", "", ""],
	["a\vb\fc", "a\vb\fc"],
	["a\x1cb\x1db\x1eb\x1fc", "a\x1cb\x1db\x1eb\x1fc"],
	["a\x85b", "a\x85b"],
	["a\u2028b\u2029c", "a\u2028b\u2029c"],
	["a\0b", "a\0b"],
] as const) {
	test(`${JSON.stringify(text)} has ${lines.length} lines`, (t) => t.deepEqual(splitLines(text), [...lines]));
}

test("white space is exactly what the specification lists", (t) => {
	const found: number[] = [];
	for (let code = 0; code <= 0xffff; code++) {
		const fields = splitFields(`a${String.fromCharCode(code)}b`);
		if (fields.length === 2) found.push(code);
		else if (fields.length !== 1) t.fail(`U+${code.toString(16)}`);
	}
	t.deepEqual(found, [...SPACE]);
});
for (const [line, ...fields] of [
	[""],
	["  \t "],
	["a", "a"],
	[" a b\t\tc ", "a", "b", "c"],
	["\u3000a\u2003\u00a0b\x1f", "a", "b"],
	["\ufeffa b", "\ufeffa", "b"],
	["a\u200bb\u180ec", "a\u200bb\u180ec"],
	["a\0 b", "a\0", "b"],
] as const) {
	test(`${JSON.stringify(line)} has ${fields.length} fields`, (t) => t.deepEqual(splitFields(line), [...fields]));
}

for (const [line, index, column] of [
	["a b c", 0, 1],
	["a b c", 1, 3],
	["a b c", 2, 5],
	["a b c", 3, 6],
	["a b c", 9, 6],
	["  a  bb   c  ", 0, 3],
	["  a  bb   c  ", 1, 6],
	["  a  bb   c  ", 2, 11],
	["  a  bb   c  ", 3, 12],
	["\ta\u3000b", 1, 4],
	["", 0, 1],
	["   ", 0, 4],
] as const) {
	test(`field ${index} of ${JSON.stringify(line)} is at column ${column}`, (t) => t.is(columnOfField(line, index), column));
}

test("plain text is printable ASCII, tab and line feed", (t) => {
	for (let code = 0; code <= 0xffff; code++) {
		const wanted = code === 0x09 || code === 0x0a || (code >= 0x20 && code <= 0x7e);
		if (isPlain(`a${String.fromCharCode(code)}`) !== wanted) t.fail(`U+${code.toString(16)}`);
	}
	t.true(isPlain(""));
});
