// The quick way to the tree of a file gives what the exact one gives, or nothing.
import test from "ava";
import { parseXml } from "../../../admin-core/store/parse-xml.ts";
import { scanXml } from "../../../admin-core/store/scan-xml.ts";
import { chooseSeed, Random } from "../../policy-cli/core/random.ts";
import { bigStore, randomStore } from "./random.ts";
import { EXAMPLE, MINIMAL, write } from "./stage.ts";

for (const [title, text] of [
	["the example", EXAMPLE],
	["the minimal document", MINIMAL],
	["a big store", write(bigStore(20))],
	[
		"comments, entities and letters that are not ASCII",
		'<!-- a > b -->\n<q e="&lt;é&quot;\'>">ä&amp;<!-- - -->\n</q>\n<!-- c -->\n',
	],
] as const) {
	test(`scanned in the quick way: ${title}`, (t) => {
		t.not(scanXml(text), null);
		t.deepEqual(scanXml(text), parseXml({ file: "f", text }));
	});
}

for (const text of [
	...[
		"",
		" ",
		"<!-- -->",
		"<a>",
		"</a>",
		"<a></b>",
		"<a/><b/>",
		"<a/>x",
		"x<a/>",
		"<a/>&amp;",
		"<a b='1'/>",
		'<a b="1" b="2"/>',
		'<a b="1"c="2"/>',
		'<a b="<"/>',
	],
	...[
		'<a b="\t"/>',
		"<a>\r</a>",
		"<a>&#9;</a>",
		"<a>&x;</a>",
		'<a b="&"/>',
		"<a>]]></a>",
		"<a><![CDATA[x]]></a>",
		"<?xml version='1.0'?><a/>",
		"<!DOCTYPE a><a/>",
	],
	...[
		"<a><!-- -- --></a>",
		"<a><!-- --->",
		"<a>\u0001</a>",
		"<a>😀</a>",
		"<é/>",
		"< a/>",
		"<a / >",
		"<a></a >",
		"<1/>",
		"<a\nb='1'/>",
		"<a><!--",
	],
]) {
	test(`left to the exact one: ${JSON.stringify(text)}`, (t) => {
		t.is(scanXml(text), null);
	});
}

test("of 6000 random and damaged files none is scanned into another tree than the exact one", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	const pieces = [
		"<",
		">",
		"/",
		"/>",
		'"',
		"'",
		"&",
		"&lt;",
		";",
		"=",
		" ",
		"\n",
		"-",
		"--",
		"<!--",
		"-->",
		"<x>",
		"</x>",
		"<x/>",
		"]]>",
		"<?",
		"é",
		"a",
		':a="1"',
		"!",
	];
	let scanned = 0;
	for (let n = 0; n < 6000; n++) {
		const sound = random.oneIn(2) ? EXAMPLE : write(randomStore(random));
		const at = random.int(sound.length);
		const text = random.oneIn(5) ? sound : sound.slice(0, at) + random.pick(pieces) + sound.slice(at + random.int(4));
		const quick = scanXml(text);
		if (quick === null) continue;
		scanned++;
		t.deepEqual(quick, parseXml({ file: "f", text }));
	}
	t.log(`seed ${seed}: ${scanned} scanned`);
	t.true(scanned > 1000);
});
