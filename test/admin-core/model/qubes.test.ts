// Qubes and the app: spec/admin-core.md 3.7, 3.8, 3.9.
import fs from "node:fs";
import test from "ava";
import { App } from "../../../admin-core/model/app.ts";
import { QUBE_CLASSES } from "../../../admin-core/model/qubes/qube.ts";
import { addQube, makeHouse, makeKernels } from "./house.ts";

const kernels = makeKernels();
test.after.always(() => fs.rmSync(kernels, { recursive: true }));

test("qubes are listed with dom0 first, then by name", (t) => {
	t.deepEqual(
		makeHouse()
			.qubes()
			.map(({ name }) => name),
		["dom0", "base", "disp1", "dvm", "sys-net", "vault", "work"],
	);
});

test("a qube is found by its name and by its uuid", (t) => {
	const app = makeHouse();
	const work = app.qube("work");
	t.is(app.qube(`uuid:${work.uuid}`), work);
	t.is(app.qube("uuid:00000000-0000-0000-0000-000000000000"), app.qube("dom0"));
	for (const [name, kind] of [
		["nosuch", "QubesVMNotFoundError"],
		["uuid:x", "QubesVMInvalidUUIDError"],
		["uuid:11111111-1111-4111-8111-111111111111", "QubesVMNotFoundError"],
		["-x", "QubesValueError"],
		["", "QubesValueError"],
		["a b", "QubesValueError"],
	] as const) {
		t.like(
			t.throws(() => app.qube(name)),
			{ kind },
			name,
		);
	}
});

for (const [name, message] of [
	["x".repeat(32), "VM name must be shorter than 32 characters"],
	["1a", "VM name cannot start with hyphen, underscore, dot or numbers"],
	["aä", "VM name contains illegal characters"],
	["a\n", "VM name contains illegal characters"],
	["Domain-0", "VM name cannot be 'Domain-0'"],
	["none", "VM name cannot be 'none' nor 'default'"],
	["default", "VM name cannot be 'none' nor 'default'"],
	["a-dm", "VM name cannot end with -dm"],
] as const) {
	test(`${JSON.stringify(name)} is no name of a qube`, (t) => {
		const app = makeHouse();
		t.like(
			t.throws(() => addQube(app, "AppVM", name)),
			{ kind: "QubesValueError", message },
		);
	});
}

test("name, number and uuid are taken once", (t) => {
	const app = makeHouse();
	const { qid, uuid } = app.qube("work");
	for (const properties of [{ name: "work" }, { qid }, { uuid }]) {
		t.like(
			t.throws(() => addQube(app, "AppVM", "new", properties)),
			{ kind: "QubesVMAlreadyExistsError" },
		);
	}
});

for (const [name, property, value] of [
	["work", "memory", 400],
	["work", "virt_mode", "pvh"],
	["work", "default_user", "user"],
	["work", "netvm", "sys-net"],
	["work", "guivm", "dom0"],
	["work", "include_in_backups", true],
	["disp1", "include_in_backups", true],
	["work", "updateable", false],
	["base", "updateable", true],
	["sys-net", "updateable", true],
	["base", "netvm", null],
	["work", "icon", "appvm-red"],
	["base", "icon", "templatevm-black"],
	["dvm", "icon", "templatevm-red"],
	["disp1", "icon", "dispvm-red"],
	["sys-net", "icon", "standalonevm-red"],
	["dom0", "icon", "adminvm-black"],
	["work", "klass", "AppVM"],
	["dom0", "qid", 0],
	["work", "visible_netmask", "255.255.255.255"],
	["vault", "gateway", ""],
	["vault", "ip", null],
	["work", "xid", -1],
	["disp1", "default_dispvm", "dvm"],
	["work", "default_dispvm", null],
	["work", "keyboard_layout", "us++"],
	["disp1", "ip", "10.138.0.1"],
] as const) {
	test(`${property} of ${name} is ${JSON.stringify(value)}`, (t) => {
		const found = makeHouse().qube(name).get(property);
		t.is(typeof found === "object" && found !== null ? found.wireName : found, value);
	});
}

test("what a qube does not set comes from its template, and that from the app", (t) => {
	const app = makeHouse({ kernelsDir: kernels });
	const [work, disp1] = [app.qube("work"), app.qube("disp1")];
	app.qube("base").set("memory", 1000);
	t.is(work.get("memory"), 1000);
	t.is(disp1.get("memory"), 1000);
	app.qube("dvm").set("memory", 700);
	t.is(disp1.get("memory"), 700);
	t.is(work.get("qrexec_timeout"), 60);
	app.set("default_qrexec_timeout", 90);
	t.is(work.get("qrexec_timeout"), 90);
	t.is(work.get("kernel"), null);
	app.set("default_kernel", "6.12.1");
	t.is(work.get("kernel"), "6.12.1");
});

for (const [name, property, value, kind] of [
	["work", "memory", 0, "QubesPropertyValueError"],
	["work", "maxmem", -1, "QubesPropertyValueError"],
	["work", "virt_mode", "xen", "QubesPropertyValueError"],
	["work", "default_user", "a b", "QubesPropertyValueError"],
	["work", "kernelopts", "x".repeat(513), "QubesPropertyValueError"],
	["work", "kernel", "a/b", "QubesPropertyValueError"],
	["work", "kernel", "nosuch", "QubesPropertyValueError"],
	["work", "kernel", "broken", "QubesPropertyValueError"],
	["work", "netvm", "vault", "QubesValueError"],
	["work", "netvm", "nosuch", "QubesPropertyValueError"],
	["work", "template", "vault", "QubesPropertyValueError"],
	["work", "template", "", "QubesPropertyValueError"],
	["disp1", "template", "work", "QubesPropertyValueError"],
	["work", "default_dispvm", "vault", "QubesPropertyValueError"],
	["work", "label", "nosuch", "QubesLabelNotFoundError"],
	["work", "mac", "bad", "QubesValueError"],
	["work", "ip", "1.2.3.256", "QubesValueError"],
	["work", "name", "other", "QubesPropertyValueError"],
	["work", "klass", "TemplateVM", "QubesPropertyValueError"],
	["dom0", "name", "x", "QubesPropertyValueError"],
	["dom0", "maxmem", 5, "QubesPropertyValueError"],
] as const) {
	test(`${property} of ${name} cannot be ${JSON.stringify(value).slice(0, 30)}: ${kind}`, (t) => {
		const qube = makeHouse({ kernelsDir: kernels }).qube(name);
		const before = qube.explicitValues();
		t.like(
			t.throws(() => qube.set(property, value)),
			{ kind },
		);
		t.deepEqual(qube.explicitValues(), before);
	});
}

test("a qube cannot be connected through itself", (t) => {
	const app = makeHouse();
	const firewall = addQube(app, "AppVM", "sys-firewall", { template: "base", provides_network: true, netvm: "sys-net" });
	t.like(
		t.throws(() => app.qube("sys-net").set("netvm", firewall)),
		{ kind: "QubesValueError", message: "Loops in network are unsupported: sys-firewall is connected through sys-net" },
	);
	t.like(
		t.throws(() => firewall.set("netvm", firewall)),
		{ kind: "QubesValueError" },
	);
});

test("a template cannot be unset, and not be changed while the qube runs", (t) => {
	const work = makeHouse().qube("work");
	t.like(
		t.throws(() => work.reset("template")),
		{ kind: "QubesValueError", message: "Cannot unset template of work" },
	);
	work.powerState = "Running";
	t.like(
		t.throws(() => work.set("template", "base")),
		{ kind: "QubesVMNotHaltedError" },
	);
});

test("the qube of the clock has the feature that says so, the one before loses it", (t) => {
	const app = makeHouse();
	app.set("clockvm", "sys-net");
	t.is(app.qube("sys-net").features.get("service.clocksync"), "1");
	app.set("clockvm", "work");
	t.false(app.qube("sys-net").features.has("service.clocksync"));
	t.is(app.qube("work").features.get("service.clocksync"), "1");
	app.reset("clockvm");
	t.false(app.qube("work").features.has("service.clocksync"));
});

for (const [property, value, kind] of [
	["default_netvm", "vault", "QubesValueError"],
	["default_template", "work", "QubesPropertyValueError"],
	["default_dispvm", "work", "QubesPropertyValueError"],
	["default_kernel", "nosuch", "QubesPropertyValueError"],
	["stats_interval", 0, "QubesPropertyValueError"],
	["maxmem", 1, "QubesPropertyValueError"],
] as const) {
	test(`the global ${property} cannot be ${value}: ${kind}`, (t) => {
		t.like(
			t.throws(() => makeHouse({ kernelsDir: kernels }).set(property, value)),
			{ kind },
		);
	});
}

test("adding and removing a qube is told, and removing can be prevented", (t) => {
	const app = makeHouse();
	const fired: string[] = [];
	app.addHandler("domain-*", (_app, event) => {
		fired.push(event);
	});
	const qube = addQube(app, "AppVM", "new", { template: "base" });
	app.remove(qube);
	t.deepEqual(fired, ["domain-add", "domain-pre-delete", "domain-delete"]);
	t.is(app.find("new"), null);
	app.addHandler("domain-pre-delete", () => {
		throw new RangeError("in use");
	});
	t.throws(() => app.remove(app.qube("work")), { instanceOf: RangeError });
	t.not(app.find("work"), null);
});

test("the old names of events can be left out", (t) => {
	for (const deprecatedEvents of [true, false]) {
		const app = makeHouse({ deprecatedEvents });
		const fired: string[] = [];
		for (const emitter of [app, app.qube("work")]) {
			emitter.addHandler("property-*", (_emitter: unknown, event: string) => {
				fired.push(event);
			});
		}
		app.qube("work").reset("memory");
		app.reset("clockvm");
		t.deepEqual(
			fired,
			["memory", "clockvm"].flatMap((name) =>
				["pre-reset", "pre-del", "reset", "del"].flatMap((what) =>
					what.endsWith("del") && !deprecatedEvents ? [] : [`property-${what}:${name}`],
				),
			),
		);
	}
});

test("dom0 is black where nothing is said, if there is black", (t) => {
	const labelOf = (app: App): unknown => new QUBE_CLASSES.AdminVM(app).get("label");
	t.like(labelOf(new App()), { name: "black", color: "0x000000" });
	t.is(labelOf(new App([])), null);
});
