// What is written: the canonical form (spec 5.1), which the schema of spec 5.3 accepts, and nothing that could not be read again.
import test from "ava";
import type { DomainData, StoreData } from "../../../admin-core/store/data.ts";
import { chooseSeed, Random } from "../../policy-cli/core/random.ts";
import { xmllint } from "../../support/xmllint.ts";
import { bigStore, randomStore } from "./random.ts";
import { again, EMPTY, EXAMPLE, MINIMAL, read, refusal, write } from "./stage.ts";

const QUBE: DomainData = {
	qid: 1,
	class: "AppVM",
	properties: [["name", "work"]],
	features: [],
	tags: [],
	devices: [],
	volumes: null,
};
const DEVICE = { backend: null, port: "*", identity: "*", mode: "required", options: new Map<string, string>() } as const;

test("loading and saving the example gives the same bytes", (t) => {
	t.is(again(EXAMPLE), EXAMPLE);
});

for (const [title, text] of [
	["the example", EXAMPLE],
	["the minimal document", MINIMAL],
	["the saved example", again(EXAMPLE)],
	["the saved minimal document", again(MINIMAL)],
	["a saved store with 500 qubes", write(bigStore(500))],
] as const) {
	test(`the schema accepts ${title}`, (t) => {
		t.is(xmllint(t, text), "- validates");
	});
}

test("the schema refuses what is no store", (t) => {
	t.regex(xmllint(t, EXAMPLE.replace("label-9", "label-x")), /fails to validate/);
});

test("an empty store has its four parts", (t) => {
	t.is(write(EMPTY), "<qubes>\n  <labels/>\n  <pools/>\n  <properties/>\n  <domains/>\n</qubes>\n");
});

test("labels are sorted by number, qubes by name behind dom0, tags by name, and all else stays in its order", (t) => {
	const label = (index: number) => ({ index, name: `l${index}`, color: "#000000" });
	const domain = (qid: number, name: string): DomainData => ({
		...QUBE,
		qid,
		properties: [
			["z", ""],
			["name", name],
		],
		tags: ["b", "B", "a"],
	});
	const { data } = read(
		write({
			...EMPTY,
			labels: [10, 9, 1].map(label),
			domains: [domain(3, "b"), domain(2, "c"), domain(0, "dom0"), domain(4, "a")],
		}),
	);
	t.deepEqual(
		data.labels.map(({ index }) => index),
		[1, 9, 10],
	);
	t.deepEqual(
		data.domains.map(({ qid }) => qid),
		[0, 4, 3, 2],
	);
	t.deepEqual(data.domains[1]?.tags, ["B", "a", "b"]);
	t.deepEqual(
		data.domains[1]?.properties.map(([name]) => name),
		["z", "name"],
	);
});

test("a device without a backend has no such attribute", (t) => {
	const text = write({ ...EMPTY, domains: [{ ...QUBE, devices: [{ devclass: "pci", devices: [DEVICE] }] }] });
	t.true(text.includes('<device id="*" mode="required" identity="*"/>'), text);
});

function withDomain(part: Partial<DomainData>): StoreData {
	return { ...EMPTY, domains: [{ ...QUBE, ...part }] };
}

const pool = (attributes: { [name: string]: string }, name = "p") => ({
	name,
	driver: "file",
	attributes: new Map(Object.entries(attributes)),
});
const usb = (part: object): StoreData => withDomain({ devices: [{ devclass: "usb", devices: [{ ...DEVICE, ...part }] }] });

for (const [data, message] of [
	[
		withDomain({ features: [["a", "x\u0000"]] }),
		'qubes, domains, domain 1 "work", features, feature "a": XML cannot carry the character U+0000: remove it',
	],
	[
		withDomain({ tags: ["a\u001b"] }),
		'qubes, domains, domain 1 "work", tags, tag "a\\u001b": XML cannot carry the character U+001B: remove it',
	],
	[
		{ ...EMPTY, properties: [["a", "\ud83d"]] },
		'qubes, properties, property "a": XML cannot carry the character U+D83D: remove it',
	],
	[
		{ ...EMPTY, properties: [["a", "\uffff"]] },
		'qubes, properties, property "a": XML cannot carry the character U+FFFF: remove it',
	],
	[
		{
			...EMPTY,
			properties: [
				["a", "1"],
				["a", "2"],
			],
		},
		'qubes, properties, property "a" is there twice: remove one',
	],
	[{ ...EMPTY, properties: [["", "1"]] }, "name is empty: want a text"],
	[{ ...EMPTY, pools: [pool({ "a b": "" })] }, 'pool "p": attribute "a b": want a name that XML allows'],
	[{ ...EMPTY, pools: [pool({ name: "q" })] }, 'pool "p", attribute "name" is there twice: remove one'],
	[{ ...EMPTY, pools: [pool({}), pool({})] }, 'qubes, pools, pool "p" is there twice: remove one'],
	[{ ...EMPTY, labels: [{ index: 1.5, name: "a", color: "#000000" }] }, "label: number 1.5: want 0 or more"],
	[{ ...EMPTY, labels: [{ index: 1, name: "", color: "#000000" }] }, "name of label 1 is empty: want a text"],
	[{ ...EMPTY, labels: [1, 2].map((index) => ({ index, name: "a", color: "#000000" })) }, 'label "a" is there twice: remove one'],
	[{ ...EMPTY, domains: [QUBE, { ...QUBE, qid: 2 }] }, 'qube "work" is there twice: remove one'],
	[{ ...EMPTY, domains: [QUBE, { ...QUBE, properties: [["name", "b"]] }] }, 'domain id "1" is there twice: remove one'],
	[withDomain({ properties: [] }), "name of domain-1 is empty: want a text"],
	[withDomain({ class: "" }), "class is empty: want a text"],
	[withDomain({ qid: -1 }), "domain: number -1: want 0 or more"],
	[withDomain({ volumes: [new Map([["pool", "a"]])] }), "name of a volume is empty: want a text"],
	[
		withDomain({
			devices: [
				{ devclass: "usb", devices: [] },
				{ devclass: "usb", devices: [] },
			],
		}),
		'qubes, domains, domain 1 "work", devices "usb" is there twice: remove one',
	],
	[
		withDomain({ devices: [{ devclass: "usb", devices: [DEVICE, DEVICE] }] }),
		'qubes, domains, domain 1 "work", devices "usb", device "" "*" "*" is there twice: remove one',
	],
	[usb({ mode: "manual" }), 'device "" "*" "*": mode "manual": want required, auto-attach, ask-to-attach'],
	[usb({ backend: "*" }), 'device "*" "*" "*": backend "*": want null for none'],
	[usb({ options: new Map([["identity", "x"]]) }), 'device "" "*" "*": option identity: want it as the identity of the device'],
] as const) {
	test(`cannot be saved: ${message}`, (t) => {
		t.is(
			refusal(t, () => write(data as StoreData)),
			`unsavable ${message}`,
		);
	});
}

test("2000 random stores are read as they were written", (t) => {
	const seed = chooseSeed();
	t.log(`seed ${seed}`);
	const random = new Random(seed);
	for (let n = 0; n < 2000; n++) {
		const data = randomStore(random);
		const text = write(data);
		const found = read(text);
		t.deepEqual(found.data, data);
		t.deepEqual(found.warnings, []);
		if (again(text) !== text) t.fail(`written in another way the second time:\n${text}`);
	}
});

test("a file damaged at any place is read or refused, and what is read is written the same way twice", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	const pieces = [
		"<",
		">",
		"/",
		'"',
		"&",
		"&lt;",
		"<x>",
		"</x>",
		"<x/>",
		"<!-- x -->",
		"<![CDATA[",
		"]]>",
		"<!DOCTYPE q [",
		"<?p?>",
		"é",
		"\r\n",
		"name",
		"<tags>",
		"<label/>",
	];
	let sound = 0;
	for (let n = 0; n < 3000; n++) {
		const at = random.int(EXAMPLE.length);
		const damaged = EXAMPLE.slice(0, at) + random.pick(pieces) + (random.oneIn(4) ? "" : EXAMPLE.slice(at + random.int(3)));
		try {
			read(damaged);
		} catch {
			refusal(t, () => read(damaged));
			continue;
		}
		sound++;
		t.is(again(again(damaged)), again(damaged));
	}
	t.log(`seed ${seed}: ${sound} could be read`);
	t.true(sound > 100);
});
