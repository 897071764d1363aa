// qvm-device: spec/admin-core.md 4.3, 4.4, 8.8, 10.3 and 11.
import test from "ava";
import { deviceCommand, run } from "../../../admin-core/tools/qvm-device.ts";
import { type Answers, fail, LIST, NOTHING, runTool } from "./fake-qubesd.ts";

const QUBES = LIST.trim()
	.split("\n")
	.map((line) => line.split(" ")[0] as string);
const call = (qube: string, action: string, klass = "block") => `${qube}: admin.vm.device.${klass}.${action}`;

const address = (port: string, id: string) => `device_id='${id}' port_id='${port}' devclass='block' backend_domain='sys-net'`;
const ID = "0781:5567:4C53:b080650";
const SDA = `sda:${ID} ${address("sda", ID)} vendor='SanDisk' product='Cruzer' serial='4C53' attachment='work' interfaces='b080650' _size='1000'\n`;
const SDB = `sdb:0000:0000::?****** ${address("sdb", "0000:0000::?******")}  interfaces='?******'\n`;
const WORK_HAS_SDA = `sys-net+sda:${ID} ${address("sda", ID)} mode='manual' frontend_domain='work' _read-only='yes'\n`;
const VAULT_WANTS_SDB = `sys-net+sdb:* ${address("sdb", "*")} mode='required' frontend_domain='vault'\n`;
const VAULT_WANTS_OTHER = `sys-net+*:1:2::u030101 ${address("*", "1:2::u030101")} mode='ask-to-attach' frontend_domain='vault' _a='b' _c='d'\n`;

const DEVICES: Answers = {
	...Object.fromEntries(QUBES.flatMap((qube) => ["Attached", "Available", "Assigned"].map((action) => [call(qube, action), ""]))),
	[call("sys-net", "Available")]: SDA + SDB,
	[call("work", "Attached")]: WORK_HAS_SDA,
	[call("vault", "Assigned")]: VAULT_WANTS_OTHER + VAULT_WANTS_SDB,
	"dom0: admin.deviceclass.List": "usb\nblock\n",
};

for (const line of [["block"], ["block", "list"], ["block", "ls"], ["block", "l"]]) {
	test(`qvm-device ${line.join(" ")} lists devices and who has them`, async (t) => {
		const { status, out, calls } = await runTool(run, line, DEVICES);
		t.is(out, "sys-net:sda  SanDisk Cruzer (4C53)  work (read-only=yes)\nsys-net:sdb  unknown\n");
		t.deepEqual([status, calls], [0, ["L", ...QUBES.flatMap((qube) => [call(qube, "Attached"), call(qube, "Available")])]]);
	});
}

test("-s also shows who is to get a device, be it there or not", async (t) => {
	const { out, calls } = await runTool(run, ["block", "list", "-s"], DEVICES);
	t.is(
		out,
		`sys-net:*:1:2::u030101  (not there)            vault (ask-to-attach, a=b, c=d)
sys-net:sda             SanDisk Cruzer (4C53)  work (read-only=yes)
sys-net:sdb             unknown                vault (required)
`,
	);
	t.deepEqual(calls, [
		"L",
		...QUBES.flatMap((qube) => ["Attached", "Assigned", "Available"].map((action) => call(qube, action))),
	]);
});

test("with a VMNAME there is what it offers, has, or is to get", async (t) => {
	const list = async (...line: string[]) => (await runTool(run, ["block", "list", ...line], DEVICES)).out;
	t.is((await list("sys-net")).split("\n").length, 3);
	t.is(await list("work"), "sys-net:sda  SanDisk Cruzer (4C53)  work (read-only=yes)\n");
	t.is(await list("debian"), "");
	t.is(
		await list("-s", "v*"),
		"sys-net:*:1:2::u030101  (not there)  vault (ask-to-attach, a=b, c=d)\nsys-net:sdb             unknown      vault (required)\n",
	);
});

test("--json says all of it", async (t) => {
	const [first] = JSON.parse((await runTool(run, ["block", "list", "-s", "sys-net", "--json"], DEVICES)).out);
	t.deepEqual(first, {
		backend: "sys-net",
		port: "*",
		device_id: "1:2::u030101",
		available: false,
		attached: [],
		assigned: [{ frontend: "vault", mode: "ask-to-attach", options: { a: "b", c: "d" } }],
	});
	const info = JSON.parse((await runTool(run, ["block", "info", "sys-net:sda", "--json"], DEVICES)).out);
	t.deepEqual(info, {
		backend: "sys-net",
		port: "sda",
		device_id: ID,
		vendor: "SanDisk",
		product: "Cruzer",
		serial: "4C53",
		attachment: "work",
		interfaces: ["b080650"],
		data: { size: "1000" },
	});
});

test("a qube that is gone meanwhile has no devices", async (t) => {
	const gone = fail("QubesVMNotFoundError", "No such domain: 'vault'");
	const { status } = await runTool(run, ["block"], {
		...DEVICES,
		[call("vault", "Attached")]: gone,
		[call("vault", "Available")]: gone,
	});
	t.is(status, 0);
});

test("what is no device ends with 1", async (t) => {
	const { status, err } = await runTool(run, ["block"], { ...DEVICES, [call("sys-net", "Available")]: "sda:1 nonsense\n" });
	t.deepEqual([status, err], [1, 'qvm-device: error: qubesd lists an invalid device: "sda:1 nonsense"\n']);
});

for (const word of ["info", "i"]) {
	test(`qvm-device block ${word} shows a device and asks its backend only`, async (t) => {
		const { status, out, calls } = await runTool(run, ["block", word, "sys-net:sda"], DEVICES);
		t.is(
			out,
			`device       sys-net:sda:${ID}
description  SanDisk Cruzer (4C53)
vendor       SanDisk
product      Cruzer
serial       4C53
attachment   work
interfaces   b080650
size         1000
`,
		);
		t.deepEqual([status, calls], [0, [call("sys-net", "Available")]]);
	});
}

const payload = (port: string, id: string, mode: string, frontend: string, more = "") =>
	`<${address(port, id)} mode='${mode}' frontend_domain='${frontend}'${more}>`;
const ARGUMENT = "sys-net+sda+0781+5567+4C53+b080650";
const AVAILABLE = call("sys-net", "Available");

for (const [line, more] of [
	[["attach", "work", "sys-net:sda"], ""],
	[["at", "work", `sys-net:sda:${ID}`], ""],
	[["a", "work", "sys-net:sda", "--ro"], " _read-only='yes'"],
	[
		["attach", "-o", "frontend-dev=xvdi", "work", "sys-net:sda", "--option=read-only=no"],
		" _frontend-dev='xvdi' _read-only='no'",
	],
	[["attach", "work", `sys-net:*:${ID}`], ""],
] as const) {
	test(`qvm-device block ${line.join(" ")} attaches the device that is there`, async (t) => {
		const attach = `${call("work", `Attach+${ARGUMENT}`)} ${payload("sda", ID, "manual", "work", more)}`;
		const outcome = await runTool(run, ["block", ...line], { ...DEVICES, [attach]: "" });
		t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L", AVAILABLE, attach] });
	});
}

const getAll = (qube: string) => `${qube}: admin.vm.property.GetAll`;
const NONE_DENIED = "devices_denied default=True type=str \n";

for (const [line, argument, port, id, mode, more] of [
	[["assign", "vault", "sys-net:sda"], ARGUMENT, "sda", ID, "auto-attach", ""],
	[["s", "vault", `sys-net:sda:${ID}`, "--ask"], ARGUMENT, "sda", ID, "ask-to-attach", ""],
	[["assign", "--required", "vault", "sys-net:sda", "--ro"], ARGUMENT, "sda", ID, "required", " _read-only='yes'"],
	[["attach", "-p", "vault", "sys-net:sda"], ARGUMENT, "sda", ID, "required", ""],
	[["assign", "vault", "sys-net:sda", "--port"], "sys-net+sda+_", "sda", "*", "auto-attach", ""],
	[["assign", "vault", "sys-net:nosuch", "--port"], "sys-net+nosuch+_", "nosuch", "*", "auto-attach", ""],
	[["assign", "vault", "sys-net:sda:*"], "sys-net+sda+_", "sda", "*", "auto-attach", ""],
	[["assign", "vault", "sys-net:sda", "--device"], "sys-net+_+0781+5567+4C53+b080650", "*", ID, "auto-attach", ""],
	[["assign", "vault", "sys-net:*:1:2::u030101"], "sys-net+_+1+2++u030101", "*", "1:2::u030101", "auto-attach", ""],
	[["assign", "vault", "sys-net:sdb"], "sys-net+sdb+0000+0000++_______", "sdb", "0000:0000::?******", "auto-attach", ""],
] as const) {
	test(`qvm-device block ${line.join(" ")} assigns, then looks what is denied`, async (t) => {
		const assign = `${call("vault", `Assign+${argument}`)} ${payload(port, id, mode, "vault", more)}`;
		const outcome = await runTool(run, ["block", ...line], { ...DEVICES, [assign]: "", [getAll("vault")]: NONE_DENIED });
		t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L", AVAILABLE, assign, getAll("vault")] });
	});
}

const assignTo = (qube: string) => `${call(qube, `Assign+${ARGUMENT}`)} ${payload("sda", ID, "auto-attach", qube)}`;

test("a qube that runs gets an assigned device at its next start, which is said unless it has it", async (t) => {
	const answers = {
		...DEVICES,
		[assignTo("work")]: "",
		[getAll("work")]: NONE_DENIED,
		[assignTo("sys-firewall")]: "",
		[getAll("sys-firewall")]: NONE_DENIED,
	};
	const has = await runTool(run, ["block", "assign", "work", "sys-net:sda"], answers);
	t.deepEqual([has.status, has.err, has.calls.at(-1)], [0, "", call("work", "Attached")]);
	const lacks = await runTool(run, ["block", "assign", "sys-firewall", "sys-net:sda"], answers);
	t.is(lacks.status, 0);
	t.is(
		lacks.err,
		"qvm-device: warning: sys-firewall runs, and gets it at its next start: to attach it now, use: qvm-device block attach sys-firewall sys-net:sda\n",
	);
	t.is((await runTool(run, ["block", "-q", "assign", "sys-firewall", "sys-net:sda"], answers)).err, "");
});

for (const [denied, isWarned] of [
	["b******", true],
	["u******b08****", true],
	["b080650", true],
	["*******", true],
	["u******", false],
	["b090***", false],
	["", false],
] as const) {
	test(`devices_denied of "${denied}" ${isWarned ? "makes" : "makes no"} warning`, async (t) => {
		const { status, err } = await runTool(run, ["block", "assign", "vault", "sys-net:sda"], {
			...DEVICES,
			[assignTo("vault")]: "",
			[getAll("vault")]: `devices_denied default=False type=str ${denied}\n`,
		});
		const warning = "qvm-device: warning: the devices_denied of vault forbid the interface b080650: it will not be attached\n";
		t.deepEqual([status, err], [0, isWarned ? warning : ""]);
	});
}

test("an assignment that is made is a success, also if nobody can be asked what follows from it", async (t) => {
	for (const answer of [NOTHING, fail("PermissionDenied", "no")]) {
		const answers = { ...DEVICES, [assignTo("vault")]: "", [getAll("vault")]: answer };
		const { status, err } = await runTool(run, ["block", "assign", "vault", "sys-net:sda"], answers);
		t.deepEqual([status, err], [0, ""]);
	}
});

const DETACH = call("work", `Detach+${ARGUMENT}`);
for (const word of ["detach", "d", "dt"]) {
	test(`qvm-device block ${word} detaches one device, or all of them`, async (t) => {
		const answers = { ...DEVICES, [DETACH]: "" };
		const one = await runTool(run, ["block", word, "work", "sys-net:sda"], answers);
		t.deepEqual(one, { status: 0, out: "", err: "", calls: ["L", AVAILABLE, DETACH] });
		const all = await runTool(run, ["block", word, "work"], answers);
		t.deepEqual(all, { status: 0, out: "", err: "", calls: ["L", call("work", "Attached"), DETACH] });
	});
}

test("a device that is not there any more can be detached", async (t) => {
	const detach = call("work", "Detach+sys-net+sdz+_");
	const { status, calls } = await runTool(run, ["block", "detach", "work", "sys-net:sdz"], { ...DEVICES, [detach]: "" });
	t.deepEqual([status, calls], [0, ["L", AVAILABLE, detach]]);
});

const UNASSIGN_SDB = call("vault", "Unassign+sys-net+sdb+_");
for (const word of ["unassign", "u"]) {
	test(`qvm-device block ${word} undoes one assignment, or all of them`, async (t) => {
		const other = call("vault", "Unassign+sys-net+_+1+2++u030101");
		const answers = { ...DEVICES, [UNASSIGN_SDB]: "", [other]: "" };
		const after = call("vault", "Attached");
		const one = await runTool(run, ["block", word, "vault", "sys-net:sdb", "--port"], answers);
		t.deepEqual(one, { status: 0, out: "", err: "", calls: ["L", AVAILABLE, UNASSIGN_SDB, after] });
		const all = await runTool(run, ["block", word, "vault"], answers);
		t.deepEqual(all, { status: 0, out: "", err: "", calls: ["L", call("vault", "Assigned"), other, UNASSIGN_SDB, after] });
	});
}

test("what is unassigned and still attached is said", async (t) => {
	const unassign = call("work", `Unassign+${ARGUMENT}`);
	const { status, err } = await runTool(run, ["block", "unassign", "work", "sys-net:sda"], { ...DEVICES, [unassign]: "" });
	t.deepEqual([status, err], [0, `qvm-device: warning: sys-net:sda:${ID} is still attached to work: detach it too\n`]);
});

for (const [kind, message, shown] of [
	["DeviceAlreadyAttached", "it is", "it is"],
	["PermissionDenied", "no", "no"],
	["QubesVMNotRunningError", "Domain is not running: 'work'", "Domain is not running: 'work'"],
] as const) {
	test(`${kind} ends with 1`, async (t) => {
		const attach = `${call("work", `Attach+${ARGUMENT}`)} ${payload("sda", ID, "manual", "work")}`;
		const { status, err } = await runTool(run, ["block", "attach", "work", "sys-net:sda"], {
			...DEVICES,
			[attach]: fail(kind, message),
		});
		t.deepEqual([status, err], [1, `qvm-device: error: ${shown}\n`]);
	});
}

for (const [line, message] of [
	[["attach", "work", "sys-net:sdz"], `sys-net has no block device "sys-net:sdz": it has sda:${ID}, sdb:0000:0000::?******`],
	[
		["attach", "work", "sys-net:sda:1:2"],
		`sys-net has no block device "sys-net:sda:1:2": it has sda:${ID}, sdb:0000:0000::?******`,
	],
	[["assign", "work", "sys-net:sdz"], `sys-net has no block device "sys-net:sdz": it has sda:${ID}, sdb:0000:0000::?******`],
	[
		["assign", "work", "sys-net:sdz", "--device"],
		`sys-net has no block device "sys-net:sdz": it has sda:${ID}, sdb:0000:0000::?******`,
	],
	[["info", "vault:sda"], 'vault has no block device "vault:sda": it has none'],
	[["attach", "nosuch", "sys-net:sda"], "no such domain: 'nosuch'"],
	[["detach", "work", "nosuch:sda"], "no such domain: 'nosuch'"],
	[["detach", "nosuch"], "no such domain: 'nosuch'"],
	[["list", "nosuch"], "no such domain: 'nosuch'"],
] as const) {
	test(`qvm-device block ${line.join(" ")} is a usage error and changes nothing`, async (t) => {
		const { status, err, calls } = await runTool(run, ["block", ...line], DEVICES);
		t.is(status, 2);
		t.true(err.endsWith(`\nqvm-device: error: ${message}\n`), err);
		t.false(calls.some((one) => /(Attach|Assign|Detach)\+/.test(one)));
	});
}

test("an ID that is at two ports is none", async (t) => {
	const twice = SDA + SDA.replaceAll("sda", "sdc");
	const { status, err } = await runTool(run, ["block", "attach", "work", `sys-net:*:${ID}`], { ...DEVICES, [AVAILABLE]: twice });
	t.is(status, 2);
	t.true(err.endsWith(`"sys-net:*:${ID}" is at several ports: sda, sdc\n`));
});

for (const line of [
	[],
	["Block"],
	["block+x"],
	["block", "what"],
	["block", "attach", "work"],
	["block", "attach", "work", "sys-net"],
	["block", "attach", "work", "sys-net:sda", "--required"],
	["block", "attach", "work", "sys-net:sda", "-o", "x"],
	["block", "assign", "work", "sys-net:sda", "--ask", "--required"],
	["block", "assign", "work", "sys-net:sda", "-p"],
	["block", "info"],
	["block", "info", "sys-net:*"],
	["block", "detach", "work", "sys-net:sda", "more"],
	["block", "detach", "work", "--ro"],
	["block", "unassign", "work", "sys-net:sda", "--json"],
]) {
	test(`qvm-device ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line, DEVICES);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("an option that cannot be written is a usage error, and nothing is sent", async (t) => {
	for (const option of ["a b=c", "ä=b", "a=ä", "a'=b"]) {
		const { status, calls } = await runTool(run, ["block", "attach", "work", "sys-net:sda", "-o", option], DEVICES);
		t.deepEqual([status, calls], [2, ["L", AVAILABLE]], option);
	}
});

test("--list-device-classes lists the classes", async (t) => {
	const outcome = await runTool(run, ["--list-device-classes"], DEVICES);
	t.deepEqual(outcome, { status: 0, out: "block\nusb\n", err: "", calls: ["dom0: admin.deviceclass.List"] });
	t.deepEqual(JSON.parse((await runTool(run, ["--list-device-classes", "--json"], DEVICES)).out), ["block", "usb"]);
});

test("qvm-block is qvm-device block", async (t) => {
	const block = deviceCommand("qvm-block", "block");
	const [short, long] = [await runTool(block, ["list", "-s"], DEVICES), await runTool(run, ["block", "list", "-s"], DEVICES)];
	t.deepEqual(short, long);
	t.deepEqual(await runTool(block, [], DEVICES), await runTool(run, ["block"], DEVICES));
	t.true((await runTool(block, ["what"])).err.startsWith("usage: qvm-block [OPTION...] [ACTION [WORD...]]\n"));
});

test("classes, actions, qubes and devices are completed", async (t) => {
	const complete = async (...line: string[]) => (await runTool(run, ["--get-completions", ...line], DEVICES)).out;
	t.is(await complete("u"), "usb\n");
	t.is(await complete("block", "a"), "attach\nassign\n");
	t.is(await complete("block", "list", "w"), "work\n");
	t.is(await complete("block", "attach", "wo"), "work\n");
	t.is(await complete("block", "attach", "work", "sys-net:"), "sys-net:sda\nsys-net:sdb\n");
	t.is(await complete("block", "detach", "work", ""), `sys-net:sda:${ID}\n`);
	t.is(await complete("block", "unassign", "vault", "sys-net:s"), "sys-net:sdb:*\n");
	t.is(await complete("block", "info", "sys-net:sdb"), "sys-net:sdb\n");
});
