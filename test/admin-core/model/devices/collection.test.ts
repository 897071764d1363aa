// Devices of a qube: those it has, those assigned and attached to it: spec/admin-core.md 1.7, 4.3, 12.
import test, { type ExecutionContext } from "ava";
import type { App } from "../../../../admin-core/model/app.ts";
import type { DeviceCollection } from "../../../../admin-core/model/devices/collection.ts";
import { AdminError } from "../../../../admin-core/model/errors.ts";
import type { EventArgs } from "../../../../admin-core/model/events/handler-table.ts";
import { Dock, deviceOf, local, makeDeviceHouse } from "./dock.ts";

interface Stage {
	readonly app: App;
	readonly dock: Dock;
	/** The block devices of work. */
	readonly blocks: DeviceCollection;
}

function open(): Stage {
	const app = makeDeviceHouse();
	return { app, dock: new Dock(app), blocks: local(app, "work").devices.of("block") };
}

const NONE = new Map<string, string>();
const READ_ONLY = new Map([["read-only", "yes"]]);

/** The assignments as `MODE DEVICE OPTIONS`. */
function assigned(collection: DeviceCollection): string[] {
	return collection.assigned().map(({ mode, device, options }) => `${mode} ${device.wireName} ${[...options]}`);
}

function attached(collection: DeviceCollection): string[] {
	return collection.attached().map(({ mode, device, options }) => `${mode} ${device.wireName} ${[...options]}`);
}

async function refuses(t: ExecutionContext, work: Promise<void>, kind: string, message = /./): Promise<void> {
	t.like(await t.throwsAsync(work, { message }), { kind });
}

test("a device is assigned: pre-event, then it is stored, then the event", async (t) => {
	const { app, dock, blocks } = open();
	const work = app.qube("work");
	const seen: unknown[] = [];
	const look = (_qube: unknown, event: string, args: EventArgs): void => void seen.push([event, assigned(blocks).length, args]);
	for (const event of ["device-pre-assign:block", "device-assign:block"]) work.addHandler(event, look);
	const device = deviceOf(app.qube("sys-usb"), "sda");
	await blocks.assign(device, "auto-attach", READ_ONLY);
	t.deepEqual(seen, [
		["device-pre-assign:block", 0, { device, options: READ_ONLY }],
		["device-assign:block", 1, { device, options: READ_ONLY }],
	]);
	t.deepEqual(dock.told, ["work device-pre-assign:block sys-usb:sda:*", "work device-assign:block sys-usb:sda:*"]);
	t.deepEqual(assigned(blocks), ["auto-attach sys-usb:sda:* read-only,yes"]);
	t.like(blocks.assigned()[0], { frontend: work });
});

test("one qube has one assignment of the same device; another device id, port or class is another device", async (t) => {
	const { app, blocks } = open();
	const usb = app.qube("sys-usb");
	await blocks.assign(deviceOf(usb, "sda", "a"), "required", NONE);
	await refuses(
		t,
		blocks.assign(deviceOf(usb, "sda", "a"), "auto-attach", NONE),
		"DeviceAlreadyAssigned",
		/^block device sys-usb:sda:a already assigned to work$/,
	);
	for (const device of [
		deviceOf(usb, "sda", "b"),
		deviceOf(usb, "sda"),
		deviceOf(usb, "*", "a"),
		deviceOf(app.qube("disks"), "sda", "a"),
	]) {
		await blocks.assign(device, "required", NONE);
	}
	await local(app, "work")
		.devices.of("usb")
		.assign(deviceOf(usb, "sda", "a", "usb"), "required", NONE);
	await local(app, "vault")
		.devices.of("block")
		.assign(deviceOf(usb, "sda", "a"), "required", NONE);
	t.is(blocks.assigned().length, 5);
});

test("nothing is assigned by hand", async (t) => {
	const { app, dock, blocks } = open();
	await refuses(t, blocks.assign(deviceOf(app.qube("sys-usb"), "sda"), "manual", NONE), "QubesValueError");
	t.deepEqual([assigned(blocks), dock.told], [[], []]);
});

const veto = (): never => {
	throw new AdminError("QubesValueError", "no");
};

test("a handler of a pre-event prevents an assignment and its change; nothing is stored", async (t) => {
	const { app, blocks } = open();
	const device = deviceOf(app.qube("sys-usb"), "sda");
	app.qube("work").addHandler("device-pre-assign:block", veto);
	await refuses(t, blocks.assign(device, "required", NONE), "QubesValueError", /^no$/);
	t.deepEqual(assigned(blocks), []);
	app.qube("work").removeHandler("device-pre-assign:block", veto);
	await blocks.assign(device, "required", NONE);
	app.qube("work").addHandler("device-pre-assign:*", veto);
	await refuses(t, blocks.updateAssignment(device, "auto-attach"), "QubesValueError", /^no$/);
	t.deepEqual(assigned(blocks), ["required sys-usb:sda:* "]);
});

test("what a handler of an event throws undoes the change", async (t) => {
	const { app, blocks } = open();
	const device = deviceOf(app.qube("sys-usb"), "sda");
	app.qube("work").addHandler("device-assign:block", veto);
	await refuses(t, blocks.assign(device, "required", READ_ONLY), "QubesValueError", /^no$/);
	t.deepEqual(assigned(blocks), []);
	app.qube("work").removeHandler("device-assign:block", veto);
	await blocks.assign(device, "required", READ_ONLY);
	for (const event of ["device-assignment-changed:block", "device-unassign:block"]) app.qube("work").addHandler(event, veto);
	await refuses(t, blocks.updateAssignment(device, "auto-attach"), "QubesValueError", /^no$/);
	await refuses(t, blocks.unassign(device), "QubesValueError", /^no$/);
	t.deepEqual(assigned(blocks), ["required sys-usb:sda:* read-only,yes"]);
});

test("the mode of an assignment is changed with its events, and the options stay", async (t) => {
	const { app, dock, blocks } = open();
	const device = deviceOf(app.qube("sys-usb"), "sda");
	await blocks.assign(device, "required", READ_ONLY);
	dock.told.length = 0;
	await blocks.updateAssignment(device, "required");
	t.deepEqual(dock.told, [], "the same mode is no change");
	await blocks.updateAssignment(device, "ask-to-attach");
	t.deepEqual(dock.told, ["work device-pre-assign:block sys-usb:sda:*", "work device-assignment-changed:block sys-usb:sda:*"]);
	t.deepEqual(assigned(blocks), ["ask-to-attach sys-usb:sda:* read-only,yes"]);
	await refuses(t, blocks.updateAssignment(device, "manual"), "QubesValueError", /mode manual/);
	await refuses(
		t,
		blocks.updateAssignment(deviceOf(app.qube("disks"), "sda"), "required"),
		"QubesValueError",
		/disks:sda:\* not assigned to work/,
	);
});

test("an assignment is taken back; one that is not there is an error", async (t) => {
	const { app, dock, blocks } = open();
	const device = deviceOf(app.qube("sys-usb"), "sda");
	await refuses(t, blocks.unassign(device), "DeviceNotAssigned", /^block device sys-usb:sda:\* not assigned to work$/);
	await blocks.assign(device, "required", NONE);
	await refuses(t, blocks.unassign(deviceOf(app.qube("sys-usb"), "sda", "a")), "DeviceNotAssigned");
	dock.told.length = 0;
	await blocks.unassign(device);
	t.deepEqual(assigned(blocks), []);
	t.deepEqual(dock.told, ["work device-unassign:block sys-usb:sda:*"]);
});

test("while a handler of the pre-event takes its time, another call is not overwritten", async (t) => {
	const { app, blocks } = open();
	const device = deviceOf(app.qube("sys-usb"), "sda");
	app.qube("work").addHandler("device-pre-assign:block", async () => undefined);
	const results = await Promise.allSettled([blocks.assign(device, "required", NONE), blocks.assign(device, "auto-attach", NONE)]);
	t.deepEqual(
		results.map(({ status }) => status),
		["fulfilled", "rejected"],
	);
	t.deepEqual(assigned(blocks), ["required sys-usb:sda:* "]);
	const changes = [blocks.updateAssignment(device, "auto-attach"), blocks.unassign(device)];
	t.deepEqual(
		(await Promise.allSettled(changes)).map(({ status }) => status),
		["rejected", "fulfilled"],
	);
	t.deepEqual(assigned(blocks), []);
});

test("a device of a qube that is removed meanwhile is not assigned", async (t) => {
	const { app, blocks } = open();
	const disks = app.qube("disks");
	app.qube("work").addHandler("device-pre-assign:block", async () => app.remove(disks));
	await refuses(t, blocks.assign(deviceOf(disks, "sda"), "required", NONE), "QubesVMNotFoundError");
	t.deepEqual(assigned(blocks), []);
});

test("the devices that a qube has are those that handlers tell of; what makes no sense is left out", (t) => {
	const { app, dock } = open();
	const usb = local(app, "sys-usb");
	t.deepEqual(usb.devices.of("block").available(), []);
	dock.plug(usb, "sda", { id: "a", name: "Disk", interfaces: ["b******"] });
	dock.plug(usb, "");
	dock.plug(usb, "*");
	dock.plug(usb, "s d");
	dock.plug(usb, "sdb", { id: "ä" });
	dock.plug(usb, "sdb", { interfaces: [] });
	dock.plug(usb, "sdb", { interfaces: ["x030101"] });
	dock.plug(usb, "sdb", { parent: { port: "", devclass: "usb" } });
	dock.plug(usb, "sdc", { parent: { port: "1-2", devclass: "usb" } });
	usb.addHandler("device-list:block", () => [null, "x", {}]);
	const [sda, sdc, ...others] = usb.devices.of("block").available();
	t.is(others.length, 0);
	t.like(sda, { wireName: "sys-usb:sda:a", name: "Disk", vendor: "unknown", interfaces: ["b******"], attachment: null });
	t.like(sdc, { wireName: "sys-usb:sdc:0000:0000::?******", interfaces: ["?******"] });
	t.is(sdc?.parent?.wireName, "sys-usb:1-2");
	t.deepEqual(usb.devices.of("usb").available(), [], "of that class only");
});

test("a device is attached to a running qube, and shown as attached by hand, or as its assignment says", async (t) => {
	const { app, dock, blocks } = open();
	const usb = app.qube("sys-usb");
	dock.plug(usb, "sda", { id: "a" });
	dock.plug(usb, "sdb", { id: "b" });
	await refuses(t, blocks.attach(deviceOf(usb, "sda"), NONE), "QubesVMNotRunningError");
	app.qube("work").powerState = "Running";
	await blocks.assign(deviceOf(usb, "sdb", "b"), "auto-attach", NONE);
	await blocks.assign(deviceOf(usb, "sda"), "auto-attach", NONE);
	dock.told.length = 0;
	await blocks.attach(deviceOf(usb, "sda"), READ_ONLY);
	await blocks.attach(deviceOf(usb, "*", "b"), READ_ONLY);
	t.deepEqual(dock.told, [
		"work device-pre-attach:block sys-usb:sda:a",
		"work device-attach:block sys-usb:sda:a",
		"work device-pre-attach:block sys-usb:sdb:b",
		"work device-attach:block sys-usb:sdb:b",
	]);
	t.deepEqual(attached(blocks), ["manual sys-usb:sda:a read-only,yes", "auto-attach sys-usb:sdb:b "]);
});

test("what is not one device, or attached already, is not attached", async (t) => {
	const { app, dock, blocks } = open();
	const usb = app.qube("sys-usb");
	for (const name of ["work", "vault"]) app.qube(name).powerState = "Running";
	dock.plug(usb, "sda", { id: "a" });
	dock.plug(usb, "sdb", { id: "a" });
	await refuses(t, blocks.attach(deviceOf(usb, "sdc"), NONE), "ProtocolError", /sys-usb:sdc:\* does not exist/);
	await refuses(t, blocks.attach(deviceOf(usb, "sda", "b"), NONE), "ProtocolError", /does not exist/);
	await refuses(t, blocks.attach(deviceOf(null, "sda"), NONE), "ProtocolError", /does not exist/);
	await refuses(t, blocks.attach(deviceOf(usb, "*", "a"), NONE), "ProtocolError", /name one of sys-usb:sda:a, sys-usb:sdb:a$/);
	await blocks.attach(deviceOf(usb, "sda"), NONE);
	await refuses(t, blocks.attach(deviceOf(usb, "sda"), NONE), "DeviceAlreadyAttached", /already attached to work/);
	const others = local(app, "vault").devices.of("block");
	await refuses(t, others.attach(deviceOf(usb, "sda"), NONE), "DeviceAlreadyAttached", /already attached to work/);
	app.qube("vault").addHandler("device-pre-attach:block", veto);
	await refuses(t, others.attach(deviceOf(usb, "sdb"), NONE), "QubesValueError", /^no$/);
	t.deepEqual(attached(others), []);
});

test("two qubes that want the same device at once do not both get it", async (t) => {
	const { app, dock, blocks } = open();
	const usb = app.qube("sys-usb");
	dock.plug(usb, "sda");
	for (const name of ["work", "vault"]) {
		app.qube(name).powerState = "Running";
		app.qube(name).addHandler("device-pre-attach:block", async () => undefined);
	}
	const others = local(app, "vault").devices.of("block");
	const results = await Promise.allSettled([blocks, others].map((one) => one.attach(deviceOf(usb, "sda"), NONE)));
	t.deepEqual(
		results.map(({ status }) => status),
		["fulfilled", "rejected"],
	);
	t.deepEqual([attached(blocks).length, attached(others).length], [1, 0]);
	await blocks.detach(deviceOf(usb, "sda").port);
	await others.attach(deviceOf(usb, "sda"), NONE);
	t.is(attached(others).length, 1);
});

test("a device is detached by its port, unless the running qube requires it", async (t) => {
	const { app, dock, blocks } = open();
	const usb = app.qube("sys-usb");
	const { port } = deviceOf(usb, "sda");
	app.qube("work").powerState = "Running";
	dock.plug(usb, "sda", { id: "a" });
	await refuses(t, blocks.detach(port), "DeviceNotAssigned", /sys-usb:sda not attached to work/);
	await blocks.attach(deviceOf(usb, "sda"), NONE);
	await refuses(t, blocks.detach(deviceOf(app.qube("disks"), "sda").port), "DeviceNotAssigned");
	await blocks.assign(deviceOf(usb, "*", "a"), "required", NONE);
	await refuses(t, blocks.detach(port), "QubesVMNotHaltedError", /work requires block device sys-usb:sda:a/);
	await blocks.updateAssignment(deviceOf(usb, "*", "a"), "auto-attach");
	dock.told.length = 0;
	await blocks.detach(port);
	t.deepEqual(dock.told, ["work device-pre-detach:block sys-usb:sda", "work device-detach:block sys-usb:sda"]);
	t.deepEqual(attached(blocks), []);
});

test("a class that no plugin serves, and a RemoteVM, have no devices", (t) => {
	const { app } = open();
	t.like(
		t.throws(() => local(app, "work").devices.of("floppy")),
		{ kind: "QubesValueError" },
	);
	t.is(app.qube("far").devices, null);
});

test("a qube with a PCI device assigned is hvm, others are what their template is", async (t) => {
	const { app } = open();
	const work = local(app, "work");
	t.is(work.get("virt_mode"), "pvh");
	await work.devices.of("pci").assign(deviceOf(app.qube("dom0"), "00_1f.2", "*", "pci"), "required", NONE);
	t.is(work.get("virt_mode"), "hvm");
	t.true(work.isDefault("virt_mode"));
	t.is(app.qube("vault").get("virt_mode"), "pvh");
	app.qube("base").set("virt_mode", "pv");
	t.is(app.qube("vault").get("virt_mode"), "pv");
	t.is(work.get("virt_mode"), "hvm");
	work.set("virt_mode", "pvh");
	t.is(work.get("virt_mode"), "pvh");
});
