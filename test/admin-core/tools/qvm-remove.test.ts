// qvm-remove: spec/admin-core.md 10.3 and 11.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-remove.ts";
import { type Answers, fail, LIST, NOTHING, runTool } from "./fake-qubesd.ts";

const remove = (name: string) => `${name}: admin.vm.Remove`;
const ALL_GONE: Answers = Object.fromEntries(
	["debian", "sys-firewall", "sys-net", "vault", "work"].map((name) => [remove(name), ""]),
);

for (const [line, names] of [
	[["-f", "work"], ["work"]],
	[
		["--force", "work", "vault", "work"],
		["work", "vault"],
	],
	[
		["sys-*", "-f"],
		["sys-firewall", "sys-net"],
	],
	[
		["-f", "[vw]o*", "v????"],
		["work", "vault"],
	],
	[["-f", "[!s]*t"], ["vault"]],
	[
		["-f", "--all"],
		["debian", "sys-firewall", "sys-net", "vault", "work"],
	],
	[
		["-f", "--all", "--exclude", "work", "--exclude=sys-*"],
		["debian", "vault"],
	],
] as const) {
	test(`qvm-remove ${line.join(" ")} removes ${names.join(", ")}`, async (t) => {
		const outcome = await runTool(run, line, ALL_GONE);
		t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L", ...names.map(remove)] });
	});
}

for (const [answer, status] of [
	["y\n", 0],
	["Y\n", 0],
	["yes", 0],
	["n\n", 1],
	["\n", 1],
	["", 1],
	["no y\n", 1],
] as const) {
	test(`the answer ${JSON.stringify(answer)} to the question ends with ${status}`, async (t) => {
		const { out, ...outcome } = await runTool(run, ["work", "vault"], ALL_GONE, answer);
		t.regex(out, /\n {2}work\n {2}vault\nAre you sure\? \[y\/N\] $/);
		const calls = status === 0 ? ["L", remove("work"), remove("vault")] : ["L"];
		t.deepEqual(outcome, { status, err: status === 0 ? "" : "qvm-remove: error: nothing was removed\n", calls });
	});
}

for (const line of [
	["-f", "dom0"],
	["-f", "work", "dom0"],
	["-f", "*"],
]) {
	test(`qvm-remove ${line.join(" ")} is refused with 1, and nothing is removed`, async (t) => {
		const outcome = await runTool(run, line, ALL_GONE);
		t.deepEqual(outcome, { status: 1, out: "", err: "qvm-remove: error: dom0 cannot be removed\n", calls: ["L"] });
	});
}

for (const [line, calls] of [
	[["-f"], []],
	[["-f", "--all", "work"], ["L"]],
	[["-f", "--exclude", "work", "vault"], ["L"]],
	[["-f", "--all", "--exclude", "nosuch"], ["L"]],
	[["-f", "work", "nosuch*"], ["L"]],
] as const) {
	test(`qvm-remove ${line.join(" ")} is a usage error, and nothing is removed`, async (t) => {
		const outcome = await runTool(run, line, ALL_GONE);
		t.deepEqual([outcome.status, outcome.calls], [2, calls]);
	});
}

test("of a qube in use it is said who uses it, and the other ones are removed", async (t) => {
	const properties = ["template", "netvm", "guivm", "audiovm", "default_dispvm", "management_dispvm"];
	const none = fail("QubesNoSuchPropertyError", "no such property");
	const globals = [
		...["default_dispvm", "default_netvm", "default_guivm", "default_audiovm"],
		...["default_template", "clockvm", "updatevm", "management_dispvm"],
	].map((name) => `dom0: admin.property.Get+${name}`);
	const others = ["dom0", "debian", "sys-net", "vault", "work"];
	const perQube = others.flatMap((qube) => ["is_preload", ...properties].map((name) => `${qube}: admin.vm.property.Get+${name}`));
	const { status, out, err, calls } = await runTool(run, ["-f", "sys-firewall", "vault"], {
		[remove("sys-firewall")]: fail("QubesVMInUseError", "Domain is in use: 'sys-firewall'"),
		[remove("vault")]: "",
		...Object.fromEntries([...globals, ...perQube].map((call) => [call, none])),
		"dom0: admin.property.Get+default_netvm": "default=False type=vm sys-firewall",
		"dom0: admin.property.Get+clockvm": "default=False type=vm sys-net",
		"sys-net: admin.vm.property.Get+is_preload": "default=True type=bool True",
		"sys-net: admin.vm.property.Get+netvm": "default=False type=vm sys-firewall",
		"vault: admin.vm.property.Get+netvm": "default=True type=vm sys-firewall",
		"work: admin.vm.property.Get+is_preload": "default=True type=bool False",
		"work: admin.vm.property.Get+netvm": "default=False type=vm sys-firewall",
		"work: admin.vm.property.Get+default_dispvm": "default=False type=vm sys-firewall",
	});
	t.deepEqual([status, out], [1, ""]);
	t.is(
		err,
		`qvm-remove: error: cannot remove sys-firewall: Domain is in use: 'sys-firewall'
  default_netvm of the system
  netvm of work
  default_dispvm of work
`,
	);
	t.deepEqual(calls, ["L", remove("sys-firewall"), ...globals, "L", ...perQube, remove("vault")]);
});

test("every other refusal is told, and the other ones are removed", async (t) => {
	const { status, err, calls } = await runTool(run, ["-f", "work", "vault"], {
		[remove("work")]: fail("QubesVMNotHaltedError", "Domain is not powered off: 'work'"),
		[remove("vault")]: "",
	});
	t.deepEqual([status, err], [1, "qvm-remove: error: cannot remove work: Domain is not powered off: 'work'\n"]);
	t.deepEqual(calls, ["L", remove("work"), remove("vault")]);
});

test("without a reply nothing more is tried", async (t) => {
	const { status, calls } = await runTool(run, ["-f", "work", "vault"], { [remove("work")]: NOTHING });
	t.deepEqual([status, calls], [1, ["L", remove("work")]]);
});

test("--all where there is only dom0 does nothing and asks nothing", async (t) => {
	const outcome = await runTool(run, ["--all"], { L: LIST.split("\n", 1)[0] as string });
	t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L"] });
});
