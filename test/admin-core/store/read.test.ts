// What the reader makes of a file (spec 4.5, 5.1).
import test from "ava";
import type { DeviceData } from "../../../admin-core/store/data.ts";
import { again, EXAMPLE, MINIMAL, read, withQube } from "./stage.ts";

const ANY: DeviceData = { backend: "sys-usb", port: "sda", identity: "*", mode: "required", options: new Map() };

/** The devices of class block that are read from this, and the warnings. */
function devices(content: string): { devices: readonly DeviceData[]; warnings: readonly string[] } {
	const { data, warnings } = read(withQube(`<devices class="block">${content}</devices>`));
	return { devices: data.domains[0]?.devices[0]?.devices ?? [], warnings };
}

test("the example of the specification is read, part by part", (t) => {
	const { data, warnings } = read(EXAMPLE);
	t.deepEqual(warnings, []);
	t.deepEqual(data.labels[2], { index: 9, name: "pink", color: "0xff00ff" });
	t.deepEqual(data.pools[1], {
		name: "linux-kernel",
		driver: "linux-kernel",
		attributes: new Map([["dir_path", "/var/lib/qubes/vm-kernels"]]),
	});
	t.deepEqual(data.properties[1], ["default_netvm", "sys-net"]);
	const [dom0, base, net] = data.domains;
	t.deepEqual(dom0, {
		qid: 0,
		class: "AdminVM",
		properties: [["label", "black"]],
		features: [["suspend-s0ix", ""]],
		tags: [],
		devices: [],
		volumes: null,
	});
	t.deepEqual([...(base?.volumes?.[0] ?? [])].slice(0, 3), [
		["name", "root"],
		["pool", "varlibqubes"],
		["vid", "vm-templates/base/root"],
	]);
	t.deepEqual(net?.properties.at(-1), ["netvm", ""]);
	t.deepEqual(net?.tags, ["created-by-dom0"]);
	t.deepEqual(net?.volumes, []);
	t.deepEqual(net?.devices, [
		{
			devclass: "block",
			devices: [{ backend: "dom0", port: "sdb1", identity: "*", mode: "auto-attach", options: new Map([["read-only", "yes"]]) }],
		},
	]);
});

test("the minimal document is read: another order, references, no pools", (t) => {
	const { data } = read(MINIMAL);
	t.deepEqual(data.labels, [{ index: 1, name: "red", color: "#cc0000" }]);
	t.deepEqual(data.pools, []);
	t.deepEqual(data.domains[0]?.properties, [["label", "label-1"]]);
	t.is(data.domains[0]?.devices[0]?.devices[0]?.options.get("no-strict-reset"), "True");
});

test("an empty root is a store without anything", (t) => {
	t.deepEqual(read("<qubes/>").data, { labels: [], pools: [], properties: [], domains: [] });
});

test("a reference that is not empty wins over the text, an empty one does not", (t) => {
	const { data } = read(
		'<qubes><properties><property name="a" ref="r">t</property><property name="b" ref="">t</property></properties></qubes>',
	);
	t.deepEqual(data.properties, [
		["a", "r"],
		["b", "t"],
	]);
});

test("the grey of old releases is read as that of new ones", (t) => {
	t.is(
		read('<qubes><labels><label id="label-5" color="0x555753">gray</label></labels></qubes>').data.labels[0]?.color,
		"0x555555",
	);
});

test("text is what XML says it is: entities, CDATA, line ends, and no more trimming than that", (t) => {
	const text = read(
		'<qubes><properties><property name="a"> &lt;&#9;<![CDATA[&b]]>\r\nc\r&#13;&#x1f600; </property></properties></qubes>',
	);
	t.deepEqual(text.data.properties, [["a", " <\t&b\nc\n\r😀 "]]);
});

for (const [title, xml, wanted] of [
	[
		"an option is a child with a name, an empty one is the empty text",
		'<device backend-domain="sys-usb" id="sda"><option name="a">1</option><option name="b"/></device>',
		{ options: new Map(Object.entries({ a: "1", b: "" })) },
	],
	[
		"the older options element is read",
		'<device backend-domain="sys-usb" id="sda"><options b="1" a="2"/></device>',
		{ options: new Map(Object.entries({ b: "1", a: "2" })) },
	],
	[
		"an option named identity is the identity, whatever the attribute says",
		'<device backend-domain="sys-usb" id="sda" identity="x"><option name="identity">y</option><option name="a">1</option></device>',
		{ identity: "y", options: new Map([["a", "1"]]) },
	],
	[
		"an identity among the older options counts too",
		'<device backend-domain="sys-usb" id="sda"><options identity="y"/></device>',
		{ identity: "y" },
	],
	["without an id the port is any", '<device backend-domain="sys-usb"/>', { port: "*" }],
	["without a backend there is none", '<device id="sda"/>', { backend: null }],
	["an empty backend is none", '<device backend-domain="" id="sda"/>', { backend: null }],
	["a star as backend is none", '<device backend-domain="*" id="sda"/>', { backend: null }],
	["without a mode the device is required", '<device backend-domain="sys-usb" id="sda"/>', {}],
	[
		"required=yes of old is the mode required",
		'<device backend-domain="sys-usb" id="sda" required="Yes" mode="auto-attach"/>',
		{},
	],
	["required=no of old is auto-attach", '<device backend-domain="sys-usb" id="sda" required="False"/>', { mode: "auto-attach" }],
	["ask-to-attach is a mode", '<device backend-domain="sys-usb" id="sda" mode="ask-to-attach"/>', { mode: "ask-to-attach" }],
] as const) {
	test(`device: ${title}`, (t) => {
		const found = devices(xml);
		t.deepEqual(found, { devices: [{ ...ANY, ...wanted }], warnings: [] });
		t.deepEqual(
			read(again(withQube(`<devices class="block">${xml}</devices>`))).data.domains[0]?.devices[0]?.devices,
			found.devices,
		);
	});
}

for (const [title, xml, warning] of [
	["manual", '<device id="a" mode="manual"/>', 'mode "manual" of a device: want required, auto-attach, ask-to-attach'],
	[
		"an unknown mode",
		'<device id="a" mode="later"><option name="x">1</option></device>',
		'mode "later" of a device: want required, auto-attach, ask-to-attach',
	],
	["required that is no boolean", '<device id="a" required="maybe"/>', 'required "maybe" of a device: want yes or no'],
	[
		"old options with text in them",
		'<device id="a"><options x="1">?</options></device>',
		"<options> of a device with something in it: want attributes only",
	],
	[
		"old options with a child",
		'<device id="a"><options><x/></options></device>',
		"<options> of a device with something in it: want attributes only",
	],
] as const) {
	test(`device: ${title} is not used, but kept as it is, with a warning`, (t) => {
		const found = devices(`\n${xml}`);
		t.deepEqual(found, { devices: [], warnings: [`qubes.xml:2:1: ${warning}: not used, but kept as it is`] });
		t.true(again(withQube(`<devices class="block">\n${xml}</devices>`)).includes(xml));
	});
}

for (const [what, key, xml] of [
	["property", 'property "a"', '<properties><property name="a">1</property><property name="a">2</property></properties>'],
	["feature", 'feature "a"', '<features><feature name="a">1</feature>\n<feature name="a">2</feature></features>'],
	["tag", 'tag "a"', '<tags><tag name="a"/><tag name="a" x="2"/></tags>'],
	[
		"device",
		'device "" "*" "*"',
		'<devices class="pci"><device mode="auto-attach"/><device><option name="2"/></device></devices>',
	],
	[
		"option",
		'option "a"',
		'<devices class="pci"><device><option name="a">1</option><option name="a">2</option></device></devices>',
	],
	["old option", 'option "a"', '<devices class="pci"><device><option name="a">1</option><options a="2"/></device></devices>'],
	["volume", 'volume "a"', '<volume-config><volume name="a" pool="1"/><volume name="a" pool="2"/></volume-config>'],
] as const) {
	test(`of a ${what} that is there twice the first counts, the other is gone with the next save, with a warning`, (t) => {
		const xmls = withQube(xml);
		const { warnings } = read(xmls);
		t.regex(
			warnings.join("\n"),
			new RegExp(`^qubes.xml:[12]:[0-9]+: ${key.replaceAll("*", "\\*")} is there twice: the first is kept$`),
		);
		t.notRegex(again(xmls), /"2"|>2</);
		t.deepEqual(read(again(xmls)).warnings, []);
	});
}

test("parts that are there twice are read as one", (t) => {
	const { data } = read(
		withQube(
			'<tags><tag name="b"/></tags><devices class="pci"/><tags><tag name="a"/></tags><devices class="usb"/><devices class="pci"><device/></devices>',
		),
	);
	t.deepEqual(data.domains[0]?.tags, ["b", "a"]);
	t.deepEqual(
		data.domains[0]?.devices.map(({ devclass, devices }) => [devclass, devices.length]),
		[
			["pci", 1],
			["usb", 0],
		],
	);
});

test("an XML declaration and a document type without declarations do not matter", (t) => {
	const { data } = read('<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE qubes SYSTEM "a[b].dtd">\n<qubes/>');
	t.deepEqual(data.domains, []);
});
