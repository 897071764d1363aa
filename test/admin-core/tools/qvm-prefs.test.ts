// qvm-prefs: spec/admin-core.md 10.2 and 11. What it shares with qubes-prefs is tested there.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-prefs.ts";
import { fail, runTool } from "./fake-qubesd.ts";

test("a list asks for the qubes, the names and the values", async (t) => {
	const { status, out, calls } = await runTool(run, ["work"], {
		"work: admin.vm.property.List": "netvm\nmemory\nstubdom_mem\n",
		"work: admin.vm.property.GetAll":
			"netvm default=False type=vm \nmemory default=True type=int 400\nstubdom_mem default=True type=int \n",
	});
	t.deepEqual([status, out], [0, "memory       D  400\nnetvm        -  None\nstubdom_mem  U\n"]);
	t.deepEqual(calls, ["L", "work: admin.vm.property.List", "work: admin.vm.property.GetAll"]);
});

for (const [line, call, reply, out] of [
	[["work", "memory"], "work: admin.vm.property.Get+memory", "default=True type=int 400", "400\n"],
	[
		["-g", "work", "template-for-dispvms"],
		"work: admin.vm.property.Get+template_for_dispvms",
		"default=True type=bool False",
		"False\n",
	],
	[["work", "stubdom_mem"], "work: admin.vm.property.Get+stubdom_mem", "default=True type=int ", ""],
	[["work", "memory", "600"], "work: admin.vm.property.Set+memory <600>", "", ""],
	[["work", "memory", "-1"], "work: admin.vm.property.Set+memory <-1>", "", ""],
	[["-s", "work", "debug", "true"], "work: admin.vm.property.Set+debug <true>", "", ""],
	[["work", "kernelopts", "--", "--quiet"], "work: admin.vm.property.Set+kernelopts <--quiet>", "", ""],
	[["work", "kernelopts", "a b=c"], "work: admin.vm.property.Set+kernelopts <a b=c>", "", ""],
	[["work", "netvm", "None"], "work: admin.vm.property.Set+netvm", "", ""],
	[["work", "netvm", ""], "work: admin.vm.property.Set+netvm", "", ""],
	[["work", "kernel", ""], "work: admin.vm.property.Set+kernel", "", ""],
	[["work", "default_user", "none"], "work: admin.vm.property.Set+default_user <none>", "", ""],
	[["work", "memory", "-D"], "work: admin.vm.property.Reset+memory", "", ""],
	[["work", "-D", "memory"], "work: admin.vm.property.Reset+memory", "", ""],
	[["--default", "work", "memory"], "work: admin.vm.property.Reset+memory", "", ""],
] as const) {
	test(`qvm-prefs ${JSON.stringify(line)} asks for the qubes, then ${call}`, async (t) => {
		const outcome = await runTool(run, line, { [call]: reply });
		t.deepEqual(outcome, { status: 0, out, err: "", calls: ["L", call] });
	});
}

test("one property as JSON", async (t) => {
	const { out } = await runTool(run, ["work", "netvm", "--json"], {
		"work: admin.vm.property.Get+netvm": "default=True type=vm sys-firewall",
	});
	t.deepEqual(JSON.parse(out), { name: "netvm", default: true, type: "vm", value: "sys-firewall" });
});

test("a property that the qube has not is a usage error", async (t) => {
	const { status, err, calls } = await runTool(run, ["dom0", "netvm"], {
		"dom0: admin.vm.property.Get+netvm": fail("QubesNoSuchPropertyError", "Invalid property 'netvm' of dom0"),
	});
	t.deepEqual([status, calls.length], [2, 2]);
	t.regex(err, /^usage: .*\nqvm-prefs: error: no such property: 'netvm'\n$/);
});

for (const [kind, message] of [
	["QubesPropertyValueError", "Can't set netvm to non-existing qube x"],
	["QubesValueError", "The 'work' qube does not provide network"],
	["PermissionDenied", "Permission denied"],
	["QubesVMNotFoundError", "No such domain: 'work'"],
] as const) {
	test(`${kind} while setting ends with 1 and the message`, async (t) => {
		const { status, out, err } = await runTool(run, ["work", "netvm", "x"], {
			"work: admin.vm.property.Set+netvm <x>": fail(kind, message),
		});
		t.deepEqual([status, out, err], [1, "", `qvm-prefs: error: ${message}\n`]);
	});
}

for (const line of [
	["work", "-D"],
	["work", "memory", "1", "-D"],
	["work", "memory", "1", "2"],
]) {
	test(`qvm-prefs ${line.join(" ")} is a usage error and asks nothing`, async (t) => {
		const { status, calls } = await runTool(run, line);
		t.deepEqual([status, calls], [2, []]);
	});
}

for (const [line, qube] of [
	[["--help-properties"], "dom0"],
	[["--help-properties", "work"], "work"],
] as const) {
	test(`qvm-prefs ${line.join(" ")} tells of the properties of ${qube}`, async (t) => {
		const { status, out, calls } = await runTool(run, line, {
			[`${qube}: admin.vm.property.List`]: "label\n",
			[`${qube}: admin.vm.property.Help+label`]: "Colour of the frame.",
		});
		t.deepEqual([status, out], [0, "label  Colour of the frame.\n"]);
		t.deepEqual(calls, [`${qube}: admin.vm.property.List`, `${qube}: admin.vm.property.Help+label`]);
	});
}

test("properties of the qube are completed", async (t) => {
	const answers = { "work: admin.vm.property.List": "netvm\nmemory\n" };
	t.is((await runTool(run, ["--get-completions", "work", "m"], answers)).out, "memory\n");
	t.is((await runTool(run, ["--get-completions", "--socket", "x", "work", "m"], answers)).out, "memory\n");
});
