// qubes-prefs: spec/admin-core.md 10.2 and 11.
import test from "ava";
import { run } from "../../../admin-core/tools/qubes-prefs.ts";
import { fail, NOTHING, runTool } from "./fake-qubesd.ts";

const LIST = "dom0: admin.property.List";
const GET_ALL = "dom0: admin.property.GetAll";
const KERNEL = "dom0: admin.property.Get+default_kernel";

const ALL = {
	[LIST]: "updatevm\ndefault_kernel\nclockvm\nstats_interval\ncheck_updates_vm\nmaxmem\n",
	[GET_ALL]: `updatevm default=False type=vm sys-net
default_kernel default=False type=str 6.12.1-1.fc41
clockvm default=True type=vm${" "}
stats_interval default=True type=int 3
check_updates_vm default=False type=bool False
maxmem default=True type=int${" "}
`,
};

test("all properties are listed by name: D for a default, - for what is set, U for what is unset", async (t) => {
	const { status, out, err, calls } = await runTool(run, [], ALL);
	t.is(
		out,
		`check_updates_vm  -  False
clockvm           D  None
default_kernel    -  6.12.1-1.fc41
maxmem            U
stats_interval    D  3
updatevm          -  sys-net
`,
	);
	t.deepEqual([status, err, calls], [0, "", [LIST, GET_ALL]]);
});

test("--hide-default leaves out the defaults, but not what is unset", async (t) => {
	const { out } = await runTool(run, ["--hide-def"], ALL);
	t.deepEqual(
		out.split("\n").map((line) => line.split(" ")[0]),
		["check_updates_vm", "default_kernel", "maxmem", "updatevm", ""],
	);
});

test("--json has values of their types, null for none and unset", async (t) => {
	const { out } = await runTool(run, ["--json"], ALL);
	t.deepEqual(JSON.parse(out), {
		check_updates_vm: { default: false, type: "bool", value: false },
		clockvm: { default: true, type: "vm", value: null },
		default_kernel: { default: false, type: "str", value: "6.12.1-1.fc41" },
		maxmem: { default: true, type: "int", value: null },
		stats_interval: { default: true, type: "int", value: 3 },
		updatevm: { default: false, type: "vm", value: "sys-net" },
	});
});

test("values are unescaped, and in a list shown without control characters", async (t) => {
	const answers = { [LIST]: "a\n", [GET_ALL]: "a default=False type=str x\\\\y\\nb\x1b[1m\n" };
	t.is((await runTool(run, [], answers)).out, "a  -  x\\y\\nb\\x1b[1m\n");
	t.is(JSON.parse((await runTool(run, ["--json"], answers)).out).a.value, "x\\y\nb\x1b[1m");
});

test("a property that is listed, but not among the values, is asked for", async (t) => {
	const { out, calls } = await runTool(run, [], {
		[LIST]: "default_kernel\n",
		[GET_ALL]: "",
		[KERNEL]: "default=False type=str 6",
	});
	t.deepEqual([out, calls], ["default_kernel  -  6\n", [LIST, GET_ALL, KERNEL]]);
});

// What the scriptlets of the kernel package and the installer say (10.2).
for (const line of [["default-kernel"], ["-g", "default-kernel"], ["--get", "default-kernel"], ["default_kernel", "--get"]]) {
	test(`qubes-prefs ${line.join(" ")} prints the bare value`, async (t) => {
		const { status, out, err, calls } = await runTool(run, line, { [KERNEL]: "default=False type=str 6.12.1-1.fc41" });
		t.deepEqual([status, out, err, calls], [0, "6.12.1-1.fc41\n", "", [KERNEL]]);
	});
}

for (const line of [
	["--set", "default-kernel", "6.12.1-1.fc41"],
	["-s", "default-kernel", "6.12.1-1.fc41"],
	["default-kernel", "6.12.1-1.fc41"],
	["--force-root", "--set", "default-kernel", "6.12.1-1.fc41"],
	["default-kernel", "--s", "6.12.1-1.fc41"],
]) {
	test(`qubes-prefs ${line.join(" ")} sets it and says nothing`, async (t) => {
		const call = "dom0: admin.property.Set+default_kernel <6.12.1-1.fc41>";
		const { status, out, err, calls } = await runTool(run, line, { [call]: "" });
		t.deepEqual([status, out, err, calls], [0, "", "", [call]]);
	});
}

test("a kernel that is not installed is refused with 1, as scriptlets rely on", async (t) => {
	const call = "dom0: admin.property.Set+default_kernel <9>";
	const { status, err } = await runTool(run, ["-s", "default-kernel", "9"], {
		[call]: fail("QubesPropertyValueError", "Kernel '9' not installed"),
	});
	t.deepEqual([status, err], [1, "qubes-prefs: error: Kernel '9' not installed\n"]);
});

test("true is a value, also after an option without one", async (t) => {
	const call = "dom0: admin.property.Set+check_updates_vm <true>";
	for (const line of [
		["check-updates-vm", "--set", "true"],
		["check-updates-vm", "-s", "true"],
		["-vs", "check-updates-vm", "true"],
	]) {
		t.deepEqual((await runTool(run, line, { [call]: "" })).calls, [call]);
	}
});

test("-D resets", async (t) => {
	for (const option of ["-D", "--default", "--def"]) {
		const call = "dom0: admin.property.Reset+default_netvm";
		const { status, out, calls } = await runTool(run, ["default-netvm", option], { [call]: "" });
		t.deepEqual([status, out, calls], [0, "", [call]]);
	}
});

for (const [reply, out] of [
	["default=True type=vm ", ""],
	["default=True type=int ", ""],
	["default=True type=label ", ""],
	["default=True type=str ", "\n"],
	["default=True type=int 0", "0\n"],
	["default=False type=bool True", "True\n"],
	["default=False type=str two  words \nand lines\n", "two  words \nand lines\n\n"],
] as const) {
	test(`the reply ${JSON.stringify(reply)} is shown as ${JSON.stringify(out)}`, async (t) => {
		const outcome = await runTool(run, ["x"], { "dom0: admin.property.Get+x": reply });
		t.deepEqual([outcome.status, outcome.out, outcome.err], [0, out, ""]);
	});
}

test("one property as JSON", async (t) => {
	const { out } = await runTool(run, ["stats-interval", "--json"], {
		"dom0: admin.property.Get+stats_interval": "default=True type=int 3",
	});
	t.deepEqual(JSON.parse(out), { name: "stats_interval", default: true, type: "int", value: 3 });
});

for (const line of [["no-such"], ["no-such", "x"], ["no-such", "-D"]]) {
	test(`qubes-prefs ${line.join(" ")} ends with 2 where there is no such property`, async (t) => {
		const error = fail("QubesNoSuchPropertyError", "Invalid property 'no_such' of Qubes");
		const { status, out, err } = await runTool(run, line, {
			"dom0: admin.property.Get+no_such": error,
			"dom0: admin.property.Set+no_such <x>": error,
			"dom0: admin.property.Reset+no_such": error,
		});
		t.deepEqual([status, out], [2, ""]);
		t.regex(err, /^usage: qubes-prefs .*\nqubes-prefs: error: no such property: 'no_such'\n$/);
	});
}

for (const line of [["-D"], ["x", "y", "-D"], ["x", "y", "z"], [""], ["x", "--unset"], ["x", "--delete"], ["a b"]]) {
	test(`qubes-prefs ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("only default_dispvm, netvm, template, guivm and audiovm know the word none", async (t) => {
	for (const [line, call] of [
		[["default-dispvm", "NONE"], "dom0: admin.property.Set+default_dispvm"],
		[["clockvm", "none"], "dom0: admin.property.Set+clockvm <none>"],
		[["clockvm", ""], "dom0: admin.property.Set+clockvm"],
	] as const) {
		t.deepEqual((await runTool(run, line, { [call]: "" })).calls, [call]);
	}
});

test("--help-properties lists them with what they are about", async (t) => {
	const answers = {
		[LIST]: "updatevm\nclockvm\n",
		"dom0: admin.property.Help+updatevm": "Qube that downloads.",
		"dom0: admin.property.Help+clockvm": "Qube that knows the time.",
	};
	const { status, out, calls } = await runTool(run, ["--help-p"], answers);
	t.deepEqual([status, out], [0, "clockvm   Qube that knows the time.\nupdatevm  Qube that downloads.\n"]);
	t.deepEqual(calls, [LIST, "dom0: admin.property.Help+clockvm", "dom0: admin.property.Help+updatevm"]);
	const json = JSON.parse((await runTool(run, ["--help-properties", "--json"], answers)).out);
	t.deepEqual(json, { clockvm: "Qube that knows the time.", updatevm: "Qube that downloads." });
});

test("a property that the daemon describes otherwise is an error", async (t) => {
	const { status, err } = await runTool(run, ["x"], { "dom0: admin.property.Get+x": "what" });
	t.is(status, 1);
	t.regex(err, /^qubes-prefs: error: qubesd describes a property as "what"/);
});

test("an empty reply in the middle of a list ends with 1 and without half a list", async (t) => {
	const { status, out } = await runTool(run, [], { ...ALL, [GET_ALL]: NOTHING });
	t.deepEqual([status, out], [1, ""]);
});

test("properties are completed", async (t) => {
	t.is((await runTool(run, ["--get-completions", "cl"], ALL)).out, "clockvm\n");
});
