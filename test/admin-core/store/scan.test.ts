// The quick way to the tree of a file gives what the exact one gives, or nothing.
import test from "ava";
import { StoreError } from "../../../admin-core/store/errors.ts";
import { parseXml } from "../../../admin-core/store/parse-xml.ts";
import { type ReadStore, readExactly, readStore } from "../../../admin-core/store/read-store.ts";
import { scanQube } from "../../../admin-core/store/scan-qube.ts";
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

const DAMAGE = [
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

test("of 6000 random and damaged files none is scanned into another tree than the exact one", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	let scanned = 0;
	for (let n = 0; n < 6000; n++) {
		const sound = random.oneIn(2) ? EXAMPLE : write(randomStore(random));
		const at = random.int(sound.length);
		const text = random.oneIn(5) ? sound : sound.slice(0, at) + random.pick(DAMAGE) + sound.slice(at + random.int(4));
		const quick = scanXml(text);
		if (quick === null) continue;
		scanned++;
		t.deepEqual(quick, parseXml({ file: "f", text }));
	}
	t.log(`seed ${seed}: ${scanned} scanned`);
	t.true(scanned > 1000);
});

test("a qube that is written as we write it is read without a tree, one with anything else in it is not", (t) => {
	const text = write(bigStore(3));
	const start = text.indexOf('<domain id="domain-2"');
	const end = text.indexOf("</domain>", start) + "</domain>".length;
	t.deepEqual(scanQube(text, start), { domain: bigStore(3).domains[2], end });
	const places = [...text.slice(start, end).matchAll(/[<>"=\n]/g)].map(({ index }) => start + index);
	for (const at of places) t.is(scanQube(`${text.slice(0, at)}é${text.slice(at)}`, start), null, text.slice(at - 20, at));
});

for (const [title, from, to] of [
	["a name that is there twice", '"service.feature-1"', '"service.feature-2"'],
	["a tag that is there twice", '"created-by-dom0"', '"work"'],
	["a device that is there twice", "00_11.0", "00_12.0"],
	["a volume that is there twice", 'name="root"', 'name="private"'],
	["a volume without a name", 'name="root" ', ""],
	["an attribute that is there twice", 'rw="True"', 'pool="b"'],
	["a backend that is any", 'backend-domain="dom0"', 'backend-domain="*"'],
	["an identity among the options", '"no-strict-reset"', '"identity"'],
	["an unknown mode", '"required"', '"manual"'],
	["no name", 'name="name"', 'name="nome"'],
	["a number that is written in another way", '"domain-2"', '"domain-02"'],
	["a list that is empty but open", /<tags>[\s\S]*?<\/tags>/, "<tags>\n      </tags>"],
	["a part that is missing", /<tags>[\s\S]*?<\/tags>\n {6}/, ""],
	["an entity", ">qube-0002<", ">qube&amp;2<"],
	["a comment", "<tags>", "<tags><!-- x -->"],
] as const) {
	test(`a qube with ${title} is left to the other readers`, (t) => {
		const text = write(bigStore(3));
		const start = text.indexOf('<domain id="domain-2"');
		const changed = text.slice(0, start) + text.slice(start).replace(from, to);
		t.not(changed, text);
		t.is(scanQube(changed, start), null);
	});
}

test("of 3000 stores that are damaged none is read in another way than exactly", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	let read = 0;
	for (let n = 0; n < 3000; n++) {
		const sound = write(random.oneIn(2) ? randomStore(random) : bigStore(2));
		const at = random.int(sound.length);
		const text = random.oneIn(9) ? sound : sound.slice(0, at) + random.pick(DAMAGE) + sound.slice(at + random.int(4));
		const [quick, exact] = [readStore, readExactly].map((reader) => outcome(() => reader({ file: "f", text })));
		t.deepEqual(quick, exact);
		if (typeof exact !== "string") read++;
	}
	t.log(`seed ${seed}: ${read} could be read`);
	t.true(read > 300);
});

/** What is read; of errors only that there is one, as each way may find another one first. */
function outcome(step: () => ReadStore): ReadStore | string {
	try {
		return step();
	} catch (error) {
		if (error instanceof StoreError) return "refused";
		throw error;
	}
}
