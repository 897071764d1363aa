// Devices that come to a qube when it starts: spec/admin-core.md 4.3.
import test, { type ExecutionContext } from "ava";
import type { App } from "../../../admin-core/model/app.ts";
import type { StoredMode } from "../../../admin-core/model/devices/assignment.ts";
import type { DeviceCollection } from "../../../admin-core/model/devices/collection.ts";
import { Dock, deviceOf, local, makeDeviceHouse } from "../model/devices/dock.ts";
import { type Desk, openDesk } from "./desk.ts";

interface Place {
	readonly app: App;
	readonly desk: Desk;
	readonly dock: Dock;
	/** The block devices of work. */
	readonly blocks: DeviceCollection;
	assign(port: string, id: string, mode: StoredMode, options?: { readonly [name: string]: string }): Promise<void>;
	start(): Promise<string>;
}

/** A house in which work is halted, and sys-usb has `sda:a` and `sdb:b`. */
function open(t: ExecutionContext): Place {
	const app = makeDeviceHouse();
	const usb = app.qube("sys-usb");
	const dock = new Dock(app);
	dock.plug(usb, "sda", { id: "a" });
	dock.plug(usb, "sdb", { id: "b" });
	const desk = openDesk(t, app);
	const blocks = local(app, "work").devices.of("block");
	return {
		...{ app, desk, dock, blocks },
		assign: (port, id, mode, options = {}) => blocks.assign(deviceOf(usb, port, id), mode, new Map(Object.entries(options))),
		start: () => desk.call("work", "admin.vm.Start"),
	};
}

/** What was attached, in its order. */
const attachedIn = ({ dock }: Place): string[] => dock.told.filter((line) => line.startsWith("work device-attach:"));

test.serial("a qube gets what it requires and what is attached by itself, and is not asked about the rest", async (t) => {
	const place = open(t);
	await place.assign("sdb", "b", "auto-attach", { "read-only": "yes" });
	await place.assign("sda", "a", "required");
	place.dock.plug(place.app.qube("disks"), "sda", { id: "c" });
	await place.blocks.assign(deviceOf(place.app.qube("disks"), "sda"), "ask-to-attach", new Map());
	t.is(await place.start(), "");
	t.deepEqual(attachedIn(place), ["work device-attach:block sys-usb:sda:a", "work device-attach:block sys-usb:sdb:b"]);
	t.deepEqual(
		place.blocks.attached().map(({ mode, device, options }) => `${mode} ${device.wireName} ${[...options]}`),
		["required sys-usb:sda:a ", "auto-attach sys-usb:sdb:b read-only,yes"],
	);
});

test.serial("what is required is there before the qube runs, the rest when it runs", async (t) => {
	const place = open(t);
	await place.assign("sdb", "b", "auto-attach");
	await place.assign("sda", "a", "required");
	const states: string[] = [];
	place.app.qube("work").addHandler("device-attach:block", (qube) => void states.push(qube.powerState));
	await place.start();
	t.deepEqual(states, ["Transient", "Running"]);
});

test.serial(
	"port and id come before a port, a port before an id; each device once, as the clearest assignment says",
	async (t) => {
		const place = open(t);
		await place.assign("*", "b", "auto-attach", { by: "id" });
		await place.assign("*", "a", "auto-attach", { by: "id" });
		await place.assign("sdb", "*", "auto-attach", { by: "port" });
		await place.assign("sdb", "b", "auto-attach", { by: "both" });
		await place.start();
		t.deepEqual(attachedIn(place), ["work device-attach:block sys-usb:sdb:b", "work device-attach:block sys-usb:sda:a"]);
		t.deepEqual(
			place.blocks.attached().map(({ options }) => options.get("by")),
			["both", "id"],
		);
	},
);

test.serial(
	"a device that is to be asked about is not attached because of an assignment that names it less clearly",
	async (t) => {
		const place = open(t);
		await place.assign("sda", "a", "ask-to-attach");
		await place.assign("sda", "*", "auto-attach");
		t.is(await place.start(), "");
		t.deepEqual(attachedIn(place), []);
	},
);

test.serial("a qube does not start without what it requires", async (t) => {
	const place = open(t);
	await place.assign("sda", "other", "required");
	t.is(await place.start(), "DeviceNotFound: work requires block device sys-usb:sda:other, which is not there");
	t.is(place.app.qube("work").powerState, "Halted");
	t.deepEqual(attachedIn(place), []);
	await place.blocks.updateAssignment(deviceOf(place.app.qube("sys-usb"), "sda", "other"), "auto-attach");
	t.is(await place.start(), "");
});

test.serial("a qube does not start when another one has what it requires, but without the rest", async (t) => {
	const place = open(t);
	const usb = place.app.qube("sys-usb");
	const vault = place.app.qube("vault");
	vault.powerState = "Running";
	await local(place.app, "vault").devices.of("block").attach(deviceOf(usb, "sda"), new Map());
	await place.assign("sdb", "b", "required");
	await place.assign("sda", "a", "required");
	t.is(await place.start(), "DeviceAlreadyAttached: block device sys-usb:sda:a already attached to vault");
	t.is(place.app.qube("work").powerState, "Halted");
	t.deepEqual(place.blocks.attached(), []);
	await place.blocks.updateAssignment(deviceOf(usb, "sda", "a"), "auto-attach");
	t.is(await place.start(), "");
	t.deepEqual(
		place.blocks.attached().map(({ device }) => device.wireName),
		["sys-usb:sdb:b"],
	);
});
