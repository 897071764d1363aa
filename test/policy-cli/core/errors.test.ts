import test from "ava";
import {
	escapeControls,
	formatCaret,
	formatPlace,
	hex,
	type Location,
	PolicyLoadError,
} from "../../../policy-cli/core/errors.ts";
import { describeFileError, isFileError } from "../../../policy-cli/core/files.ts";

function at(text: string | null, column: number | null, line: number | null = 3): Location {
	return { file: "/p/x", line, column, text };
}

for (const [what, location, wanted] of [
	["a column", at("abc", 2), "/p/x:3:2"],
	["a line", at(null, null), "/p/x:3"],
	["a file", at(null, null, null), "/p/x"],
] as const) {
	test(`the place of ${what} is ${wanted}`, (t) => {
		t.is(formatPlace(location), wanted);
		t.is(new PolicyLoadError("syntax-error", "bad", location).message, `${wanted}: bad`);
	});
}
test("an error without a place is only its text", (t) => {
	const error = new PolicyLoadError("load-error", "bad", null);
	t.is(error.message, "bad");
	t.is(error.detail, "bad");
	t.true(error instanceof Error);
	t.true(error instanceof PolicyLoadError);
});

for (const [what, location, wanted] of [
	["the first column", at("abc", 1), "  abc\n  ^\n"],
	["a middle column", at("abc def", 5), "  abc def\n      ^\n"],
	["the end of the line", at("abc", 4), "  abc\n     ^\n"],
	["an empty line", at("", 1), "  \n  ^\n"],
	["a line with tabs", at("\ta\tb", 4), "  \ta\tb\n  \t \t^\n"],
	["far behind the end", at("ab", 99), "  ab\n    ^\n"],
	["no text", at(null, 1), ""],
	["no column", at("abc", null), ""],
] as const) {
	test(`the caret stands under ${what}`, (t) => t.is(formatCaret(location), wanted));
}
test("the line above the caret cannot forge another line", (t) => {
	t.is(formatCaret(at("a\nb\x1b[0m\u2028", 1)), "  a\\x0ab\\x1b[0m\\u2028\n  ^\n");
});

for (const [text, wanted] of [
	["", ""],
	["plain text", "plain text"],
	["a\nb", "a\\x0ab"],
	["\r\t\0", "\\x0d\\x09\\x00"],
	["\x1b[31m", "\\x1b[31m"],
	["\x7f\x80\x9b\x9f", "\\x7f\\x80\\x9b\\x9f"],
	["\xa0é€\u200a\u2010\u2027\u202f\u2065\u206a\ud7ff\ue000", "\xa0é€\u200a\u2010\u2027\u202f\u2065\u206a\ud7ff\ue000"],
	["\ud800\udfff"[0] ?? "", "\\ud800"],
	["\ud800\udfff"[1] ?? "", "\\udfff"],
	["\\", "\\\\"],
	["\\x0a", "\\\\x0a"],
	["\u200b\u200f\u2028\u2029\u202a\u202e", "\\u200b\\u200f\\u2028\\u2029\\u202a\\u202e"],
	["\u2066\u2069\u061c\ufeff", "\\u2066\\u2069\\u061c\\ufeff"],
	["a\nb\nc", "a\\x0ab\\x0ac"],
	["\n", "\\x0a"],
] as const) {
	test(`${JSON.stringify(text)} is shown as ${wanted}`, (t) => t.is(escapeControls(text), wanted));
}
test("one character may be kept", (t) => {
	t.is(escapeControls("a\tb\nc", "\t"), "a\tb\\x0ac");
	t.is(escapeControls("\\\n", "\n"), "\\\\\n");
});
test("two different texts are never shown alike", (t) => {
	const texts = ["\n", "\\x0a", "\\\\x0a", "\\n", "\u2028", "\\u2028", "\x80", "\\x80"];
	t.is(new Set(texts.map((text) => escapeControls(text))).size, texts.length);
});
test("what is shown has no control character and no line separator", (t) => {
	for (let code = 0; code <= 0xffff; code++) {
		// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
		if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/u.test(escapeControls(`a${String.fromCharCode(code)}`)))
			t.fail(`U+${code.toString(16)}`);
	}
	t.pass();
});

test("hexadecimal digits are filled up with zeros", (t) => {
	t.is(hex(10, 2), "0a");
	t.is(hex(0x1f600, 4), "1f600");
	t.is(hex(0, 4), "0000");
});

test("a failed file call is told in one line", (t) => {
	t.is(describeFileError({ code: "EACCES", operation: "open", path: "/x" }), "open /x: permission denied (EACCES)");
	t.is(describeFileError({ code: "EWHAT", operation: "open", path: "/x" }), "open /x: failed (EWHAT)");
});
test("a file error is told from all else", (t) => {
	t.true(isFileError({ code: "EACCES", operation: "open", path: "/x" }));
	for (const other of [
		null,
		undefined,
		"EACCES",
		1,
		{},
		{ code: "EACCES" },
		{ code: 1, operation: "open", path: "/x" },
		new Error("x"),
	]) {
		t.false(isFileError(other), String(other));
	}
	t.false(isFileError({ code: "EACCES", operation: "open" }));
	t.false(isFileError({ code: "EACCES", path: "/x" }));
});
