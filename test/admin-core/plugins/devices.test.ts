// Methods of devices, byte for byte: spec/admin-core.md 4.4, 7.6, 8.8.
import test, { type ExecutionContext } from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import type { EventArgs } from "../../../admin-core/model/events/handler-table.ts";
import { Dock, deviceOf, local, makeDeviceHouse } from "../model/devices/dock.ts";
import { type Desk, type Exchange, expectAnswers, openDesk } from "./desk.ts";

interface Place extends Desk {
	readonly dock: Dock;
}

/** A desk in a house where work runs, and sys-usb has a disk and a stick. */
function openPlace(t: ExecutionContext): Place {
	const app = makeDeviceHouse();
	const dock = new Dock(app);
	dock.plug(app.qube("sys-usb"), "sdb", { id: "stick", name: "Stick", interfaces: ["u080650"] });
	dock.plug(app.qube("sys-usb"), "sda", { id: "1234:abcd:7:b******", interfaces: ["b******"] });
	app.qube("work").powerState = "Running";
	return Object.assign(openDesk(t, app), { dock });
}

/** Calls in their order, each with what is answered; a method without a family is one of block devices. */
function check(t: ExecutionContext, place: Place, calls: readonly Exchange[]): Promise<void> {
	const named = calls.map(
		([where, method, ...rest]): Exchange => [where, method.replace(/^(?=[A-Z])/, "admin.vm.device.block."), ...rest],
	);
	return expectAnswers(t, place, named);
}

function answers(title: string, ...calls: readonly Exchange[]): void {
	test.serial(title, (t) => check(t, openPlace(t), calls));
}

const SDA = "device_id='1234:abcd:7:b******' port_id='sda' devclass='block' backend_domain='sys-usb'";
const SDB = "device_id='stick' port_id='sdb' devclass='block' backend_domain='sys-usb'";

answers(
	"the classes of devices are listed",
	["dom0", "admin.deviceclass.List", "", "block\nmic\npci\nusb\n"],
	["work", "admin.deviceclass.List", "", "ProtocolError: expected destination to be AdminVM"],
	["work", "admin.vm.device.floppy.Available", "", "ProtocolError: no such method: 'admin.vm.device.floppy.Available'"],
);

answers(
	"devices are listed sorted, all or those of one port, by each class",
	[
		"sys-usb",
		"Available",
		"",
		`sda:1234:abcd:7:b****** ${SDA}  interfaces='b******'\nsdb:stick ${SDB} name='Stick' interfaces='u080650'\n`,
	],
	["sys-usb", "Available+sdb", "", `sdb:stick ${SDB} name='Stick' interfaces='u080650'\n`],
	["sys-usb", "Available+sdc", "", ""],
	["sys-usb", "admin.vm.device.usb.Available", "", ""],
	["work", "Available", "", ""],
);

answers(
	"a device is attached, listed as such, and detached",
	["work", "Attached", "", ""],
	["work", "Attach+sys-usb+sda+1234+abcd+7+b******", "mode='manual' frontend_domain='work' _read-only='yes'", ""],
	["work", "Attached", "", `sys-usb+sda:1234:abcd:7:b****** ${SDA} mode='manual' frontend_domain='work' _read-only='yes'\n`],
	["work", "Attached+sys-usb+sdb", "", ""],
	["sys-usb", "Available+sda", "", `sda:1234:abcd:7:b****** ${SDA}  attachment='work' interfaces='b******'\n`],
	["work", "Attach+sys-usb+sdb", "", ""],
	["work", "Attached+sys-usb+sdb", "", `sys-usb+sdb:stick ${SDB} mode='manual' frontend_domain='work'\n`],
	["work", "Attach+sys-usb+sdb", "", "DeviceAlreadyAttached: block device sys-usb:sdb:stick already attached to work"],
	["work", "Detach+sys-usb+sda+_", "", ""],
	["work", "Detach+sys-usb+sda+_", "", "DeviceNotAssigned: block device sys-usb:sda not attached to work"],
	["work", "Attached+sys-usb+sda", "", ""],
	["vault", "Attach+sys-usb+sda", "", /^QubesVMNotRunningError: vault is not running/],
	["work", "Attach+sys-usb+sdc", "", "ProtocolError: block device sys-usb:sdc:* does not exist"],
	["work", "Attach+sys-usb+_", "", /^ProtocolError: block device sys-usb:\*:\*: there are several/],
);

answers(
	"a device is assigned, listed sorted, changed, and taken back",
	["work", "Assign+sys-usb+sdb+stick", "mode='auto-attach'", ""],
	["work", "Assign+sys-usb+sda+_", "device_id='*' mode='required' frontend_domain='work' _read-only='yes' _x=''", ""],
	["work", "Assign+dom0+_+0000+0009++u030101", "mode='ask-to-attach'", ""],
	[
		"work",
		"Assigned",
		"",
		"dom0+*:0000:0009::u030101 device_id='0000:0009::u030101' port_id='*' devclass='block' backend_domain='dom0' mode='ask-to-attach' frontend_domain='work'\n" +
			"sys-usb+sda:* device_id='*' port_id='sda' devclass='block' backend_domain='sys-usb' mode='required' frontend_domain='work' _read-only='yes' _x=''\n" +
			`sys-usb+sdb:stick ${SDB} mode='auto-attach' frontend_domain='work'\n`,
	],
	["work", "Set.assignment+sys-usb+sdb+stick", "required", ""],
	["work", "Assigned+sys-usb+sdb", "", `sys-usb+sdb:stick ${SDB} mode='required' frontend_domain='work'\n`],
	[
		"work",
		"Assign+sys-usb+sdb+stick",
		"mode='auto-attach'",
		"DeviceAlreadyAssigned: block device sys-usb:sdb:stick already assigned to work",
	],
	["work", "Unassign+sys-usb+sdb+stick", "", ""],
	["work", "Unassign+sys-usb+sdb+stick", "", "DeviceNotAssigned: block device sys-usb:sdb:stick not assigned to work"],
	["work", "Unassign+sys-usb+sda", "", ""],
	["work", "Unassign+dom0+_+0000+0009++u030101", "", ""],
	["work", "Assigned", "", ""],
);

answers(
	"what is wrong with a call is said with the error of the table",
	["work", "Assign", "mode='required'", "ProtocolError: expected an argument"],
	["work", "Assign+sys-usb+sda", "", "ProtocolError: expected payload"],
	["work", "Unassign+sys-usb+sda", "x", "ProtocolError: unexpected payload"],
	["work", "Assign+sys-usb", "mode='required'", /^ProtocolError/],
	["work", "Assign+sys-usb+sda", "required", /^ProtocolError/],
	["work", "Assign+sys-usb+sda", "mode='later'", /^ProtocolError/],
	["work", "Assign+sys-usb+sda", "mode='manual'", /^QubesValueError/],
	["work", "Assign+sys-usb+sda", "_a='b'", /^QubesValueError/],
	["work", "Assign+sys-usb+sda", "mode='required' frontend_domain='vault'", /^ProtocolError/],
	["work", "Assign+sys-usb+sda", "mode='required' devclass='usb'", "ProtocolError: Got usb device when expected block."],
	["work", "Assign+_+sda", "mode='required'", /^ProtocolError/],
	["work", "Assign+nosuch+sda", "mode='required'", "QubesVMNotFoundError: No such domain: 'nosuch'"],
	["work", "Detach+nosuch+sda", "", "QubesVMNotFoundError: No such domain: 'nosuch'"],
	["work", "Assign+1x+sda", "mode='required'", /^QubesValueError/],
	["work", "Assign+sys-usb+sda", "mode='required' _UP='1'", /^ProtocolError: option 'UP'/],
	["work", "Assign+sys-usb+sda", "mode='required' _bad/name='1'", /^ProtocolError: option 'bad\/name'/],
	["work", "Assign+sys-usb+sda", "mode='required' _='1'", /^ProtocolError: option ''/],
	["work", "Assign+sys-usb+sda", "mode='required' _identity='1'", /^ProtocolError: option 'identity'/],
	["work", "Set.assignment+sys-usb+sda", "required", /^QubesValueError: block device sys-usb:sda:\* not assigned to work/],
	["work", "Set.assignment+sys-usb+sda", "later", /^QubesUnrecognizedDeviceAssignmentMode/],
	["work", "Set.assignment+sys-usb+sda", "manual", /^QubesValueError/],
	["work", "Assigned+sys-usb", "", /^ProtocolError/],
	["work", "Assigned+nosuch+sda", "", ""],
	["work", "Assigned", "", ""],
);

answers(
	"a RemoteVM has no devices",
	["far", "Available", "", ""],
	["far", "Assigned", "", ""],
	["far", "Attached", "", ""],
	["far", "Assign+sys-usb+sda", "mode='required'", "QubesException: This qube doesn't support devices"],
	["far", "Unassign+sys-usb+sda", "", "QubesException: This qube doesn't support devices"],
	["far", "Attach+sys-usb+sda", "", "QubesException: This qube doesn't support devices"],
	["far", "Detach+sys-usb+sda", "", "QubesException: This qube doesn't support devices"],
	["far", "Set.assignment+sys-usb+sda", "required", "QubesException: This qube doesn't support devices"],
	["far", "admin.vm.device.denied.List", "", /^QubesVMError/],
	["far", "admin.vm.device.denied.Add", "u030101", /^QubesVMError/],
	["far", "admin.vm.device.denied.Remove", "all", /^QubesVMError/],
);

answers(
	"interfaces are denied and allowed again",
	["work", "admin.vm.device.denied.List", "", ""],
	["work", "admin.vm.device.denied.Add", "u03****b******", ""],
	["work", "admin.vm.device.denied.Add", "p02****u03****", ""],
	["work", "admin.vm.device.denied.List", "", "u03****\nb******\np02****"],
	["work", "admin.vm.property.Get+devices_denied", "", "default=False type=str u03****b******p02****"],
	["work", "admin.vm.device.denied.Add", "", ""],
	["work", "admin.vm.device.denied.Remove", "b******m******", ""],
	["work", "admin.vm.device.denied.List", "", "u03****\np02****"],
	["work", "admin.vm.device.denied.Add", "u03", /^QubesValueError/],
	["work", "admin.vm.device.denied.Add", "x030101", /^QubesPropertyValueError/],
	["work", "admin.vm.device.denied.Add", "m******m******", /^ProtocolError/],
	["work", "admin.vm.device.denied.Remove", "m******m******", /^ProtocolError/],
	["work", "admin.vm.device.denied.Remove", "all", ""],
	["work", "admin.vm.device.denied.List", "", ""],
);

answers(
	"what is denied is not attached by hand, but if it is assigned; a mode alone does not open the door",
	["work", "admin.vm.device.denied.Add", "u08****", ""],
	["work", "Attach+sys-usb+sda", "", ""],
	["work", "Attach+sys-usb+sdb", "", /^PermissionDenied: sys-usb:sdb:stick may not be attached to work/],
	["work", "Attach+sys-usb+_+stick", "mode='manual'", /^PermissionDenied/],
	["work", "Attach+sys-usb+sdb", "mode='auto-attach'", /^PermissionDenied/],
	["sys-usb>work", "Attach+sys-usb+sdb", "", /^PermissionDenied/],
	["work", "Assign+sys-usb+sdb", "mode='auto-attach'", ""],
	["work", "Attach+sys-usb+sdb", "mode='manual'", /^PermissionDenied/],
	["work", "Attach+sys-usb+sdb", "mode='auto-attach'", ""],
);

test.serial("the store is saved after what it keeps has changed", async (t) => {
	const place = openPlace(t);
	const saves: number[] = [];
	for (const [method, payload] of [
		["Assign+sys-usb+sda", "mode='required'"],
		["Set.assignment+sys-usb+sda", "auto-attach"],
		["Unassign+sys-usb+sda", ""],
		["Unassign+sys-usb+sda", ""],
		["Attach+sys-usb+sda", ""],
		["Detach+sys-usb+sda", ""],
		["Available", ""],
		["Assigned", ""],
		["Attached", ""],
	] as const) {
		await place.call("work", `admin.vm.device.block.${method}`, payload);
		saves.push(place.saved);
	}
	t.deepEqual(saves, [1, 2, 3, 3, 3, 3, 3, 3, 3]);
});

test.serial("permission is asked with device, mode and options, before anything is looked at, and can be denied", async (t) => {
	const place = openPlace(t);
	const asked: unknown[] = [];
	place.app.qube("vault").addHandler("admin-permission:admin.vm.device.*", (_source, event, args: EventArgs) => {
		const { device, mode, options, interfaces } = args as { [name: string]: { wireName: string } };
		asked.push([event.split(".").slice(3).join("."), device?.wireName, mode, options, interfaces]);
		throw new AdminError("PermissionDenied", "no");
	});
	const denied = "PermissionDenied: no";
	await check(t, place, [
		["vault>work", "Assign+sys-usb+sda", "mode='required' _a='b'", denied],
		["vault>work", "Assign+nosuch+sda", "mode='required'", denied],
		["vault>far", "Unassign+sys-usb+sda+x", "", denied],
		["vault>work", "Attach+sys-usb+sdb", "", denied],
		["vault>work", "Detach+sys-usb+sdb", "", denied],
		["vault>work", "Set.assignment+sys-usb+sdb", "required", denied],
		["vault>work", "Assign+sys-usb", "mode='required'", /^ProtocolError/],
		["vault>work", "Available", "", denied],
		["vault>work", "Assigned", "", denied],
		["vault>work", "admin.vm.device.denied.List", "", denied],
		["vault>work", "admin.vm.device.denied.Add", "u03****", denied],
		["vault>far", "admin.vm.device.denied.Remove", "all", denied],
	]);
	const none = undefined;
	t.deepEqual(asked, [
		["block.Assign", "sys-usb:sda:*", "required", new Map([["a", "b"]]), none],
		["block.Assign", "*:sda:*", "required", new Map(), none],
		["block.Unassign", "sys-usb:sda:x", none, none, none],
		["block.Attach", "sys-usb:sdb:*", "manual", new Map(), none],
		["block.Detach", "sys-usb:sdb:*", none, none, none],
		["block.Set.assignment", "sys-usb:sdb:*", "required", none, none],
		["block.Available", none, none, none, none],
		["block.Assigned", none, none, none, none],
		["denied.List", none, none, none, none],
		["denied.Add", none, none, none, ["u03****"]],
		["denied.Remove", none, none, none, "all"],
	]);
	t.deepEqual([place.dock.told, place.saved], [[], 0]);
});

test.serial("handlers of the permission filter lists", async (t) => {
	const place = openPlace(t);
	await place.call("work", "admin.vm.device.block.Assign+sys-usb+sda", "mode='required'");
	await place.call("work", "admin.vm.device.block.Assign+sys-usb+sdb", "mode='auto-attach'");
	place.app
		.qube("vault")
		.addHandler("admin-permission:admin.vm.device.block.*", (_source, event) => [
			event.endsWith("Available")
				? ({ name }: { name: string }) => name === "Stick"
				: ({ mode }: { mode: string }) => mode === "required",
		]);
	await check(t, place, [
		["vault>sys-usb", "Available", "", /^sdb:stick [^\n]*\n$/],
		["vault>work", "Assigned", "", /^sys-usb\+sda:\* [^\n]*\n$/],
	]);
});

test.serial("an assignment without a backend, as only a store can have it, is listed and can be taken back", async (t) => {
	const place = openPlace(t);
	local(place.app, "work").devices.of("block").restore(deviceOf(null, "sda"), "required", new Map());
	await check(t, place, [
		["work", "Assigned", "", "*+sda:* device_id='*' port_id='sda' devclass='block' backend_domain='*' mode='required'\n"],
		["work", "Unassign+_+sda+_", "", ""],
		["work", "Assigned", "", ""],
	]);
});

test.serial("a qube that ends while handlers are asked is not given the device", async (t) => {
	const place = openPlace(t);
	const work = place.app.qube("work");
	work.addHandler("device-pre-attach:block", () => {
		work.powerState = "Halted";
	});
	t.regex(await place.call("work", "admin.vm.device.block.Attach+sys-usb+sda"), /^QubesVMNotRunningError/);
	t.is(await place.call("work", "admin.vm.device.block.Attached"), "");
});
