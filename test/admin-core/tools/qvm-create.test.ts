// qvm-create: spec/admin-core.md 8.7, 10.3, 11 and 12.34.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-create.ts";
import { fail, NOTHING, runTool } from "./fake-qubesd.ts";

const LABELS = { "dom0: admin.label.List": "red\norange\nblue\n" };
const index = (name: string) => `dom0: admin.label.Index+${name}`;

for (const [line, call] of [
	[["-l", "red", "new"], "admin.vm.Create.AppVM <name=new label=red>"],
	[["-lred", "new"], "admin.vm.Create.AppVM <name=new label=red>"],
	[["new", "--lab=red", "-t", "debian"], "admin.vm.Create.AppVM+debian <name=new label=red>"],
	[["new", "--prop", "label=red", "--property=template=debian"], "admin.vm.Create.AppVM+debian <name=new label=red>"],
	[["--class", "TemplateVM", "new", "-l", "blue"], "admin.vm.Create.TemplateVM <name=new label=blue>"],
	[["-C", "DispVM", "new", "-l", "blue", "-t", "dvm"], "admin.vm.Create.DispVM+dvm <name=new label=blue>"],
	[["--standalone", "new", "-l", "blue"], "admin.vm.Create.StandaloneVM <name=new label=blue>"],
	[["-P", "fast", "new", "-l", "red"], "admin.vm.CreateInPool.AppVM <name=new label=red pool=fast>"],
	[
		["-p", "root=fast", "--pool=private=big", "new", "-l", "red", "-t", "debian"],
		"admin.vm.CreateInPool.AppVM+debian <name=new label=red pool:private=big pool:root=fast>",
	],
] as const) {
	test(`qvm-create ${line.join(" ")} calls ${call}, then lists the qubes`, async (t) => {
		const outcome = await runTool(run, line, { ...LABELS, [`dom0: ${call}`]: "" });
		t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["dom0: admin.label.List", `dom0: ${call}`, "L"] });
	});
}

test("a label by index is looked up, and sent by name", async (t) => {
	const create = "dom0: admin.vm.Create.AppVM <name=new label=orange>";
	const answers = { ...LABELS, [index("red")]: "1", [index("orange")]: "2", [create]: "" };
	const { status, calls } = await runTool(run, ["-l", "2", "new"], answers);
	t.is(status, 0);
	t.deepEqual(calls, ["dom0: admin.label.List", index("red"), index("orange"), create, "L"]);
});

for (const label of ["pink", "9"]) {
	test(`the label ${label}, which is not there, is a usage error that names those that are`, async (t) => {
		const answers = { ...LABELS, [index("red")]: "1", [index("orange")]: "2", [index("blue")]: "6" };
		const { status, err } = await runTool(run, ["-l", label, "new"], answers);
		t.is(status, 2);
		t.true(err.endsWith(`qvm-create: error: no such label: '${label}': want one of red, orange, blue\n`));
	});
}

const CREATE = "dom0: admin.vm.Create.AppVM <name=new label=red>";
const set = (property: string, value: string) => `new: admin.vm.property.Set+${property} <${value}>`;

test("properties are set when the qube is there", async (t) => {
	const { status, calls } = await runTool(run, ["new", "-l", "red", "--prop", "memory=600", "--prop=kernelopts=a=b c"], {
		...LABELS,
		[CREATE]: "",
		[set("memory", "600")]: "",
		[set("kernelopts", "a=b c")]: "",
	});
	t.is(status, 0);
	t.deepEqual(calls, ["dom0: admin.label.List", CREATE, "L", set("memory", "600"), set("kernelopts", "a=b c")]);
});

test("a property that cannot be set ends with 2; the qube is there, the other properties are set", async (t) => {
	const { status, out, err, calls } = await runTool(run, ["new", "-l", "red", "--prop", "memory=0", "--prop", "vcpus=1"], {
		...LABELS,
		[CREATE]: "",
		[set("memory", "0")]: fail("QubesValueError", "Value must be positive"),
		[set("vcpus", "1")]: "",
	});
	t.deepEqual([status, out], [2, ""]);
	t.is(err, "qvm-create: error: new was made, but its property memory cannot be set: Value must be positive\n");
	t.is(calls.at(-1), set("vcpus", "1"));
});

test("--disp is a red DispVM that goes when it halts", async (t) => {
	const create = "dom0: admin.vm.Create.DispVM+dvm <name=new label=red>";
	const { status, calls } = await runTool(run, ["--disp", "-t", "dvm", "new"], {
		...LABELS,
		[create]: "",
		[set("auto_cleanup", "True")]: "",
	});
	t.deepEqual([status, calls], [0, ["dom0: admin.label.List", create, "L", set("auto_cleanup", "True")]]);
});

/** The calls of a copy of what has nothing to copy but a volume, after its creation, and their answers. */
const COPY = {
	"debian: admin.vm.property.List": "memory\n",
	"debian: admin.vm.property.Get+memory": "default=True type=int 400",
	"debian: admin.vm.tag.List": "",
	"debian: admin.vm.feature.List": "",
	"debian: admin.vm.notes.Get": "",
	"debian: admin.vm.firewall.Get": "action=accept\n",
	"new: admin.vm.firewall.Set <action=accept\n>": "",
	"new: admin.vm.volume.List": "root\n",
	"new: admin.vm.volume.Info+root": "save_on_stop=True\n",
	"debian: admin.vm.volume.CloneFrom+root": "token",
	"new: admin.vm.volume.CloneTo+root <token>": "",
	"dom0: admin.deviceclass.List": "",
};
const TEMPLATE = "debian: admin.vm.property.Get+template";

for (const [line, create] of [
	[["--standalone"], "dom0: admin.vm.Create.StandaloneVM <name=new label=red>"],
	[["--class", "StandaloneVM", "-P", "fast"], "dom0: admin.vm.CreateInPool.StandaloneVM <name=new label=red pool=fast>"],
] as const) {
	test(`qvm-create ${line.join(" ")} --template copies that, then sets properties`, async (t) => {
		const { status, calls } = await runTool(run, [...line, "-t", "debian", "-l", "red", "new", "--prop", "memory=600"], {
			...LABELS,
			...COPY,
			[TEMPLATE]: fail("QubesNoSuchPropertyError", "Invalid property 'template' of debian"),
			[create]: "",
			[set("memory", "600")]: "",
		});
		t.is(status, 0);
		const before = ["dom0: admin.label.List", "L", TEMPLATE, create, "L"];
		t.deepEqual(calls, [...before, ...Object.keys(COPY), set("memory", "600")]);
	});
}

test("a copy that fails ends with 1, and nothing of it stays", async (t) => {
	const create = "dom0: admin.vm.Create.StandaloneVM <name=new label=red>";
	const { status, calls } = await runTool(run, ["--standalone", "-t", "debian", "-l", "red", "new"], {
		...{ ...LABELS, ...COPY, [TEMPLATE]: "default=False type=vm ", [create]: "", "new: admin.vm.Remove": "" },
		"debian: admin.vm.volume.CloneFrom+root": fail("StoragePoolException", "disk full"),
	});
	t.deepEqual([status, calls.at(-1)], [1, "new: admin.vm.Remove"]);
});

for (const [kind, message] of [
	["QubesVMAlreadyExistsError", "Domain already exists: 'new'"],
	["QubesVMNotFoundError", "No such domain: 'nosuch'"],
	["QubesValueError", "VM name must be shorter than 32 characters"],
	["PermissionDenied", "Permission denied"],
] as const) {
	test(`${kind} ends with 1, and no property is set`, async (t) => {
		const { status, err, calls } = await runTool(run, ["new", "-l", "red", "--prop", "memory=600"], {
			...LABELS,
			[CREATE]: fail(kind, message),
		});
		t.deepEqual([status, err], [1, `qvm-create: error: ${message}\n`]);
		t.deepEqual(calls, ["dom0: admin.label.List", CREATE]);
	});
}

test("an empty reply to Create ends with 1", async (t) => {
	t.is((await runTool(run, ["new", "-l", "red"], { ...LABELS, [CREATE]: NOTHING })).status, 1);
});

for (const line of [
	[],
	["new"],
	["-l", "red"],
	["-l", "red", "new", "other"],
	["-l", "red", "new", "--prop", "memory"],
	["-l", "red", "new", "--prop", "=1"],
	["-l", "red", "new", "-p", "root"],
	["-l", "red", "new", "-P", "a", "-p", "root=b"],
	["-l", "red", "new", "--standalone", "--class", "AppVM"],
	["-l", "red", "new", "--class", "TemplateVM", "-t", "debian"],
	["-l", "red", "new pool=x"],
	["-l", "red pool=x", "new"],
	["-l", "red", "new", "-r", "root.img"],
	["-l", "red", "new", "-r", "package.json", "-R", "package.json"],
	["-l", "red", "new", "-r", "/dev/zero"],
]) {
	test(`qvm-create ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, err, calls } = await runTool(run, line);
		t.deepEqual([status, out, calls], [2, "", []]);
		t.regex(err, /^usage: qvm-create .*\nqvm-create: error: .+\n$/);
	});
}

test("--help-classes lists the classes", async (t) => {
	const answers = { "dom0: admin.vmclass.List": "TemplateVM\nAppVM\n" };
	const outcome = await runTool(run, ["--help-classes"], answers);
	t.deepEqual(outcome, { status: 0, out: "AppVM\nTemplateVM\n", err: "", calls: ["dom0: admin.vmclass.List"] });
	t.deepEqual(JSON.parse((await runTool(run, ["--help-c", "--json"], answers)).out), ["AppVM", "TemplateVM"]);
});
