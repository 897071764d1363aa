// qvm-clone: spec/admin-core.md 10.3 and 11.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { run } from "../../../admin-core/tools/qvm-clone.ts";
import { type Answers, fail, NOTHING, runTool } from "./fake-qubesd.ts";

const get = (property: string) => `work: admin.vm.property.Get+${property}`;
const set = (property: string, value: string) => `new: admin.vm.property.Set+${property}${value === "" ? "" : ` <${value}>`}`;
const CREATE = "dom0: admin.vm.Create.AppVM+debian <name=new label=blue>";
const REMOVE = "new: admin.vm.Remove";
const DEVICE = "device_id='*' port_id='sda' devclass='block' backend_domain='sys-net'";
const TOKEN = "0123456789abcdef0123456789abcdef";

/** The calls of a clone with their answers, in their order (spec 11). */
const SEQUENCE: readonly (readonly [call: string, answer: string])[] = [
	[get("template"), "default=False type=vm debian"],
	[get("label"), "default=False type=label blue"],
	[CREATE, ""],
	["L", ""],
	["work: admin.vm.property.List", "name\nqid\nlabel\nuuid\nmemory\nvcpus\ninstalled_by_rpm\nnetvm\nkernelopts\ntemplate\n"],
	[get("memory"), "default=False type=int 600"],
	[set("memory", "600"), ""],
	[get("vcpus"), "default=True type=int 2"],
	[get("netvm"), "default=False type=vm "],
	[set("netvm", ""), ""],
	[get("kernelopts"), "default=False type=str a=b c"],
	[set("kernelopts", "a=b c"), ""],
	["work: admin.vm.tag.List", "created-by-dom0\nmail\n"],
	["new: admin.vm.tag.Set+mail", ""],
	["work: admin.vm.feature.List", "gui\nempty\n"],
	["work: admin.vm.feature.Get+gui", "1"],
	["work: admin.vm.feature.Get+empty", ""],
	["new: admin.vm.feature.Set+gui <1>", ""],
	["new: admin.vm.feature.Set+empty", ""],
	["work: admin.vm.notes.Get", "ask Ada\n"],
	["new: admin.vm.notes.Set <ask Ada\n>", ""],
	["work: admin.vm.firewall.Get", "action=drop\n"],
	["new: admin.vm.firewall.Set <action=drop\n>", ""],
	["new: admin.vm.volume.List", "root\nprivate\n"],
	["new: admin.vm.volume.Info+root", "pool=p\nsave_on_stop=False\n"],
	["new: admin.vm.volume.Info+private", "pool=p\nsave_on_stop=True\n"],
	["work: admin.vm.volume.CloneFrom+private", TOKEN],
	[`new: admin.vm.volume.CloneTo+private <${TOKEN}>`, ""],
	["dom0: admin.deviceclass.List", "block\nusb\n"],
	["work: admin.vm.device.block.Assigned", `sys-net+sda:* ${DEVICE} mode='required' frontend_domain='work' _read-only='yes'\n`],
	[`new: admin.vm.device.block.Assign+sys-net+sda+_ <${DEVICE} mode='required' frontend_domain='new' _read-only='yes'>`, ""],
	["work: admin.vm.device.usb.Assigned", ""],
];
const CALLS = ["L", ...SEQUENCE.map(([call]) => call)];
const { L: _list, ...ANSWERS } = Object.fromEntries(SEQUENCE) as { [call: string]: string };

const NO_MENUS = "qvm-clone: warning: there is no qvm-appmenus here: the application menu of work is not copied\n";

test("a clone is made by the calls of the original, in their order", async (t) => {
	t.deepEqual(await runTool(run, ["work", "new"], ANSWERS), { status: 0, out: "", err: NO_MENUS, calls: CALLS });
});

/** A folder with a qvm-appmenus that consists of these lines. */
function menus(t: ExecutionContext, script: string): { env: { PATH: string }; folder: string } {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "menus-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true }));
	fs.writeFileSync(path.join(folder, "qvm-appmenus"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	return { env: { PATH: `${folder}:${process.env["PATH"]}` }, folder };
}

test("the program for application menus is run where there is one", async (t) => {
	const { env, folder } = menus(t, 'echo "$@" > "$(dirname "$0")/called"');
	const { status, err } = await runTool(run, ["work", "new"], ANSWERS, "", { env });
	t.deepEqual([status, err], [0, ""]);
	t.is(fs.readFileSync(path.join(folder, "called"), "utf8"), "--init --update --source work new\n");
});

test("if it fails the new qube is removed, unless errors are ignored", async (t) => {
	const { env } = menus(t, "echo no menus today >&2; exit 3");
	const failed = await runTool(run, ["work", "new"], { ...ANSWERS, [REMOVE]: "" }, "", { env });
	t.deepEqual([failed.status, failed.err], [1, "qvm-clone: error: qvm-appmenus failed: no menus today\n"]);
	t.is(failed.calls.at(-1), REMOVE);
	const ignored = await runTool(run, ["--ignore-errors", "work", "new"], ANSWERS, "", { env });
	t.is(ignored.err, "qvm-clone: warning: the application menu is not copied: qvm-appmenus failed: no menus today\n");
	t.deepEqual([ignored.status, ignored.calls], [0, CALLS]);
});

for (const [line, create] of [
	[["-P", "fast"], "dom0: admin.vm.CreateInPool.AppVM+debian <name=new label=blue pool=fast>"],
	[
		["-p", "private=fast", "--pool", "kernel=k"],
		"dom0: admin.vm.CreateInPool.AppVM+debian <name=new label=blue pool:kernel=k pool:private=fast>",
	],
	[["--class", "StandaloneVM"], "dom0: admin.vm.Create.StandaloneVM <name=new label=blue>"],
	[["-C", "TemplateVM"], "dom0: admin.vm.Create.TemplateVM <name=new label=blue>"],
	[["-C", "DispVM"], "dom0: admin.vm.Create.DispVM+debian <name=new label=blue>"],
] as const) {
	test(`qvm-clone ${line.join(" ")} creates by ${create}`, async (t) => {
		const { status, calls } = await runTool(run, [...line, "work", "new"], { ...ANSWERS, [create]: "" });
		t.deepEqual([status, calls], [0, CALLS.map((call) => (call === CREATE ? create : call))]);
	});
}

test("what has no template is cloned to what has none", async (t) => {
	const create = "dom0: admin.vm.Create.TemplateVM <name=new label=black>";
	const { calls } = await runTool(run, ["debian", "new"], {
		"debian: admin.vm.property.Get+template": fail("QubesNoSuchPropertyError", "Invalid property 'template' of debian"),
		"debian: admin.vm.property.Get+label": "default=False type=label black",
		[create]: fail("QubesVMAlreadyExistsError", "Domain already exists: 'new'"),
	});
	t.is(calls.at(-1), create);
});

test("without notes none are set", async (t) => {
	const { status, calls } = await runTool(run, ["work", "new"], { ...ANSWERS, "work: admin.vm.notes.Get": "" });
	t.deepEqual([status, calls], [0, CALLS.filter((call) => !call.startsWith("new: admin.vm.notes.Set"))]);
});

test("a property that the class of the copy does not have is left out", async (t) => {
	const lacking = fail("QubesNoSuchPropertyError", "Invalid property 'netvm' of new");
	const { status, err, calls } = await runTool(run, ["work", "new"], { ...ANSWERS, [set("netvm", "")]: lacking });
	t.deepEqual([status, err, calls], [0, NO_MENUS, CALLS]);
});

test("if the qube cannot be made nothing is removed", async (t) => {
	for (const answer of [fail("QubesVMAlreadyExistsError", "Domain already exists: 'new'"), NOTHING]) {
		const { status, calls } = await runTool(run, ["work", "new"], { ...ANSWERS, [CREATE]: answer });
		t.deepEqual([status, calls], [1, CALLS.slice(0, CALLS.indexOf(CREATE) + 1)]);
	}
});

// Whatever fails after the creation: the copy goes, or with --ignore-errors all the rest is copied.
for (const [call] of SEQUENCE.slice(4)) {
	const short = call.split(" <")[0];
	test(`if ${short} fails the copy is removed`, async (t) => {
		for (const answer of [fail("QubesException", "no"), NOTHING]) {
			const { status, err, calls } = await runTool(run, ["-q", "work", "new"], { ...ANSWERS, [call]: answer, [REMOVE]: "" });
			const message = answer === NOTHING ? "Got empty response from qubesd; its journal says why" : "no";
			t.deepEqual([status, err], [1, `qvm-clone: error: ${message}\n`]);
			t.deepEqual(calls, [...CALLS.slice(0, CALLS.indexOf(call) + 1), REMOVE]);
		}
	});
}

test("with --ignore-errors what cannot be copied is named, and the rest is copied", async (t) => {
	const no = fail("QubesException", "no");
	const broken = [
		set("memory", "600"),
		"new: admin.vm.tag.Set+mail",
		"new: admin.vm.feature.Set+gui <1>",
		"work: admin.vm.notes.Get",
	];
	const more = ["work: admin.vm.firewall.Get", "work: admin.vm.volume.CloneFrom+private", SEQUENCE.at(-2)?.[0] as string];
	const answers: Answers = { ...ANSWERS, ...Object.fromEntries([...broken, ...more].map((call) => [call, no])) };
	const { status, err, calls } = await runTool(run, ["--ignore-errors", "work", "new"], answers);
	const named = [
		"property memory",
		"tag mail",
		"feature gui",
		"notes",
		"firewall",
		"volume private",
		"assigned block device sda",
	];
	for (const what of named) t.true(err.includes(`qvm-clone: warning: the ${what} is not copied: no\n`), what);
	t.deepEqual([status, calls.includes(REMOVE), calls.at(-1)], [0, false, CALLS.at(-1)]);
});

test("with --ignore-errors a list that cannot be had is left out", async (t) => {
	const lists = [
		"work: admin.vm.property.List",
		"work: admin.vm.tag.List",
		"new: admin.vm.volume.List",
		"dom0: admin.deviceclass.List",
	];
	const answers: Answers = { ...ANSWERS, ...Object.fromEntries(lists.map((call) => [call, NOTHING])) };
	const { status, err, calls } = await runTool(run, ["--ignore-errors", "work", "new"], answers);
	t.deepEqual([status, calls.includes(REMOVE)], [0, false]);
	for (const what of ["properties", "tags", "volumes", "assigned devices"])
		t.true(err.includes(`the list of ${what} is not copied`));
});

test("a copy that cannot be removed is named", async (t) => {
	const { status, err } = await runTool(run, ["-q", "work", "new"], {
		...ANSWERS,
		"new: admin.vm.tag.Set+mail": fail("QubesException", "disk full"),
		[REMOVE]: fail("QubesVMInUseError", "in use"),
	});
	t.is(status, 1);
	t.is(err, "qvm-clone: error: disk full; and new, which is not whole, cannot be removed: in use\n");
});

for (const line of [
	[],
	["work"],
	["work", "new", "x"],
	["work", "new", "-P", "a", "-p", "root=b"],
	["work", "new", "-P", "a b"],
	["work", "new", "-p", "x"],
]) {
	test(`qvm-clone ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line, ANSWERS);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("a name that would be several options is a usage error, and nothing is made", async (t) => {
	for (const line of [
		["work", "new pool=x"],
		["work", "new", "-C", "App VM"],
	]) {
		const { status, calls } = await runTool(run, line, ANSWERS);
		t.deepEqual([status, calls], [2, []]);
	}
});

test("qubes are completed", async (t) => {
	t.is((await runTool(run, ["--get-completions", "w"])).out, "work\n");
	t.is((await runTool(run, ["--get-completions", "work", ""])).out, "");
});
