// qvm-ls, what is shown: spec/admin-core.md 10.3 and 11.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-ls.ts";
import { type Answers, fail, NOTHING, runTool } from "./fake-qubesd.ts";
import { GET_ALL, getAll, PROPERTIES } from "./ls-fixture.ts";

test("qubes are listed by name, with one GetAll for each", async (t) => {
	const { status, out, err, calls } = await runTool(run, [], PROPERTIES);
	t.is(
		out,
		`NAME          STATE    CLASS       LABEL  TEMPLATE  NETVM
debian        Halted   TemplateVM  black  -         -
dom0          Running  AdminVM     black  -         -
sys-firewall  Running  AppVM       green  debian    sys-net
sys-net       Running  AppVM       red    debian    -
vault         Halted   AppVM       black  debian    -
work          Paused   AppVM       blue   debian    sys-firewall
`,
	);
	t.deepEqual([status, err, calls], [0, "", ["L", ...GET_ALL]]);
});

for (const line of [
	["--kernel"],
	["-o", "kernel"],
	["--form=kernel"],
	["-okernel"],
	["-O", "NAME,state,Class,template,kernel,kernelopts"],
]) {
	test(`qvm-ls ${line.join(" ")} says which kernel each qube has, as the kernel package searches for it`, async (t) => {
		const { status, out } = await runTool(run, line, PROPERTIES);
		t.is(status, 0);
		t.regex(out, /^NAME +STATE +CLASS +TEMPLATE +KERNEL +KERNELOPTS\n/);
		t.regex(out, /^sys-net +Running +AppVM +debian +6\.12 +nopat$/m);
		t.regex(out, /^vault +Halted +AppVM +debian +- +nopat$/m);
	});
}

for (const format of ["simple", "network", "kernel", "full", "prefs"]) {
	test(`the format ${format} needs no other calls`, async (t) => {
		const { status, out, calls } = await runTool(run, ["--format", format], PROPERTIES);
		t.deepEqual([status, out.split("\n").length, calls], [0, 8, ["L", ...GET_ALL]]);
	});
}

test("--raw-list has the names and makes one call", async (t) => {
	const outcome = await runTool(run, ["--raw-list"]);
	t.deepEqual(outcome, { status: 0, out: "debian\ndom0\nsys-firewall\nsys-net\nvault\nwork\n", err: "", calls: ["L"] });
	t.deepEqual(JSON.parse((await runTool(run, ["--raw-l", "sys-*", "--reverse", "--json"])).out), ["sys-net", "sys-firewall"]);
});

test("--raw-data has no head, bars between cells and - for what is missing", async (t) => {
	const { out } = await runTool(run, ["--raw-data", "-O", "name,autostart,stubdom-mem,netvm,nosuch", "work", "dom0"], PROPERTIES);
	t.is(out, "dom0|-|-|-|-\nwork|False|-|sys-firewall|-\n");
});

test("columns that the list has make no further call", async (t) => {
	const { out, calls } = await runTool(run, ["-O", "class,state,uuid", "work"]);
	t.is(out, "CLASS  STATE   UUID\nAppVM  Paused  00000000-0000-0000-0000-000000000005\n");
	t.deepEqual(calls, ["L"]);
});

test("--json has values of their types, null for what is missing", async (t) => {
	const { out } = await runTool(run, ["--json", "-O", "NAME,qid,AUTOSTART,netvm,stubdom-mem", "vault", "work"], PROPERTIES);
	t.deepEqual(JSON.parse(out), [
		{ name: "vault", qid: 10, autostart: false, netvm: null, stubdom_mem: null },
		{ name: "work", qid: 9, autostart: false, netvm: "sys-firewall", stubdom_mem: null },
	]);
});

test("a cell cannot forge a line or a cell's end", async (t) => {
	const answers = { [getAll("work")]: "note default=False type=str a\\nb\x1b[1m\n" };
	t.is((await runTool(run, ["--raw-data", "-O", "note,name", "work"], answers)).out, "a\\nb\\x1b[1m|work\n");
});

test("MEMORY asks the running ones only, and is in MiB", async (t) => {
	const { out, calls } = await runTool(run, ["-O", "name,memory", "sys-net", "vault"], {
		"sys-net: admin.vm.CurrentState": "mem=409700 mem_static_max=512000 cputime=100 power_state=Running",
	});
	t.deepEqual([out, calls], ["NAME     MEMORY\nsys-net  400\nvault    -\n", ["L", "sys-net: admin.vm.CurrentState"]]);
});

test("the format disk adds up the volumes, each asked for once", async (t) => {
	const info = (volume: string) => `work: admin.vm.volume.Info+${volume}`;
	const { out, calls } = await runTool(run, ["--raw-data", "-o", "disk", "dom0", "work"], {
		"dom0: admin.vm.volume.List": "",
		"work: admin.vm.volume.List": "root\nprivate\n",
		[info("root")]: `pool=default\nvid=x\nsize=${10 * 2 ** 30}\nusage=0\n`,
		[info("private")]: `pool=default\nvid=x\nsize=${2 * 2 ** 30}\nusage=${2 ** 29}\nsource=\n`,
	});
	t.is(out, "dom0|Running|-|-|-|-|-|-|-\nwork|Paused|512|512|2048|25%|0|10240|0%\n");
	t.deepEqual(calls, ["L", "dom0: admin.vm.volume.List", "work: admin.vm.volume.List", info("root"), info("private")]);
});

test("--tree shows who has its network from whom", async (t) => {
	const { out } = await runTool(run, ["--tree", "-O", "name,label"], PROPERTIES);
	t.is(
		out,
		`NAME            LABEL
debian          black
dom0            black
sys-net         red
└─sys-firewall  green
  └─work        blue
vault           black
`,
	);
});

test("--tree begins with what is there, also if the net qube is not shown or there is a loop", async (t) => {
	const answers: Answers = {
		...PROPERTIES,
		[getAll("sys-net")]: "netvm default=False type=vm vault\n",
		[getAll("vault")]: "netvm default=False type=vm sys-net\n",
	};
	const { out } = await runTool(run, ["-t", "--raw-data", "-O", "name", "vault", "sys-net", "work"], answers);
	t.is(out, "work\nsys-net\n└─vault\n");
});

for (const [line, order] of [
	[["--sort", "qid"], "dom0 debian sys-net sys-firewall work vault"],
	[["--sort", "QID", "--reverse"], "vault work sys-firewall sys-net debian dom0"],
	[["--reverse"], "work vault sys-net sys-firewall dom0 debian"],
	[["--sort=label"], "debian dom0 vault work sys-firewall sys-net"],
] as const) {
	test(`qvm-ls ${line.join(" ")} has the order ${order}`, async (t) => {
		const { out } = await runTool(run, ["--raw-data", "-O", "name,qid,label", ...line], PROPERTIES);
		t.is(out.replace(/\|.*\n/g, " ").trim(), order);
	});
}

test("upper case comes first, but for --ignore-case", async (t) => {
	const L = ["b", "A", "C"].map((name) => `${name} class=AppVM state=Halted uuid=\n`).join("");
	t.is((await runTool(run, ["--raw-list"], { L })).out, "A\nC\nb\n");
	t.is((await runTool(run, ["--raw-list", "--ignore-case"], { L })).out, "A\nb\nC\n");
});

const gone = fail("QubesVMNotFoundError", "No such domain: 'work'");

test("a qube that goes while it is listed is left out", async (t) => {
	const { status, out, err } = await runTool(run, ["work", "vault"], { ...PROPERTIES, [getAll("work")]: gone });
	t.deepEqual([status, err], [0, ""]);
	t.notRegex(out, /work/);
	t.regex(out, /vault/);
});

test("an empty reply to GetAll is no data: each cell is asked for, and may be missing", async (t) => {
	const get = (name: string) => `work: admin.vm.property.Get+${name}`;
	const { status, out, calls } = await runTool(run, ["work", "--raw-data"], {
		[getAll("work")]: NOTHING,
		[get("label")]: "default=False type=label blue",
		[get("template")]: fail("QubesNoSuchPropertyError", "Invalid property"),
		[get("netvm")]: NOTHING,
	});
	t.deepEqual([status, out], [0, "work|Paused|AppVM|blue|-|-\n"]);
	t.deepEqual(calls, ["L", getAll("work"), get("label"), get("template"), get("netvm")]);
});

test("every other error ends the list with 1", async (t) => {
	const { status, out, err } = await runTool(run, [], { ...PROPERTIES, [getAll("work")]: fail("PermissionDenied", "no") });
	t.deepEqual([status, out, err], [1, "", "qvm-ls: error: no\n"]);
});

test("--help-formats and --help-columns ask nothing", async (t) => {
	const formats = await runTool(run, ["--help-formats"]);
	t.regex(formats.out, /^kernel +NAME, STATE, CLASS, TEMPLATE, KERNEL, KERNELOPTS$/m);
	const columns = await runTool(run, ["--help-columns"]);
	t.regex(columns.out, /^MEMORY +\S/m);
	t.deepEqual([formats.status, columns.status, formats.calls, columns.calls], [0, 0, [], []]);
});

for (const line of [
	["-o", "nosuch"],
	["-o", "toString"],
	["-o", "simple", "-O", "name"],
	["-O", ","],
	["--sort", "nosuch"],
]) {
	test(`qvm-ls ${line.join(" ")} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line, PROPERTIES);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("a line of the list that is none is an error", async (t) => {
	const { status, err } = await runTool(run, ["--raw-list"], { L: "work\n" });
	t.deepEqual([status, err], [1, 'qvm-ls: error: qubesd lists an invalid qube: "work"\n']);
});
