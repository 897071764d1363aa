// How devices are written and read: spec/admin-core.md 4.4.
import test from "ava";
import type { Assignment } from "../../../../admin-core/model/devices/assignment.ts";
import { type DeviceDescription, DeviceInfo } from "../../../../admin-core/model/devices/device-info.ts";
import { parseDeviceArgument, parseDeviceRequest } from "../../../../admin-core/model/devices/parse-wire.ts";
import { Port } from "../../../../admin-core/model/devices/port.ts";
import { serializeAssignment, serializeInfo } from "../../../../admin-core/model/devices/wire.ts";
import { deviceOf, makeDeviceHouse } from "./dock.ts";

const app = makeDeviceHouse();
const usb = app.qube("sys-usb");
const work = app.qube("work");

function infos(title: string, given: DeviceDescription, wanted: string) {
	test(`a device ${title} is written so`, (t) => {
		t.is(serializeInfo(new DeviceInfo(new Port(usb, given.port, "usb"), given)), wanted);
	});
}

const START = "port_id='1-2' devclass='usb' backend_domain='sys-usb'";

infos("of which nothing is known", { port: "1-2" }, `device_id='0000:0000::?******' ${START}  interfaces='?******'`);
infos(
	"of which all is known",
	{
		...{ port: "1-2", id: "03f0:1234:x:u030101u030102", vendor: "Hewlett", product: "Mouse", manufacturer: "HP" },
		...{ name: 'It\'s "a" mouse', serial: "7", interfaces: ["u030101", "u030102"], attachment: work },
		...{ parent: { port: "1", devclass: "pci" }, data: { size: "5=5", a: "" } },
	},
	`device_id='03f0:1234:x:u030101u030102' ${START} vendor='Hewlett' product='Mouse' manufacturer='HP' name='It\\'s "a" mouse' serial='7' ` +
		"attachment='work' interfaces='u030101u030102' parent_port_id='1' parent_devclass='pci' _size='5=5' _a=''",
);
infos(
	"that says what no client can read",
	{ port: "1-2", id: "x", name: "Mäuse\n😀'", data: { "a b=c": "d\te" } },
	`device_id='x' ${START} name='M_use__\\'' interfaces='?******' _a_b_c='d_e'`,
);

function assignments(title: string, part: Partial<Assignment>, wanted: string) {
	test(`an assignment ${title} is written so`, (t) => {
		const whole = { device: deviceOf(usb, "sda"), frontend: work, mode: "required", options: new Map(), ...part } as const;
		t.is(serializeAssignment(whole), wanted);
	});
}

const SDA = "device_id='*' port_id='sda' devclass='block'";

assignments("without options", {}, `${SDA} backend_domain='sys-usb' mode='required' frontend_domain='work'`);
assignments(
	"with options",
	{
		mode: "manual",
		options: new Map([
			["read-only", "yes"],
			["frontend-dev", "xv'd i"],
		]),
	},
	`${SDA} backend_domain='sys-usb' mode='manual' frontend_domain='work' _read-only='yes' _frontend-dev='xv\\'d i'`,
);
assignments("without a backend", { device: deviceOf(null, "sda") }, `${SDA} backend_domain='*' mode='required'`);

for (const [argument, backend, portId, deviceId] of [
	["backend+1234+0000+0001+ser+?012345", "backend", "1234", "0000:0001:ser:?012345"],
	["sys-usb+1-2+_", "sys-usb", "1-2", "*"],
	["sys-usb+1-2", "sys-usb", "1-2", "*"],
	["backend+_+0000+0009++u030101", "backend", "*", "0000:0009::u030101"],
	["dom0+sda+0000+0000++_______", "dom0", "sda", "0000:0000::?******"],
	["dom0+sda+_______", "dom0", "sda", "?******"],
	["dom0+00_1f.2+0000+0001+_______+c010000", "dom0", "00_1f.2", "0000:0001:_______:c010000"],
	["_+_+_", "*", "*", "*"],
] as const) {
	test(`the argument ${argument} is ${backend}:${portId}:${deviceId}`, (t) => {
		t.deepEqual(parseDeviceArgument(argument, "usb"), { devclass: "usb", backend, portId, deviceId });
	});
}

for (const [argument, kind] of [
	["sys-usb", "ProtocolError"],
	["sys-usb+", "ProtocolError"],
	["+1-2", "ProtocolError"],
	["sys-usb++x", "ProtocolError"],
	["sys-usb+1-2+", "ProtocolError"],
	["sys-usb+1\t2", "ProtocolError"],
	["1x+1-2", "QubesValueError"],
	["uuid:x+1-2", "QubesValueError"],
] as const) {
	test(`the argument ${JSON.stringify(argument)} is none`, (t) => {
		t.like(
			t.throws(() => parseDeviceArgument(argument, "usb")),
			{ kind },
		);
	});
}

const NAME = { devclass: "usb", backend: "sys-usb", portId: "1-2", deviceId: "*" };
const parse = (payload: string, name = NAME) => parseDeviceRequest(Buffer.from(payload, "latin1"), name, "work");

for (const [title, payload, wanted] of [
	["nothing is by hand", "", { mode: "manual", options: new Map() }],
	["a mode is enough", "mode='auto-attach'", { mode: "auto-attach" }],
	["white space around it is none of it", " \nmode='required'\n", { mode: "required" }],
	[
		"what the argument says may be said again",
		"device_id='*' port_id='1-2' devclass='usb' backend_domain='sys-usb' mode='ask-to-attach' frontend_domain='work'",
		{ name: NAME, mode: "ask-to-attach" },
	],
	["a device id makes any device one", "device_id='a:b'", { name: { ...NAME, deviceId: "a:b" } }],
	[
		"quotes, spaces and signs are part of a value",
		"_a='it\\'s \"b\" = `c' _d='e'",
		{ options: new Map(Object.entries({ a: 'it\'s "b" = `c', d: "e" })) },
	],
	["a backslash may end a value", "_a='b\\' _c='d\\'", { options: new Map(Object.entries({ a: "b\\", c: "d\\" })) }],
	["an equals sign may end a value", "_a='b=' _c='='", { options: new Map(Object.entries({ a: "b=", c: "=" })) }],
	["a value may be empty", "_a='' _b=''", { options: new Map(Object.entries({ a: "", b: "" })) }],
] as const) {
	test(`payload: ${title}`, (t) => {
		t.like(parse(payload), wanted);
		if ("options" in wanted) t.deepEqual(parse(payload).options, wanted.options);
	});
}

for (const [title, payload, message] of [
	["a word", "auto-attach", /want KEY='VALUE'/],
	["no end", "mode='auto-attach", /want KEY='VALUE'/],
	["no start", "'auto-attach'", /want KEY='VALUE'/],
	["nothing between two", "mode='manual'_a='b'", /in a value/],
	["two spaces between two", "mode='manual'  _a='b'", /in a value/],
	["a quote in a value", "_a='b'c'", /want \\' for each '/],
	["a quote in a key", "_a\"='b'", /want KEY='VALUE'/],
	["a key twice", "_a='b' _a='c'", /_a is there twice/],
	["an unknown key", "mode='manual' name='x'", /unknown key name of a device/],
	["an unknown mode", "mode='sometimes'", /unknown mode sometimes/],
	["another class", "devclass='testclass'", /^Got testclass device when expected usb\.$/],
	["another backend", "backend_domain='dom0'", /^Got backend dom0 when expected sys-usb\.$/],
	["another port", "port_id='1-3'", /^Got port 1-3 when expected 1-2\.$/],
	["another front-end", "frontend_domain='vault'", /^Got front-end vault when expected work\.$/],
	["an empty device id", "device_id=''", /device id/],
	["a letter that is not ASCII", "_a='\xe4'", /printable ASCII/],
	["a control character", "_a='\x07'", /printable ASCII/],
	["a NUL", "_a='\0'", /printable ASCII/],
] as const) {
	test(`payload: ${title} is a ProtocolError`, (t) => {
		t.like(
			t.throws(() => parse(payload), { message }),
			{ kind: "ProtocolError" },
		);
	});
}

test("a device id is the one of the argument, if that names one", (t) => {
	const name = { ...NAME, deviceId: "a:b" };
	t.is(parse("device_id='a:b'", name).name.deviceId, "a:b");
	t.like(
		t.throws(() => parse("device_id='c'", name)),
		{ kind: "ProtocolError" },
	);
});

test("what is written is read as it was", (t) => {
	const options = new Map(Object.entries({ a: "\\", b: "'", c: "\\'", d: "' e='", f: "=", g: "", h: "_i='j' ", k: "\\\\'" }));
	const device = deviceOf(usb, "1-2", "x", "usb");
	const text = serializeAssignment({ device, frontend: work, mode: "required", options });
	t.deepEqual(parse(text), { name: { ...NAME, deviceId: "x" }, mode: "required", options });
});
