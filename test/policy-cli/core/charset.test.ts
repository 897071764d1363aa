import test from "ava";
import {
	compareCodePoints,
	findOutside,
	hasControl,
	isRpcCode,
	isServiceCode,
	isServiceText,
} from "../../../policy-cli/core/charset.ts";

const SERVICE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

/** Every UTF-16 unit for which `accepts` is true, in one string. */
function unitsOf(accepts: (code: number) => boolean): string {
	let found = "";
	for (let code = 0; code <= 0xffff; code++) if (accepts(code)) found += String.fromCharCode(code);
	return found;
}

function sorted(text: string): string {
	return [...text].sort().join("");
}

test("a service is made of letters, digits, dash, dot and underscore", (t) => t.is(unitsOf(isServiceCode), sorted(SERVICE)));
test("a plus may be in a service with its argument", (t) => t.is(unitsOf(isRpcCode), sorted(`${SERVICE}+`)));

test("a text of one character is a service text if that character is one of a service", (t) => {
	for (let code = 0; code <= 0xffff; code++) {
		// Half a surrogate pair cannot come out of UTF-8.
		if (code >= 0xd800 && code <= 0xdfff) continue;
		if (isServiceText(String.fromCharCode(code)) !== isServiceCode(code)) t.fail(`U+${code.toString(16)}`);
	}
	t.pass();
});
test("one bad character makes a text no service text, wherever it stands", (t) => {
	for (const bad of ["+", "@", "*", "/", "%", " ", "~", "\0", "\n", "é", "\u{1f600}"]) {
		for (const text of [`${bad}qubes.X`, `qubes${bad}.X`, `qubes.X${bad}`]) t.false(isServiceText(text), text);
	}
	t.true(isServiceText("qubes.Some-Service_1"));
	t.true(isServiceText(""));
});

test("the first character outside a set is found", (t) => {
	t.is(findOutside("", isServiceCode), -1);
	t.is(findOutside("abc", isServiceCode), -1);
	t.is(findOutside("+abc+", isServiceCode), 0);
	t.is(findOutside("ab+c+", isServiceCode), 2);
	t.is(findOutside("ab+c@", isRpcCode), 4);
});

test("a control character is one of U+0000 to 001F and U+007F to 009F", (t) => {
	for (let code = 0; code <= 0xffff; code++) {
		const isControl = code <= 0x1f || (code >= 0x7f && code <= 0x9f);
		if (hasControl(`a${String.fromCharCode(code)}b`) !== isControl) t.fail(`U+${code.toString(16)}`);
	}
	t.false(hasControl(""));
});

test("strings are ordered by code point, shorter ones first", (t) => {
	const wanted = [
		"",
		"A",
		"B",
		"a",
		"aa",
		"ab",
		"b",
		"é",
		"€",
		"\uff21",
		"\uffee",
		"\u{10000}",
		"\u{1f600}",
		"\u{1f600}a",
		"\u{1f601}",
	];
	t.deepEqual([...wanted].reverse().sort(compareCodePoints), wanted);
	for (const text of wanted) t.is(compareCodePoints(text, text), 0);
});
test("the order is that of the UTF-8 bytes", (t) => {
	const texts = ["a", "\u00e9", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
	for (const x of texts) {
		for (const y of texts) {
			t.is(Math.sign(compareCodePoints(`-${x}`, `-${y}`)), Buffer.compare(Buffer.from(`-${x}`), Buffer.from(`-${y}`)));
		}
	}
});
