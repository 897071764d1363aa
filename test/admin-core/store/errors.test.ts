// Each way in which a file is no store, with its place; and that the page for administrators knows them all.
import fs from "node:fs";
import test from "ava";
import { STORE_ERROR_KINDS } from "../../../admin-core/store/errors.ts";
import { StoreFile } from "../../../admin-core/store/store-file.ts";
import { makeStore, read, refusal, refusalOf, withQube } from "./stage.ts";

function inLabels(label: string): string {
	return `<qubes>\n  <labels>\n    ${label}\n  </labels>\n</qubes>`;
}

function domains(...list: string[]): string {
	return `<qubes>\n<domains>\n${list.join("\n")}\n</domains>\n</qubes>`;
}

function qube(id: string, name: string): string {
	return `<domain id="${id}" class="AppVM"><properties><property name="name">${name}</property></properties></domain>`;
}

const RED = '<label id="label-1" color="0xcc0000">red</label>';

for (const [title, xml, message] of [
	["an empty file", "", "malformed qubes.xml:1:1: not well-formed XML: document must contain a root element"],
	["white space only", " \n ", "malformed qubes.xml:2:1: not well-formed XML: document must contain a root element"],
	[
		"a file cut off in an element",
		"<qubes>\n  <labels>\n",
		"malformed qubes.xml:2:11: not well-formed XML: unclosed tag: labels",
	],
	["a file cut off in a tag", '<qubes>\n  <labels a="', "malformed qubes.xml:2:13: not well-formed XML: unclosed tag: qubes"],
	[
		"a file cut off in a document type",
		"<!DOCTYPE qubes [<",
		"malformed qubes.xml:1:18: not well-formed XML: document must contain a root element",
	],
	[
		"an end tag of another element",
		"<qubes>\n <a></b></qubes>",
		"malformed qubes.xml:2:8: not well-formed XML: unexpected close tag",
	],
	[
		"an unknown entity",
		"<qubes>\n<labels>é&x;</labels></qubes>",
		"malformed qubes.xml:2:12: not well-formed XML: undefined entity",
	],
	["the same attribute twice", "<qubes a='1' a='2'/>", "malformed qubes.xml:1:20: not well-formed XML: duplicate attribute: a"],
	["a control character", "<qubes>\u0001</qubes>", "malformed qubes.xml:1:8: not well-formed XML: disallowed character"],
	["two roots", "<qubes/>\n<qubes/>", "malformed qubes.xml:2:7: not well-formed XML: documents may contain only one root"],
	[
		"a document type that declares entities",
		'\n<!DOCTYPE qubes [<!ENTITY a "aa">]><qubes>&a;</qubes>',
		"malformed qubes.xml:2:1: document type with declarations in it: remove everything from <!DOCTYPE to its last >",
	],
	["another XML", '<?xml version="1.1"?><qubes/>', "malformed qubes.xml:1:1: XML version 1.1: want 1.0"],
	["another encoding", '<?xml version="1.0" encoding="latin1"?><qubes/>', "malformed qubes.xml:1:1: encoding latin1: want UTF-8"],
	["another root", "\n <cubes/>", "invalid qubes.xml:2:2: root element <cubes>: want <qubes>"],
	[
		"a label without id",
		inLabels('<label color="0xcc0000">red</label>'),
		'invalid qubes.xml:3:5: <label> without id: add id="…"',
	],
	[
		"a label with a bad id",
		inLabels('<label id="label-x" color="0xcc0000">red</label>'),
		'invalid qubes.xml:3:5: invalid id "label-x" of <label>: want label-N, N a number',
	],
	[
		"a label with an id of another kind",
		inLabels('<label id="1" color="0xcc0000">red</label>'),
		'invalid qubes.xml:3:5: invalid id "1" of <label>: want label-N, N a number',
	],
	[
		"a label with an id too large",
		inLabels('<label id="label-99999999999999999" color="0xcc0000">red</label>'),
		'invalid qubes.xml:3:5: invalid id "label-99999999999999999" of <label>: want label-N, N a number',
	],
	[
		"a label without colour",
		inLabels('<label id="label-1">red</label>'),
		'invalid qubes.xml:3:5: <label> without color: add color="…"',
	],
	[
		"a label without name",
		inLabels('<label id="label-1" color="0xcc0000"/>'),
		"invalid qubes.xml:3:5: label 1 without a name: want <label …>NAME</label>",
	],
	[
		"two labels with one id",
		inLabels(`${RED}\n${RED.replace("red", "blue")}`),
		"invalid qubes.xml:4:1: label-1 is there twice: remove one",
	],
	[
		"two labels with one name",
		inLabels(`${RED}\n${RED.replace("-1", "-2")}`),
		'invalid qubes.xml:4:1: label "red" is there twice: rename one',
	],
	[
		"a pool without name",
		'<qubes><pools><pool driver="file"/></pools></qubes>',
		'invalid qubes.xml:1:15: <pool> without name: add name="…"',
	],
	[
		"a pool without driver",
		'<qubes><pools><pool name="a"/></pools></qubes>',
		'invalid qubes.xml:1:15: <pool> without driver: add driver="…"',
	],
	[
		"two pools with one name",
		'<qubes><pools><pool name="a" driver="x"/>\n<pool name="a" driver="y"/></pools></qubes>',
		'invalid qubes.xml:2:1: pool "a" is there twice: remove one',
	],
	[
		"a property without name",
		"<qubes><properties>\n<property>x</property></properties></qubes>",
		'invalid qubes.xml:2:1: <property> without name: add name="…"',
	],
	["a qube without id", domains('<domain class="AppVM"/>'), 'invalid qubes.xml:3:1: <domain> without id: add id="…"'],
	[
		"a qube with a bad id",
		domains(qube("domain--1", "a")),
		'invalid qubes.xml:3:1: invalid id "domain--1" of <domain>: want domain-N, N a number',
	],
	["a qube without class", domains('<domain id="domain-1"/>'), 'invalid qubes.xml:3:1: <domain> without class: add class="…"'],
	[
		"a qube without name",
		domains('<domain id="domain-1" class="AppVM"/>'),
		'invalid qubes.xml:3:1: domain-1 without a name: add <property name="name">NAME</property>',
	],
	[
		"two qubes with one name",
		domains(qube("domain-1", "a"), qube("domain-2", "a")),
		'invalid qubes.xml:4:1: qube "a" is there twice: rename one',
	],
	[
		"a qube with the name of dom0",
		domains('<domain id="domain-0" class="AdminVM"/>', qube("domain-2", "dom0")),
		'invalid qubes.xml:4:1: qube "dom0" is there twice: rename one',
	],
	[
		"two qubes with one id",
		domains(qube("domain-1", "a"), qube("domain-01", "b")),
		"invalid qubes.xml:4:1: domain-1 is there twice: give one another id",
	],
	[
		"a feature without name",
		withQube("\n<features><feature/></features>"),
		'invalid qubes.xml:2:11: <feature> without name: add name="…"',
	],
	["a tag without name", withQube("\n<tags><tag/></tags>"), 'invalid qubes.xml:2:7: <tag> without name: add name="…"'],
	["devices without class", withQube("\n<devices/>"), 'invalid qubes.xml:2:1: <devices> without class: add class="…"'],
	[
		"an option without name",
		withQube('\n<devices class="pci"><device><option/></device></devices>'),
		'invalid qubes.xml:2:30: <option> without name: add name="…"',
	],
	[
		"a volume without name",
		withQube("\n<volume-config><volume/></volume-config>"),
		'invalid qubes.xml:2:16: <volume> without name: add name="…"',
	],
	[
		"a name with a line end in a message",
		domains(qube("domain-1&#10;", "a")),
		'invalid qubes.xml:3:1: invalid id "domain-1\\n" of <domain>: want domain-N, N a number',
	],
] as const) {
	test(`refused with its place: ${title}`, (t) => {
		t.is(
			refusal(t, () => read(xml)),
			message,
		);
	});
}

test("refused with its place: bytes that are not UTF-8", async (t) => {
	const { file } = makeStore(t);
	fs.writeFileSync(file, Buffer.concat([Buffer.from("<qubes>\n<!-- é"), Buffer.from([0xe9]), Buffer.from(" --></qubes>")]));
	const store = await StoreFile.open(file);
	const message = `malformed ${file}:2:7: bytes that are no UTF-8: want UTF-8; there is no backup that can be read`;
	t.is(await refusalOf(t, store.load()), message);
	await store.close();
});

test("docs/store.md tells what each kind of error means", (t) => {
	const page = fs.readFileSync("docs/store.md", "utf8");
	for (const kind of Object.keys(STORE_ERROR_KINDS)) t.true(page.includes(`| \`${kind}\``), kind);
});
