// qvm-ls, which qubes are shown: spec/admin-core.md 10.3 and 11.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-ls.ts";
import { fail, runTool } from "./fake-qubesd.ts";
import { feature, features, GET_ALL, getAll, PROPERTIES } from "./ls-fixture.ts";

const ALL = ["dom0", "debian", "sys-firewall", "sys-net", "vault", "work"];
const tagLists = ALL.map((name) => `${name}: admin.vm.tag.List`);

const ANSWERS = {
	...PROPERTIES,
	...Object.fromEntries(tagLists.map((call) => [call, ""])),
	"work: admin.vm.tag.List": "job\nbig\n",
	"vault: admin.vm.tag.List": "big\n",
	...features("internal", { vault: "1", work: "" }),
	...features("servicevm", { "sys-net": "1", "sys-firewall": "1" }),
	...features("updates-available", { debian: "1", work: "" }),
	...features("gui", { work: "1", vault: "" }),
};

for (const [line, names, calls] of [
	[["work", "vault"], "vault work", []],
	[["sys-*"], "sys-firewall sys-net", []],
	[["*"], "debian dom0 sys-firewall sys-net vault work", []],
	[["--all"], "debian dom0 sys-firewall sys-net vault work", []],
	[["--all", "--exclude", "sys-*", "--exclude", "dom0"], "debian vault work", []],
	[["--class", "TemplateVM", "AdminVM"], "debian dom0", []],
	[["work", "debian", "--class", "AppVM"], "work", []],
	[["--running"], "dom0 sys-firewall sys-net", []],
	[["--running", "--paused"], "dom0 sys-firewall sys-net work", []],
	[["--halted", "--class=AppVM"], "vault", []],
	[["--label", "red", "blue"], "sys-net work", GET_ALL],
	[["--template-source", "debian"], "sys-firewall sys-net vault work", GET_ALL],
	[["--netvm-is", "sys-net", "sys-firewall"], "sys-firewall work", GET_ALL],
	[["--prefs", "autostart=True"], "sys-net", GET_ALL],
	[["--prefs", "kernel=6.6", "stubdom-mem="], "debian work", GET_ALL],
	[["--prefs", "netvm=", "kernel=6.6"], "debian", GET_ALL],
	[["--prefs", "kernel=''"], "vault", GET_ALL],
	[["--tags", "big"], "vault work", tagLists],
	[["--tags", "job", "other"], "work", tagLists],
	[["--exclude-tags", "job"], "debian dom0 sys-firewall sys-net vault", tagLists],
	[["--tags", "big", "--exclude-tags", "job"], "vault", tagLists],
	[["--internal", "y"], "vault", ALL.map((name) => feature(name, "internal"))],
	[["--internal=no"], "debian dom0 sys-firewall sys-net work", ALL.map((name) => feature(name, "internal"))],
	[["--servicevm", "Y"], "sys-firewall sys-net", ALL.map((name) => feature(name, "servicevm"))],
	[["--pending-update"], "debian", ALL.map((name) => feature(name, "updates-available"))],
	[["--features", "gui=1"], "work", ALL.map((name) => feature(name, "gui"))],
	[["--features", "gui=''"], "vault", ALL.map((name) => feature(name, "gui"))],
	[["--features", 'gui=""'], "vault", ALL.map((name) => feature(name, "gui"))],
	[["--features", "gui="], "debian dom0 sys-firewall sys-net", ALL.map((name) => feature(name, "gui"))],
] as const) {
	test(`qvm-ls ${line.join(" ")} shows ${names}`, async (t) => {
		const outcome = await runTool(run, ["--raw-list", ...line], ANSWERS);
		t.deepEqual([outcome.status, outcome.out.trim().replaceAll("\n", " "), outcome.err], [0, names, ""]);
		t.deepEqual(outcome.calls, ["L", ...calls]);
	});
}

test("words after an option that takes several are its own; after another option they are qubes", async (t) => {
	const { out } = await runTool(run, ["--class", "AppVM", "TemplateVM", "--raw-list", "work", "debian", "dom0"], ANSWERS);
	t.is(out, "debian\nwork\n");
});

test("nothing is asked about qubes that an earlier filter has dropped", async (t) => {
	const { calls } = await runTool(run, ["--class", "AppVM", "--paused", "--label", "blue", "--tags", "job"], ANSWERS);
	t.deepEqual(calls, ["L", getAll("work"), "work: admin.vm.tag.List"]);
});

test("what was asked for a filter is not asked again for a column", async (t) => {
	const { calls } = await runTool(run, ["--netvm-is", "sys-net", "--prefs", "autostart=False"], ANSWERS);
	t.deepEqual(calls, ["L", ...GET_ALL]);
});

test("a filter that fits none leaves the head, in JSON an empty list", async (t) => {
	t.is((await runTool(run, ["--class", "None"], ANSWERS)).out, "NAME  STATE  CLASS  LABEL  TEMPLATE  NETVM\n");
	t.deepEqual(JSON.parse((await runTool(run, ["--class", "None", "--json"], ANSWERS)).out), []);
});

test("a qube that goes while it is filtered is left out", async (t) => {
	const answers = { ...ANSWERS, "work: admin.vm.tag.List": fail("QubesVMNotFoundError", "No such domain: 'work'") };
	t.is((await runTool(run, ["--raw-list", "--tags", "big"], answers)).out, "vault\n");
});

for (const [line, calls] of [
	[["nosuch"], ["L"]],
	[["work", "x*"], ["L"]],
	[["--all", "work"], ["L"]],
	[["--exclude", "work"], ["L"]],
	[["--internal", "maybe"], []],
	[["--features", "gui"], []],
	[["--prefs", "=1"], []],
	[["--class"], []],
	[["--ra"], []],
] as const) {
	test(`qvm-ls ${line.join(" ")} is a usage error`, async (t) => {
		const outcome = await runTool(run, line, ANSWERS);
		t.deepEqual([outcome.status, outcome.out, outcome.calls], [2, "", calls]);
	});
}
