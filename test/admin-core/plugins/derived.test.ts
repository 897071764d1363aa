// What plugins derive from changes, and what they prevent: spec/admin-core.md 1.8, 12 (rows 12, 15).
import fs from "node:fs";
import test, { type ExecutionContext } from "ava";
import type { EventArgs } from "../../../admin-core/model/events/handler-table.ts";
import type { Qube } from "../../../admin-core/model/qubes/qube.ts";
import { addQube, makeHouse, makeKernels } from "../model/house.ts";
import { type Desk, openDesk } from "./desk.ts";

const kernels = makeKernels();
test.after.always(() => fs.rmSync(kernels, { recursive: true }));

/** Writes down the events of all qubes that start so: `work property-reset:netvm`. */
function watch({ app }: Desk, start: string): string[] {
	const fired: string[] = [];
	for (const qube of app.qubes()) {
		qube.addHandler(`${start}*`, (_qube, event, args: EventArgs) => {
			const values = Object.entries(args).filter(([name]) => name !== "name");
			const texts = values.map(([name, value]) => `${name}=${(value as Qube | null)?.name ?? value}`);
			fired.push([qube.name, event, ...texts].join(" "));
		});
	}
	return fired;
}

function tagsOf(desk: Desk, name: string): string[] {
	return desk.app.qube(name).tags.list();
}

/** A house with two qubes that could show windows, and one that has no tag. */
function openWithGuis(t: ExecutionContext): Desk {
	const desk = openDesk(t);
	for (const name of ["gui1", "gui2", "g.ui"]) addQube(desk.app, "StandaloneVM", name);
	return desk;
}

test.serial("a qube has exactly one tag for its GUI qube and one for its audio qube", (t) => {
	const desk = openWithGuis(t);
	const work = desk.app.qube("work");
	work.tags.update(["guivm-old", "audiovm-old", "mail"]);
	work.set("guivm", "gui1");
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-old", "guivm-gui1", "mail"]);
	work.set("audiovm", "gui2");
	work.set("guivm", "gui2");
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-gui2", "guivm-gui2", "mail"]);
	work.set("guivm", null);
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-gui2", "mail"]);
	work.reset("guivm");
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-gui2", "guivm-dom0", "mail"]);
});

test.serial("the tags are there when a qube is made or loaded, and dom0 has none", async (t) => {
	const desk = openWithGuis(t);
	await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red");
	t.deepEqual(tagsOf(desk, "new"), ["audiovm-dom0", "created-by-dom0", "guivm-dom0"]);
	desk.app.qube("work").tags.add("guivm-old");
	for (const qube of desk.app.qubes()) qube.fire("domain-load");
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-dom0", "guivm-dom0"]);
	t.deepEqual(tagsOf(desk, "dom0"), []);
});

test.serial("a RemoteVM has a tag for its relay", (t) => {
	const desk = openWithGuis(t);
	const far = addQube(desk.app, "RemoteVM", "far");
	far.set("relayvm", "gui1");
	t.deepEqual(tagsOf(desk, "far"), ["relayvm-gui1"]);
	far.reset("relayvm");
	t.deepEqual(tagsOf(desk, "far"), []);
});

test.serial("a qube whose name is no tag serves nobody, and nothing is changed", (t) => {
	const desk = openWithGuis(t);
	const work = desk.app.qube("work");
	work.set("guivm", "gui1");
	for (const [holder, name] of [
		[work, "guivm"],
		[work, "audiovm"],
		[desk.app, "default_guivm"],
		[desk.app, "default_audiovm"],
	] as const) {
		const message = `"${name.replace("default_", "")}-g.ui" is no tag: want a qube with a name of A-Z a-z 0-9 _ -`;
		t.like(
			t.throws(() => holder.set(name, "g.ui")),
			{ kind: "QubesValueError", message },
		);
	}
	t.is(work.get("guivm"), desk.app.qube("gui1"));
	t.deepEqual(tagsOf(desk, "work"), ["guivm-gui1"]);
});

test.serial("one that a store names so is left without the tag when it is loaded, and keeps the others", (t) => {
	const desk = openWithGuis(t);
	const work = desk.app.qube("work");
	work.eventsEnabled = false;
	work.set("guivm", "g.ui");
	work.tags.add("guivm-old");
	work.eventsEnabled = true;
	work.fire("domain-load");
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-dom0"]);
});

test.serial("a new default GUI qube is that of the qubes that name none, in their tags too", (t) => {
	const desk = openWithGuis(t);
	desk.app.qube("vault").set("guivm", "gui2");
	const fired = watch(desk, "property-set:");
	desk.app.set("default_guivm", "gui1");
	t.deepEqual(tagsOf(desk, "work"), ["guivm-gui1"]);
	t.deepEqual(tagsOf(desk, "vault"), ["guivm-gui2"]);
	t.true(fired.includes("work property-set:guivm newvalue=gui1 oldvalue=dom0"));
	t.false(fired.some((line) => line.startsWith("vault ") || line.startsWith("dom0 ")));
	desk.app.reset("default_guivm");
	t.deepEqual(tagsOf(desk, "work"), ["guivm-dom0"]);
	desk.app.set("default_audiovm", "gui2");
	t.deepEqual(tagsOf(desk, "work"), ["audiovm-gui2", "guivm-dom0"]);
});

test.serial("whoever takes the default net qube is asked before it changes, and told after it has", (t) => {
	const desk = openDesk(t);
	const { app } = desk;
	const sysNet = app.qube("sys-net");
	app.qube("work").reset("netvm");
	const fired = watch(desk, "property-");
	app.addHandler("property-*", (_app, event) => {
		fired.push(event);
	});
	app.set("default_netvm", sysNet);
	t.deepEqual(fired.splice(0), [
		"property-pre-set:default_netvm",
		"work property-pre-set:netvm newvalue=sys-net oldvalue=null",
		"work property-reset:netvm oldvalue=null",
		"property-set:default_netvm",
	]);
	app.set("default_netvm", sysNet);
	t.deepEqual(fired.splice(0), ["property-pre-set:default_netvm", "property-set:default_netvm"]);
	app.reset("default_netvm");
	t.true(fired.includes("work property-pre-set:netvm newvalue=null oldvalue=sys-net"));
	t.true(fired.includes("work property-reset:netvm oldvalue=sys-net"));
});

test.serial("a qube that may not be connected otherwise prevents another default", (t) => {
	const { app } = openDesk(t);
	const work = app.qube("work");
	work.reset("netvm");
	work.addHandler("property-pre-set:netvm", () => {
		throw new RangeError("no");
	});
	t.throws(() => app.set("default_netvm", "sys-net"), { instanceOf: RangeError });
	t.is(app.get("default_netvm"), null);
});

test.serial("a new default template of disposables is told to those who name none, but not to disposables", (t) => {
	const desk = openDesk(t);
	desk.app.qube("vault").set("default_dispvm", null);
	const fired = watch(desk, "property-");
	desk.app.set("default_dispvm", "dvm");
	t.deepEqual(
		fired,
		["dom0", "base", "dvm", "sys-net", "work"].map((name) => `${name} property-reset:default_dispvm oldvalue=null`),
	);
});

for (const [property, value, old] of [
	["default_user", "joe", "user"],
	["kernel", "6.12.1", null],
	["kernelopts", "quiet", ""],
	["vcpus", 3, 2],
	["memory", 500, 400],
	["maxmem", 0, 4000],
	["qrexec_timeout", 5, 60],
	["shutdown_timeout", 5, 60],
	["management_dispvm", "dvm", null],
] as const) {
	test.serial(`children that take ${property} of their template are told, and theirs`, (t) => {
		const desk = openDesk(t, makeHouse({ kernelsDir: kernels }));
		const { app } = desk;
		app.qube("vault").set(property, value);
		const fired = watch(desk, "property-reset:");
		const told = (oldvalue: unknown): string[] =>
			["disp1", "dvm", "work"].map((name) => `${name} property-reset:${property} oldvalue=${oldvalue}`);
		app.qube("base").set(property, value);
		t.deepEqual(fired.splice(0).sort(), told(old));
		app.qube("base").set(property, value);
		t.deepEqual(fired.splice(0), []);
		app.qube("base").reset(property);
		t.deepEqual(fired.filter((line) => !line.startsWith("base ")).sort(), told(value));
	});
}

test.serial("a net qube is a service qube", (t) => {
	const desk = openDesk(t);
	const work = desk.app.qube("work");
	const fired = watch(desk, "property-reset:icon");
	work.set("provides_network", true);
	t.is(work.features.get("servicevm"), "1");
	t.is(work.get("icon"), "servicevm-red");
	work.set("provides_network", false);
	t.false(work.features.has("servicevm"));
	work.set("provides_network", true);
	work.reset("provides_network");
	t.false(work.features.has("servicevm"));
	t.is(work.get("icon"), "appvm-red");
	t.deepEqual(fired, Array(4).fill("work property-reset:icon"));
});

test.serial("a qube gets the tags that its creator gives to all", async (t) => {
	const desk = openDesk(t);
	desk.app.qube("vault").features.set("tag-created-vm-with", "  a b-c\t");
	await desk.call("vault>dom0", "admin.vm.Create.StandaloneVM", "name=new label=red");
	t.deepEqual(tagsOf(desk, "new"), ["a", "audiovm-dom0", "b-c", "created-by-vault", "guivm-dom0"]);
	t.is(await desk.call("work", "admin.vm.tag.Set+created-by-nosuch"), "");
	t.deepEqual(tagsOf(desk, "work"), ["created-by-nosuch"]);
});

test.serial("where one of them is no tag, none is given, and the qube is not made", async (t) => {
	const desk = openDesk(t);
	desk.app.qube("vault").features.set("tag-created-vm-with", "a b.c");
	const reply = await desk.call("vault>dom0", "admin.vm.Create.StandaloneVM", "name=new label=red");
	t.regex(reply, /^QubesInvalidTagError/);
	t.is(desk.app.find("new"), null);
	t.regex(await desk.call("work", "admin.vm.tag.Set+created-by-vault"), /^QubesInvalidTagError/);
	t.deepEqual(tagsOf(desk, "work"), []);
});

for (const [name, ok] of [
	["cups", true],
	["x".repeat(48), true],
	["...", true],
	["x".repeat(49), false],
	["ä".repeat(25), false],
	["", false],
	[".", false],
	["..", false],
	["a/b", false],
] as const) {
	test.serial(`"${name}" is ${ok ? "a" : "no"} service`, (t) => {
		const { features } = openDesk(t).app.qube("work");
		const set = () => features.set(`service.${name}`, "1");
		if (ok) t.notThrows(set);
		else t.like(t.throws(set), { kind: "QubesValueError" });
		t.is(features.has(`service.${name}`), ok);
	});
}

test.serial("a qube that is being restored is not started", async (t) => {
	const desk = openDesk(t);
	await desk.call("work", "admin.vm.tag.Set+backup-restore-in-progress");
	t.is(await desk.call("work", "admin.vm.Start"), "QubesVMError: work is being restored from a backup and cannot be started");
	await desk.call("work", "admin.vm.tag.Remove+backup-restore-in-progress");
	t.is(await desk.call("work", "admin.vm.Start"), "");
});

test.serial("net.fake-ip and the like are addresses, and what the qube sees", async (t) => {
	const desk = openDesk(t);
	const work = desk.app.qube("work");
	t.is(
		await desk.call("work", "admin.vm.feature.Set+net.fake-ip", "10.0.0.256"),
		'QubesValueError: net.fake-ip: want an IPv4 address, not "10.0.0.256"',
	);
	t.false(work.features.has("net.fake-ip"));
	desk.app.qube("base").features.set("net.fake-netmask", "255.255.255.0");
	for (const [what, address] of [
		["ip", "192.168.1.2"],
		["gateway", "192.168.1.1"],
		["netmask", "255.255.255.0"],
	] as const) {
		if (what !== "netmask") t.is(await desk.call("work", `admin.vm.feature.Set+net.fake-${what}`, address), "");
		t.is(work.get(`visible_${what}`), address);
	}
	t.is(await desk.call("work", "admin.vm.feature.Set+net.fake-ip"), "");
	t.is(work.get("visible_ip"), work.get("ip") ?? null);
});

test.serial("a qube with ipv6 has such an address, and so have those behind it, who are told", (t) => {
	const desk = openDesk(t);
	const { app } = desk;
	const [work, sysNet, disp1] = ["work", "sys-net", "disp1"].map((name) => app.qube(name)) as [Qube, Qube, Qube];
	app.qube("dvm").set("ip6", "fd09::7");
	t.is(work.get("ip6"), null);
	const fired = watch(desk, "property-reset:ip6");
	sysNet.features.set("ipv6", true);
	t.deepEqual(
		fired.splice(0),
		["disp1", "sys-net", "work"].map((name) => `${name} property-reset:ip6`),
	);
	t.is(work.get("ip6"), `fd09:24ef:4179::a89:${work.qid.toString(16)}`);
	t.is(disp1.get("ip6"), "fd09:24ef:4179::a8a:1");
	t.is(work.get("visible_ip6"), work.get("ip6") ?? null);
	t.is(work.get("gateway6"), sysNet.get("ip6") ?? null);
	work.features.set("ipv6", false);
	t.is(work.get("ip6"), null);
	t.is(work.get("gateway6"), "");
	sysNet.features.delete("ipv6");
	t.is(disp1.get("ip6"), null);
});
