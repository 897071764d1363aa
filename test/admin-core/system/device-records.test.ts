// Assigned devices between model and store: spec/admin-core.md 4.5, 12.
import test from "ava";
import type { App } from "../../../admin-core/model/app.ts";
import type { DomainData } from "../../../admin-core/store/data.ts";
import { describeApp } from "../../../admin-core/system/describe-app.ts";
import { loadApp } from "../../../admin-core/system/load-app.ts";
import { xmllint } from "../../support/xmllint.ts";
import { deviceOf, local } from "../model/devices/dock.ts";
import { read, write } from "../store/stage.ts";

function qube(qid: number, name: string, more = ""): string {
	const texts = Object.entries({ label: "red", name, qid, uuid: `4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a90${qid}`, netvm: "" })
		.map(([property, text]) => `        <property name="${property}">${text}</property>\n`)
		.join("");
	return `    <domain id="domain-${qid}" class="StandaloneVM">
      <properties>
${texts}      </properties>
      <features/>
      <tags/>
${more}      <volume-config/>
    </domain>
`;
}

/** A store with `disks`, `sys-usb` and `work`, in which work has these devices. */
function store(devices: string): string {
	return `<qubes>
  <labels>
    <label id="label-1" color="0xcc0000">red</label>
  </labels>
  <pools/>
  <properties/>
  <domains>
    <domain id="domain-0" class="AdminVM">
      <properties/>
      <features/>
      <tags/>
    </domain>
${qube(2, "disks")}${qube(3, "sys-usb")}${qube(1, "work", devices)}  </domains>
</qubes>
`;
}

/** The app of a store, and how it is saved. */
function open(devices: string): { app: App; save: () => string } {
	const { data, residue } = read(store(devices));
	const loaded = loadApp(data, { deviceClasses: ["block", "pci", "usb"] });
	return { app: loaded.app, save: () => write(describeApp(loaded), residue) };
}

const device = (backend: string, port: string, mode = "required", identity = "*", content = ""): string => {
	const start = `        <device backend-domain="${backend}" id="${port}" mode="${mode}" identity="${identity}"`;
	return content === "" ? `${start}/>\n` : `${start}>\n${content}        </device>\n`;
};
const option = (name: string, value: string): string => `          <option name="${name}">${value}</option>\n`;
const group = (devclass: string, ...devices: readonly string[]): string =>
	devices.length === 0
		? `      <devices class="${devclass}"/>\n`
		: `      <devices class="${devclass}">\n${devices.join("")}      </devices>\n`;

test("what was loaded is assigned, and saved as it was", (t) => {
	const sda = device("disks", "sda", "auto-attach", "a:b", option("read-only", "yes") + option("empty", ""));
	const devices =
		group("usb", device("sys-usb", "1-2", "ask-to-attach")) +
		group("pci") +
		group("block", sda, device("dom0", "*", "required", "x"));
	const { app, save } = open(devices);
	const work = local(app, "work").devices;
	t.deepEqual(
		work
			.all()
			.flatMap((one) =>
				one.assigned().map(({ mode, device, options }) => `${mode} ${device.wireName} ${[...options].join(" ")}`),
			),
		["auto-attach disks:sda:a:b read-only,yes empty,", "required dom0:*:x ", "ask-to-attach sys-usb:1-2:* "],
	);
	t.is(save(), store(devices));
	t.is(xmllint(t, save()), "- validates");
});

test("what is changed keeps its place, what is taken back goes, what is new comes last", async (t) => {
	const [a, b, c] = ["sda", "sdb", "sdc"].map((port) => device("disks", port, "required", "*", option("o", port))) as [
		string,
		string,
		string,
	];
	const { app, save } = open(group("usb", device("sys-usb", "1")) + group("block", a, b, c));
	const work = local(app, "work").devices;
	const disks = app.qube("disks");
	await work.of("block").updateAssignment(deviceOf(disks, "sdb"), "auto-attach");
	await work.of("block").unassign(deviceOf(disks, "sda"));
	await work.of("block").assign(deviceOf(disks, "sdd", "x"), "ask-to-attach", new Map([["read-only", "yes"]]));
	await work.of("usb").unassign(deviceOf(app.qube("sys-usb"), "1", "*", "usb"));
	await work.of("pci").assign(deviceOf(app.qube("dom0"), "00_1f.2", "*", "pci"), "required", new Map());
	const wanted =
		group("usb") +
		group(
			"block",
			b.replace("required", "auto-attach"),
			c,
			device("disks", "sdd", "ask-to-attach", "x", option("read-only", "yes")),
		) +
		group("pci", device("dom0", "00_1f.2"));
	t.is(save(), store(wanted));
	t.is(xmllint(t, save()), "- validates");
});

test("a class that was only looked at is not in the store, one that was used is, though empty", async (t) => {
	const { app, save } = open("");
	const work = local(app, "work").devices;
	for (const collection of work.all())
		t.deepEqual([collection.assigned(), collection.attached(), collection.available()], [[], [], []]);
	t.is(save(), store(""));
	const sda = deviceOf(app.qube("disks"), "sda");
	await work.of("block").assign(sda, "required", new Map());
	await work.of("block").unassign(sda);
	t.is(save(), store(group("block")));
});

test("what cannot be used is not assigned, and stays in its place", async (t) => {
	const strange =
		group("floppy", device("disks", "fd0", "required", "*", option("UP", "1"))) +
		group(
			"block",
			device("gone", "sda", "required", "*", option("o", "1")),
			device("disks", "sda"),
			device("gone", "sdb"),
			device("disks", "sdb"),
			`        <device backend-domain="disks" id="sdc" mode="manual"/>\n`,
			device("disks", "sdd"),
		);
	const { app, save } = open(strange);
	const blocks = local(app, "work").devices.of("block");
	t.deepEqual(
		blocks.assigned().map(({ device }) => device.wireName),
		["disks:sda:*", "disks:sdb:*", "disks:sdd:*"],
	);
	t.is(save(), store(strange));
	await blocks.unassign(deviceOf(app.qube("disks"), "sdb"));
	t.is(save(), store(strange.replace(device("disks", "sdb"), "")));
});

test("what is there twice is used once, the first", (t) => {
	const twice = device("disks", "sda", "auto-attach") + device("disks", "sda");
	t.is(open(group("block", twice)).save(), store(group("block", device("disks", "sda", "auto-attach"))));
});

test("what is kept gives way to an assignment in the same words", async (t) => {
	const { app, save } = open(group("block", device("gone", "sda"), device("disks", "sdb")));
	const gone = app.create("StandaloneVM", [
		["name", "gone"],
		["label", "red"],
		["netvm", null],
	]);
	t.deepEqual(local(app, "work").devices.of("block").assigned().length, 1, "a new qube is not the one that was meant");
	await local(app, "work").devices.of("block").assign(deviceOf(gone, "sda"), "auto-attach", new Map());
	t.true(save().includes(group("block", device("gone", "sda", "auto-attach"), device("disks", "sdb"))));
});

test("an assignment without a backend, and options that no client could give, are used and kept", (t) => {
	const odd = group(
		"block",
		device("", "sda", "required", "*", option("UP", "1") + option("bad/name", "ä\n")).replace(' backend-domain=""', ""),
	);
	const { app, save } = open(odd);
	const [assignment] = local(app, "work").devices.of("block").assigned();
	t.is(assignment?.device.wireName, "*:sda:*");
	t.deepEqual(assignment?.options, new Map(Object.entries({ UP: "1", "bad/name": "ä\n" })));
	t.is(save(), store(odd));
});

test("devices of a RemoteVM are kept as they are", (t) => {
	const { data } = read(store(group("block", device("disks", "sda"))));
	const own = (one: DomainData) => one.properties.filter(([name]) => name !== "netvm");
	const domains = data.domains.map((one) => (one.qid === 1 ? { ...one, class: "RemoteVM", properties: own(one) } : one));
	const loaded = loadApp({ ...data, domains }, { deviceClasses: ["block"] });
	t.is(loaded.app.qube("work").klass, "RemoteVM");
	t.deepEqual(describeApp(loaded).domains[3]?.devices, data.domains[3]?.devices);
});

test("a qube whose device is assigned to another one, or kept for it, is not removed; its own and those of qubes that were not there do not matter", async (t) => {
	const used = { kind: "QubesVMInUseError", message: "a device of disks is assigned to work" };
	const { app } = open(group("block", device("disks", "sda"), device("gone", "sda"), device("work", "sdb")));
	const disks = app.qube("disks");
	t.like(
		t.throws(() => app.remove(disks)),
		used,
	);
	await local(app, "work").devices.of("block").unassign(deviceOf(disks, "sda"));
	app.remove(disks);
	const gone = app.create("StandaloneVM", [
		["name", "gone"],
		["label", "red"],
		["netvm", null],
	]);
	app.remove(gone);
	app.remove(app.qube("work"));
	const kept = open(group("floppy", device("disks", "fd0"))).app;
	t.like(
		t.throws(() => kept.remove(kept.qube("disks"))),
		used,
	);
});
