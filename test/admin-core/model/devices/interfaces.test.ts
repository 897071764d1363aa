// Codes of what devices can do, and which of them a qube does not want: spec/admin-core.md 4.3, 7.6, 8.8.
import test from "ava";
import { isDenied, isInterface, parseDenied } from "../../../../admin-core/model/devices/interfaces.ts";

for (const [denied, codes, wanted] of [
	["u030101", ["u030101"], true],
	["u030101", ["u030102"], false],
	["u030101", ["b030101"], false],
	["u03****", ["u030102"], true],
	["u03****", ["u080650", "u030102"], true],
	["u03****", ["u080650"], false],
	["*******", ["m******"], true],
	["*03****", ["p030000"], true],
	["b******", ["u080650"], false],
	["p020000u03****", ["u030000"], true],
	["", ["u030000"], false],
	// What is not known may be it.
	["u030101", ["u******"], true],
	["u030101", ["?******"], true],
	["u030101", ["p******"], false],
	// Set as a property, without a check: what is too short stands for all that start so.
	["u03", ["u030102"], true],
	["p020000u", ["u030102"], true],
] as const) {
	test(`"${denied}" ${wanted ? "denies" : "does not deny"} ${codes.join(" and ")}`, (t) => {
		t.is(isDenied(denied, codes), wanted);
	});
}

test("codes stand behind each other", (t) => {
	t.deepEqual(parseDenied(""), []);
	t.deepEqual(parseDenied("u03****b******p02abcd*******"), ["u03****", "b******", "p02abcd", "*******"]);
});

for (const [text, kind] of [
	["u03", "QubesValueError"],
	["u030101 u030102", "QubesValueError"],
	["x030101", "QubesPropertyValueError"],
	["?030101", "QubesPropertyValueError"],
	["u03010A", "QubesPropertyValueError"],
	["u03010\n", "QubesPropertyValueError"],
] as const) {
	test(`${JSON.stringify(text)} is no list of codes`, (t) => {
		t.like(
			t.throws(() => parseDenied(text)),
			{ kind },
		);
	});
}

test("a device can be of an unknown class, but not of any", (t) => {
	t.deepEqual(["u030101", "?******", "b12****"].map(isInterface), [true, true, true]);
	t.deepEqual(["*******", "u03010", "u0301011", "U030101", "u03010g", "u030101\n"].map(isInterface), Array(6).fill(false));
});
