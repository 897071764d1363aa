// Patterns of event names: spec/admin-core.md 1.3.
import test from "ava";
import { compilePattern } from "../../../admin-core/model/events/pattern.ts";

for (const [name, pattern, matches] of [
	["foo:", "foo:*", true],
	["foo", "foo:*", false],
	["a]", "a[]]", true],
	["a!", "a[!]", false],
	["a[!]", "a[!]", true],
	["a[b", "a[b", true],
	["a^", "a[^b]", true],
	["ab", "a[^b]", true],
	["ac", "a[^b]", false],
	["a5", "a[0-9]", true],
	["a,", "a[+--]", true],
	["ab\n", "ab", false],
	["A", "a", false],
	["", "*", true],
	["", "?", false],
	["", "", true],
	["a", "", false],
	["property-set:netvm", "property-set:*", true],
	["property-set:netvm", "property-pre-set:*", false],
	["x/y.z:", "*", true],
	["a\nb", "a*b", true],
	["a\nb", "a?b", true],
	["a😀", "a?", true],
	["a😀", "a??", false],
	["a😀", "a[😀]", true],
	[".x", "*x", true],
	["a\\b", "a\\b", true],
	["a*", "a\\*", false],
	["a\\x", "a\\*", true],
	["{a,b}", "{a,b}", true],
	["a", "{a,b}", false],
	["!a", "!a", true],
	["b", "!a", false],
	["#a", "#a", true],
	["+(a)", "+(a)", true],
	["a", "+(a)", false],
	["a+b.c(d)", "a+b.c(d)", true],
	["ab", "a[c-a]", false],
	["ab", "a[!c-a]", true],
	["a-", "a[-x]", true],
	["a-", "a[x-]", true],
	["ab", "a[!b]", false],
	["ac", "a[!b]", true],
	["a]", "a[!]]", false],
	["ab", "a[!]]", true],
	["a\\", "a[\\]", true],
	["a-", "a[a-c-e]", true],
	["ad", "a[a-c-e]", false],
	["a[", "a[[]", true],
	["aaa", "a*a*a", true],
	["aa", "a*a*a", false],
	["domain-feature-set:a[b", "domain-feature-set:a[b", true],
] as const) {
	test(`${JSON.stringify(pattern)} ${matches ? "matches" : "does not match"} ${JSON.stringify(name)}`, (t) => {
		t.is(compilePattern(pattern).matches(name), matches);
	});
}

for (const [pattern, isExact, prefix] of [
	["property-set:netvm", true, "property-set:netvm"],
	["property-set:*", false, "property-set:"],
	["*", false, ""],
	["a[b", true, "a[b"],
	["a?b", false, "a"],
] as const) {
	test(`"${pattern}" ${isExact ? "stands for one name" : `matches names that start with "${prefix}"`}`, (t) => {
		t.like(compilePattern(pattern), { isExact, prefix });
	});
}

test("whatever a pattern is, it compiles, and matches nothing that does not start with its prefix", (t) => {
	const parts = ["a", "b", "*", "?", "[", "]", "!", "^", "-", "\\", "/", "😀", "\n", "z-a"];
	for (let i = 0; i < 20_000; i++) {
		const pattern = Array.from({ length: 6 }, (_, k) => parts[(i * 7 + k * k * 31 + (i >> k)) % parts.length]).join("");
		const compiled = compilePattern(pattern);
		for (const name of ["", "a", "ab", "b]", pattern]) {
			if (compiled.matches(name)) t.true(name.startsWith(compiled.prefix), pattern);
		}
	}
});
