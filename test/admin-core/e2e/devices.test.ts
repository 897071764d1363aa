// The calls of qvm-device, qvm-clone and qvm-remove about devices, byte for byte, on the built qubesd with the plugin in examples/plugins:
// spec/admin-core.md 4.4, 8.8, 11.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { xmllint } from "../../support/xmllint.ts";
import { House } from "./house.ts";

const images = fs.mkdtempSync(path.join(os.tmpdir(), "images-"));
fs.writeFileSync(path.join(images, "stick.img"), "12345");
fs.writeFileSync(path.join(images, "archive.img"), "");
// The daemon inherits it.
process.env["DISK_IMAGES"] = images;
test.after.always(() => fs.rmSync(images, { recursive: true }));

const OPTIONS = ["--plugins", path.resolve("examples/plugins")];

/** Two qubes without anything on a disk. */
const STORE = `<qubes>
  <labels>
    <label id="label-1" color="0xcc0000">red</label>
    <label id="label-8" color="0x000000">black</label>
  </labels>
  <pools/>
  <properties/>
  <domains>
    <domain id="domain-0" class="AdminVM">
      <properties>
        <property name="label">black</property>
      </properties>
      <features/>
      <tags/>
    </domain>
    ${["vault", "work"]
			.map(
				(name, index) => `<domain id="domain-${index + 1}" class="StandaloneVM">
      <properties>
        <property name="label">red</property>
        <property name="name">${name}</property>
        <property name="qid">${index + 1}</property>
        <property name="uuid">4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a90${index + 1}</property>
        <property name="kernel"></property>
        <property name="netvm"></property>
      </properties>
      <features/>
      <tags/>
      <volume-config/>
    </domain>`,
			)
			.join("\n    ")}
  </domains>
</qubes>
`;

const open = (t: ExecutionContext): Promise<House> => House.open(t, { store: STORE, options: OPTIONS });

/** Sends `DEST METHOD [PAYLOAD]` as dom0 and checks the bytes of the reply. */
async function expectReplies(t: ExecutionContext, house: House, calls: readonly (readonly string[])[]): Promise<void> {
	for (const [destination, method, payload, reply] of calls as [string, string, string, string][]) {
		t.is(await house.call(`${method} dom0 name ${destination}\0${payload}`), reply, `${destination} ${method}`);
	}
}

const C = "admin.vm.device.block.";
const QARG = "dom0+stick+0000+0000++_______";
const STICK = "device_id='0000:0000::?******' port_id='stick' devclass='block' backend_domain='dom0'";
const ANY_STICK = "device_id='*' port_id='stick' devclass='block' backend_domain='dom0'";
const LIST = "0\0dom0 class=AdminVM state=Running uuid=00000000-0000-0000-0000-000000000000\n";
const WORK = (state: string): string => `work class=StandaloneVM state=${state} uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a902\n`;
const VAULT = "vault class=StandaloneVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a901\n";
const ARCHIVE_LINE =
	"archive:0000:0000::?****** device_id='0000:0000::?******' port_id='archive' devclass='block' backend_domain='dom0' name='archive.img' interfaces='b******' _size='0'\n";
const stickLine = (attachment = ""): string =>
	`stick:0000:0000::?****** ${STICK} name='stick.img'${attachment} interfaces='b******' _size='5'\n`;

test("qvm-device list, attach and detach", async (t) => {
	const house = await open(t);
	await expectReplies(t, house, [
		["dom0", "admin.deviceclass.List", "", "0\0block\nmic\npci\nusb\n"],
		["work", "admin.vm.Start+", "", "0\0"],
		["dom0", "admin.vm.List+", "", LIST + VAULT + WORK("Running")],
		["dom0", `${C}Available+`, "", `0\0${ARCHIVE_LINE}${stickLine()}`],
		["work", `${C}Attach+${QARG}`, `${STICK} mode='manual' frontend_domain='work' _read-only='yes'`, "0\0"],
		["dom0", `${C}Available+`, "", `0\0${ARCHIVE_LINE}${stickLine(" attachment='work'")}`],
		[
			"work",
			`${C}Attached+`,
			"",
			`0\0dom0+stick:0000:0000::?****** ${STICK} mode='manual' frontend_domain='work' _read-only='yes'\n`,
		],
		["work", `${C}Available+`, "", "0\0"],
		["vault", `${C}Attached+`, "", "0\0"],
		["work", `${C}Detach+${QARG}`, "", "0\0"],
		["work", `${C}Attached+`, "", "0\0"],
		["work", `${C}Detach+${QARG}`, "", "2\0DeviceNotAssigned\0\0block device dom0:stick not attached to work\0"],
		[
			"vault",
			`${C}Attach+${QARG}`,
			`${STICK} mode='manual'`,
			"2\0QubesVMNotRunningError\0\0vault is not running: it cannot be given a device\0",
		],
	]);
	t.notRegex(house.store(), /<devices/);
});

test("qvm-device assign, list -s and unassign; what is assigned is in the store and there after a restart", async (t) => {
	const house = await open(t);
	const assigned = `0\0dom0+stick:* ${ANY_STICK} mode='required' frontend_domain='work' _read-only='yes'\n`;
	await expectReplies(t, house, [
		["dom0", `${C}Available+`, "", `0\0${ARCHIVE_LINE}${stickLine()}`],
		["work", `${C}Assign+dom0+stick+_`, `${ANY_STICK} mode='required' frontend_domain='work' _read-only='yes'`, "0\0"],
		["work", `${C}Assign+dom0+archive+_`, "mode='auto-attach'", "0\0"],
		["work", `${C}Set.assignment+dom0+archive+_`, "ask-to-attach", "0\0"],
		["work", `${C}Assigned+dom0+stick`, "", assigned],
		[
			"work",
			`${C}Assign+dom0+stick+_`,
			"mode='required'",
			"2\0DeviceAlreadyAssigned\0\0block device dom0:stick:* already assigned to work\0",
		],
		[
			"work",
			`${C}Assign+dom0+stick+x`,
			"mode='required' devclass='usb'",
			"2\0ProtocolError\0\0Got usb device when expected block.\0",
		],
	]);
	const devices = `
      <devices class="block">
        <device backend-domain="dom0" id="stick" mode="required" identity="*">
          <option name="read-only">yes</option>
        </device>
        <device backend-domain="dom0" id="archive" mode="ask-to-attach" identity="*"/>
      </devices>
      <volume-config`;
	t.true(house.store().includes(devices), house.store());
	t.is(xmllint(t, house.store()), "- validates");
	await house.stop();
	await house.start();
	await expectReplies(t, house, [
		["work", `${C}Assigned+dom0+stick`, "", assigned],
		["work", "admin.vm.Start+", "", "0\0"],
		[
			"work",
			`${C}Attached+`,
			"",
			`0\0dom0+stick:0000:0000::?****** ${STICK} mode='manual' frontend_domain='work' _read-only='yes'\n`,
		],
		[
			"work",
			`${C}Detach+dom0+stick`,
			"",
			"2\0QubesVMNotHaltedError\0\0work requires block device dom0:stick:0000:0000::?****** while it runs\0",
		],
		["work", `${C}Unassign+dom0+stick+_`, "", "0\0"],
		["work", `${C}Unassign+dom0+stick+_`, "", "2\0DeviceNotAssigned\0\0block device dom0:stick:* not assigned to work\0"],
		["work", `${C}Unassign+dom0+archive+_`, "", "0\0"],
		["work", `${C}Assigned+`, "", "0\0"],
	]);
	t.regex(house.store(), /<devices class="block"\/>/);
});

test("qvm-clone takes over what is assigned", async (t) => {
	const house = await open(t);
	const line = `${STICK} mode='auto-attach' frontend_domain='work' _read-only='yes'`;
	await expectReplies(t, house, [
		["work", `${C}Assign+${QARG}`, line, "0\0"],
		["dom0", "admin.deviceclass.List", "", "0\0block\nmic\npci\nusb\n"],
		["work", `${C}Assigned+`, "", `0\0dom0+stick:0000:0000::?****** ${line}\n`],
		...["mic", "pci", "usb"].map((devclass) => ["work", `admin.vm.device.${devclass}.Assigned+`, "", "0\0"]),
		["vault", `${C}Assign+${QARG}`, line.replace("'work'", "'vault'"), "0\0"],
		["vault", `${C}Assigned+`, "", `0\0dom0+stick:0000:0000::?****** ${line.replace("'work'", "'vault'")}\n`],
	]);
});

test("qvm-remove: a qube whose device is assigned to another is in use, until it is not", async (t) => {
	const house = await open(t);
	await expectReplies(t, house, [
		["work", `${C}Assign+vault+sda`, "mode='required'", "0\0"],
		["vault", "admin.vm.Remove+", "", "2\0QubesVMInUseError\0\0a device of vault is assigned to work\0"],
		["work", "admin.vm.Start+", "", "2\0DeviceNotFound\0\0work requires block device vault:sda:*, which is not there\0"],
		["work", `${C}Unassign+vault+sda`, "", "0\0"],
		["vault", "admin.vm.Remove+", "", "0\0"],
	]);
});

test("interfaces that a qube denies are not attached to it", async (t) => {
	const house = await open(t);
	await expectReplies(t, house, [
		["work", "admin.vm.Start+", "", "0\0"],
		["work", "admin.vm.device.denied.Add+", "b******u03****", "0\0"],
		["work", "admin.vm.device.denied.List+", "", "0\0b******\nu03****"],
		[
			"work",
			`${C}Attach+${QARG}`,
			"mode='manual'",
			"2\0PermissionDenied\0\0dom0:stick:0000:0000::?****** may not be attached to work: devices_denied is b******u03****\0",
		],
		["work", "admin.vm.device.denied.Remove+", "b******", "0\0"],
		["work", `${C}Attach+${QARG}`, "mode='manual'", "0\0"],
	]);
	t.regex(house.store(), /<property name="devices_denied">u03\*\*\*\*<\/property>/);
});

test("listeners are told of devices, ports and options as text", async (t) => {
	const house = await open(t);
	await house.call("admin.vm.Start dom0 name work\0");
	const stream = await house.listen("admin.Events+ dom0 name work\0");
	await expectReplies(t, house, [
		["work", `${C}Assign+dom0+stick+_`, "mode='auto-attach' _read-only='yes' _o='it\\'s'", "0\0"],
		["work", `${C}Set.assignment+dom0+stick+_`, "required", "0\0"],
		["work", `${C}Unassign+dom0+stick+_`, "", "0\0"],
		["work", `${C}Attach+dom0+stick`, "", "0\0"],
		["work", `${C}Detach+dom0+stick`, "", "0\0"],
	]);
	await stream.until(/device-detach:block/);
	stream.close();
	const any = "device\0dom0:stick:*\0";
	const stick = "device\0dom0:stick:0000:0000::?******\0";
	const options = `options\0{'read-only': 'yes', 'o': "it's"}\0`;
	const port = "port\0dom0:stick\0";
	const events = [
		...[`device-pre-assign:block\0${any}${options}`, `device-assign:block\0${any}${options}`],
		...[`device-pre-assign:block\0${any}${options}`, `device-assignment-changed:block\0${any}`],
		`device-unassign:block\0${any}`,
		...[`device-pre-attach:block\0${stick}options\0{}\0`, `device-attach:block\0${stick}options\0{}\0`],
		...[`device-pre-detach:block\0${port}`, `device-detach:block\0${port}`],
	];
	t.is(stream.received(), `1\0\0connection-established\0\0${events.map((event) => `1\0work\0${event}\0`).join("")}`);
});

test("the plugin of devices is loaded by the first call about them, and its classes are known before", async (t) => {
	const house = await open(t);
	await house.call("admin.vm.device.floppy.Available dom0 name work\0");
	await house.call("admin.vm.device.block.Assign dom0 name work\0");
	t.notRegex(house.logged, /plugin devices/);
	await house.call(`${C}Available dom0 name work\0`);
	t.regex(house.logged, /^plugin devices: loaded for admin\.vm\.device\./m);
});
