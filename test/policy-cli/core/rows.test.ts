import test from "ava";
import { splitFields, splitLines } from "../../../policy-cli/core/lines.ts";
import { splitRows } from "../../../policy-cli/core/rows.ts";
import { chooseSeed, Random } from "./random.ts";

function show(text: string): string[] | null {
	const rows = splitRows(text);
	return rows?.rests.map((rest, i) => `${rows.lines[i]}|${rows.heads[i]}|${rest}`) ?? null;
}

for (const [text, ...rows] of [
	[""],
	["\n\n"],
	["# a b"],
	[" \t# a b\n#\n##"],
	["a", "1|a|"],
	["a\n", "1|a|"],
	["\n a\tb  c \n\nd", "2|a|b c", "4|d|"],
	["a # b", "1|a|# b"],
	["a# b", "1|a#|b"],
	["!include x y", "1|!include|x y"],
] as const) {
	test(`${JSON.stringify(text)} has ${rows.length} rows`, (t) => t.deepEqual(show(text), [...rows]));
}
for (const [text, areServices] of [
	["", true],
	["a.B_c-9 * x", true],
	["* * x\n!include a b\n!include-service\n!include-service * * p", true],
	["!include-service a.B *", true],
	["a+b * x", false],
	["+ * x", false],
	["a/b * x", false],
	["@a b allow", false],
	["a * x\n!include-service a+b * p", false],
	["a * x\n!include-service ** * p\n", false],
] as const) {
	test(`${JSON.stringify(text)} has ${areServices ? "only services" : "something else"} where a service stands`, (t) =>
		t.is(splitRows(text)?.areServices, areServices));
}
test("a text that is not plain has no rows", (t) => {
	for (const text of ["# é", "a\r\nb", "a\rb", "a\0", "a\vb", "\ufeff", "a\x7f"])
		t.is(splitRows(text), null, JSON.stringify(text));
});
test("rows are the fields of the lines that are no comments", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	for (let i = 0; i < 2000; i++) {
		let text = "";
		for (let length = random.int(20); length > 0; length--)
			text += random.pick(["a", "b", " ", "  ", "\t", "\n", "\n", "#", "!"]);
		const wanted = splitLines(text)
			.map((line, index) => [index + 1, splitFields(line)] as const)
			.filter(([, [first]]) => first !== undefined && !first.startsWith("#"))
			.map(([line, [head, ...rest]]) => `${line}|${head}|${rest.join(" ")}`);
		t.deepEqual(show(text), wanted, `QUBES_TEST_SEED=${seed}, text ${i}: ${JSON.stringify(text)}`);
	}
});
