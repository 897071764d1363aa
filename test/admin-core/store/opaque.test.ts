// What we do not understand survives byte for byte, in its place.
import test from "ava";
import { again, EXAMPLE, read, withQube, write } from "./stage.ts";

/** The example with something strange in each element, and between all of them. */
function strange(): string {
	let n = 0;
	const lines = EXAMPLE.trimEnd().split("\n");
	const strangers = (indent: string): string[] => {
		n++;
		return [
			`${indent}<!-- c${n} é😀 -->`,
			`${indent}<new a='${n}'  b = "&gt;&#x41;">t<![CDATA[<]]> <x/>`,
			`     </new> <?pi ${n}?>`,
		];
	};
	const out = [`<!-- before -->`, "<?before too?>"];
	for (const line of lines) {
		const indent = /^ */.exec(line)?.[0] ?? "";
		// A feature, as all that has a value, is only given an attribute; so is what must be empty.
		const open = /^ *<(?!\/|pool |volume )[a-z-]+/.exec(line)?.[0];
		out.push(open === undefined ? line : line.replace(open, `${open} y='${n}'`).replace(/(\/?>)(?!.*\/>)/, ` z="${n} &lt;"$1`));
		if (line !== lines.at(-1))
			out.push(
				...strangers(
					/^ *<(labels|pools|properties|domains|domain .*|features|tags|devices .*|qubes|device .*|volume-config)>$/.test(line)
						? `${indent}  `
						: indent,
				),
			);
	}
	return [...out, "<!-- behind -->", ""].join("\n");
}

test("strange elements, comments, instructions and attributes at every level stay where they are, to the byte", (t) => {
	const text = strange();
	t.true(text.split("<new").length > 60);
	t.is(again(text), text);
	t.deepEqual(read(text).data, read(EXAMPLE).data);
});

for (const [title, xml] of [
	[
		"a comment behind an element on its line",
		'<tags>\n        <tag name="a"/> <!-- why -->\n        <tag name="b"/>\n      </tags>',
	],
	["text in a list", '<tags>oops\n        <tag name="a"/>\n        and &amp; here\n      </tags>'],
	["text in a list without elements", "<tags> oops </tags>"],
	["text in an element that has none", '<tags>\n        <tag name="a"> x </tag>\n      </tags>'],
	["CDATA in a list", '<tags><![CDATA[ <x> ]]>\n        <tag name="a"/>\n      </tags>'],
	["a no-break space", '<tags>\u00a0\n        <tag name="a"/>\n      </tags>'],
	["a comment in a value", '<features>\n        <feature name="a">b<!-- c -->d &#65;</feature>\n      </features>'],
	["an element in a value", '<features>\n        <feature name="a"><x/></feature>\n      </features>'],
	["an attribute before the known one", '<tags>\n        <tag  x=\'1\' name="a"\n y="2"/>\n      </tags>'],
	[
		"blank lines around a comment",
		'<tags>\n\n\n        <!-- a -->\n\n        <!-- b -->\n        <tag name="a"/>\n      </tags>',
	],
	["an element of the same name elsewhere", "<tags>\n        <label/>\n      </tags>"],
	["a known name with a prefix", '<tags xmlns:q="urn:q">\n        <q:tag name="a"/>\n      </tags>'],
] as const) {
	test(`stays to the byte: ${title}`, (t) => {
		const features = xml.startsWith("<features") ? `      ${xml}\n      <tags/>` : `      <features/>\n      ${xml}`;
		const whole = again(withQube("")).replace("      <features/>\n      <tags/>", features);
		t.true(whole.includes(xml));
		t.is(again(whole), whole);
	});
}

test("carriage returns in what is strange stay", (t) => {
	const xml = '<qubes><labels>\r\n<!-- a\r\nb -->\r\n<label id="label-1" color="#000000">x</label></labels></qubes>';
	t.true(again(xml).includes("<labels>\r\n<!-- a\r\nb -->\n    <label"));
});

const LIST = withQube('<tags><!-- 0 --><tag name="a"/><!-- a --><tag name="b" x="1"/><!-- b --><tag name="c"/><!-- c --></tags>');

/** What is in `tags` when the list is saved with these, without the white space of ours. */
function withTags(tags: readonly string[]): string {
	const { data, residue } = read(LIST);
	const text = write({ ...data, domains: data.domains.map((one) => ({ ...one, tags })) }, residue);
	return text.slice(text.indexOf("<tags>") + 6, text.indexOf("</tags>")).replace(/\s*\n\s*/g, "");
}

for (const [names, wanted] of [
	[["a", "c"], '<!-- 0 --><tag name="a"/><!-- a --><!-- b --><tag name="c"/><!-- c -->'],
	[["c"], '<!-- 0 --><!-- a --><!-- b --><tag name="c"/><!-- c -->'],
	[
		["a", "a1", "b", "c"],
		'<!-- 0 --><tag name="a"/><!-- a --><tag name="a1"/><tag name="b" x="1"/><!-- b --><tag name="c"/><!-- c -->',
	],
	[["b"], '<!-- 0 --><!-- a --><tag name="b" x="1"/><!-- b --><!-- c -->'],
] as const) {
	test(`with the tags ${names}, each comment is behind the nearest that is left of those before it`, (t) => {
		t.is(withTags(names), wanted);
	});
}

test("without any tag all comments are left, and nothing runs into another", (t) => {
	const { data, residue } = read(withQube('<tags>one<tag name="a"/>two</tags>'));
	const text = write({ ...data, domains: data.domains.map((one) => ({ ...one, tags: [] })) }, residue);
	t.true(text.includes("<tags>one\ntwo</tags>"));
});

test("a value that changes leaves behind it what was in its element", (t) => {
	const { data, residue } = read(withQube('<features><feature name="a">b<!-- c -->d<x/></feature></features>'));
	t.deepEqual(data.domains[0]?.features, [["a", "bd"]]);
	const text = write({ ...data, domains: data.domains.map((one) => ({ ...one, features: [["a", "n<"]] })) }, residue);
	t.true(text.includes('<feature name="a">n&lt;<!-- c --><x/></feature>'));
});

test("what was in a removed qube does not come back with the next qube of its number", (t) => {
	const { data, residue } = read(withQube("<secret/>"));
	const named = (name: string) => ({
		...data,
		domains: data.domains.map((one) => ({ ...one, properties: [["name", name]] as const })),
	});
	t.true(write(named("work"), residue).includes("<secret/>"));
	t.false(write(named("other"), residue).includes("<secret/>"));
});

test("a second pair of tags gives its strangers to the first", (t) => {
	const text = again('<qubes><labels x="1"/><pools/><labels x="2" y="3"><a/></labels></qubes>');
	t.true(text.includes('<labels x="1" y="3"><a/></labels>'), text);
});
