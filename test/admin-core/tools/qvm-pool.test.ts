// qvm-pool: spec/admin-core.md 8.5, 10.3 and 11, spec/storage-reflink.md 9.2 and 9.5.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-pool.ts";
import { fail, NOTHING, runTool } from "./fake-qubesd.ts";

const LIST = "dom0: admin.pool.List";
const DRIVERS = "dom0: admin.pool.ListDrivers";
const info = (name: string) => `dom0: admin.pool.Info+${name}`;
const details = (name: string) => `dom0: admin.pool.UsageDetails+${name}`;
const space = (name: string) => `dom0: admin.pool.SpaceDetails+${name}`;

const POOLS = {
	[LIST]: "linux-kernel\nvm-pool\n",
	[info("linux-kernel")]: "dir_path=/var/lib/qubes/vm-kernels\ndriver=linux-kernel\nname=linux-kernel\n",
	[info("vm-pool")]: `dir_path=/var/lib/qubes
driver=file-reflink
name=vm-pool
revisions_to_keep=1
size=2000
usage=500
`,
	[details("vm-pool")]: "data_size=2000\ndata_usage=500\n",
	[DRIVERS]: "linux-kernel \nfile-reflink revisions_to_keep dir_path setup_check ephemeral_volatile\n",
};

for (const line of [[], ["list"], ["l"], ["ls"], ["-l"], ["--list"]]) {
	test(`qvm-pool ${line.join(" ")} lists pools and drivers`, async (t) => {
		const { status, out, calls } = await runTool(run, line, POOLS);
		t.is(out, "NAME          DRIVER\nlinux-kernel  linux-kernel\nvm-pool       file-reflink\n");
		t.deepEqual([status, calls], [0, [LIST, info("linux-kernel"), info("vm-pool")]]);
	});
}

for (const line of [
	["info", "vm-pool"],
	["i", "vm-pool"],
	["-i", "vm-pool"],
	["--info", "vm-pool"],
]) {
	test(`qvm-pool ${line.join(" ")} shows the name first, then the rest by name`, async (t) => {
		const { status, out, calls } = await runTool(run, line, POOLS);
		t.is(
			out,
			`name               vm-pool
data_size          2000
data_usage         500
dir_path           /var/lib/qubes
driver             file-reflink
revisions_to_keep  1
size               2000
usage              500
`,
		);
		t.deepEqual([status, calls], [0, [LIST, info("vm-pool"), details("vm-pool"), space("vm-pool")]]);
	});
}

const SPACE = `exclusive=5120
shared=4096
volume=4096 appvms/my work/private
revision=1024 2 appvms/my work/private
revision=0 10 appvms/my work/private
volume=1024 vm-templates/base/root
`;

test("what is shared, and what would be free, stands behind the rest", async (t) => {
	const { out } = await runTool(run, ["info", "vm-pool"], { ...POOLS, [space("vm-pool")]: SPACE });
	t.true(
		out.endsWith(`size               2000
usage              500
exclusive          5120
shared             4096

VOLUME                  REVISION  REMOVAL_FREES
appvms/my work/private            4096
appvms/my work/private  2         1024
appvms/my work/private  10        0
vm-templates/base/root            1024
`),
		out,
	);
	const json = await runTool(run, ["info", "vm-pool", "--json"], { ...POOLS, [space("vm-pool")]: SPACE });
	t.like(JSON.parse(json.out), {
		...{ name: "vm-pool", size: 2000, exclusive: 5120, shared: 4096 },
		volumes: [
			{ vid: "appvms/my work/private", exclusive: 4096, revisions: { "2": 1024, "10": 0 } },
			{ vid: "vm-templates/base/root", exclusive: 1024, revisions: {} },
		],
	});
});

test("where it cannot be found out what is shared, that is said, with the reason", async (t) => {
	const answers = { ...POOLS, [space("vm-pool")]: fail("StoragePoolException", "filefrag takes too long") };
	const { status, out } = await runTool(run, ["info", "vm-pool"], answers);
	t.is(status, 0);
	t.true(
		out.endsWith(
			"\nexclusive          not known: filefrag takes too long\nshared             not known: filefrag takes too long\n",
		),
	);
	const json = await runTool(run, ["info", "vm-pool", "--json"], answers);
	t.like(JSON.parse(json.out), { exclusive: null, shared: null, space_unknown: "filefrag takes too long" });
});

for (const [title, answer] of [
	["has no such method", fail("ProtocolError", "no such method: 'admin.pool.SpaceDetails'")],
	["does not let us", fail("PermissionDenied", "no")],
	["hangs up", NOTHING],
	["knows nothing of it", ""],
] as const) {
	test(`of a daemon that ${title} nothing is shown of what is shared`, async (t) => {
		const { status, out } = await runTool(run, ["info", "vm-pool", "--json"], { ...POOLS, [space("vm-pool")]: answer });
		t.is(status, 0);
		t.deepEqual(Object.keys(JSON.parse(out)), [
			"name",
			"data_size",
			"data_usage",
			"dir_path",
			"driver",
			"revisions_to_keep",
			"size",
			"usage",
		]);
	});
}

test("--json has numbers as numbers, and names as names", async (t) => {
	const answers = {
		...POOLS,
		[LIST]: "7\n",
		[info("7")]: "driver=file-reflink\nname=7\nsize=2000\nincluded_in=\n",
		[details("7")]: "",
	};
	const { out } = await runTool(run, ["info", "7", "--json"], answers);
	t.deepEqual(JSON.parse(out), { name: "7", driver: "file-reflink", included_in: null, size: 2000 });
	const list = JSON.parse((await runTool(run, ["--json"], answers)).out);
	t.deepEqual(list, [{ name: "7", driver: "file-reflink", size: 2000, included_in: null }]);
	const drivers = JSON.parse((await runTool(run, ["drivers", "--json"], POOLS)).out);
	t.deepEqual(drivers[1], { name: "linux-kernel", options: [] });
});

for (const line of [["drivers"], ["d"], ["--help-drivers"]]) {
	test(`qvm-pool ${line.join(" ")} lists drivers with their options, both sorted`, async (t) => {
		const { status, out, calls } = await runTool(run, line, POOLS);
		t.is(
			out,
			`DRIVER        OPTIONS
file-reflink  dir_path, ephemeral_volatile, revisions_to_keep, setup_check
linux-kernel
`,
		);
		t.deepEqual([status, calls], [0, [DRIVERS]]);
	});
}

const ADD = "dom0: admin.pool.Add+file-reflink <name=new\ndir_path=/x=y\nrevisions_to_keep=2\n>";

for (const line of [
	["add", "new", "file-reflink", "-o", "revisions_to_keep=2", "-o", "dir_path=/x=y"],
	["a", "-odir_path=/x=y", "new", "file-reflink", "--option=revisions_to_keep=2"],
	["-a", "new", "file-reflink", "-o", "revisions_to_keep=2", "-o", "dir_path=/x=y"],
	["--add", "new", "file-reflink", "--opt", "dir_path=/x=y", "-o", "revisions_to_keep=2"],
]) {
	test(`qvm-pool ${line.join(" ")} sends the name and the sorted options`, async (t) => {
		t.deepEqual(await runTool(run, line, { [ADD]: "" }), { status: 0, out: "", err: "", calls: [ADD] });
	});
}

test("a pool that cannot be added ends with 1 and the reason", async (t) => {
	const add = "dom0: admin.pool.Add+file-reflink <name=new\n>";
	const { status, err } = await runTool(run, ["add", "new", "file-reflink"], {
		[add]: fail("QubesException", "missing required driver options: dir_path"),
	});
	t.deepEqual([status, err], [1, "qvm-pool: error: Failed to add pool new: missing required driver options: dir_path\n"]);
});

test("a driver that is not there is named, with those that are", async (t) => {
	const answers = {
		...POOLS,
		"dom0: admin.pool.Add+lvm <name=new\n>": fail("PermissionDenied", "Argument not in 'available drivers'"),
	};
	const { status, err } = await runTool(run, ["add", "new", "lvm"], answers);
	t.is(status, 1);
	t.is(err, "qvm-pool: error: Failed to add pool new: no such driver: 'lvm': want one of file-reflink, linux-kernel\n");
});

for (const line of [
	["set", "vm-pool", "-o", "revisions_to_keep=3", "-o", "ephemeral_volatile=True"],
	["s", "vm-pool", "-o", "revisions_to_keep=3", "-o", "ephemeral_volatile=True"],
	["-s", "vm-pool", "-o", "revisions_to_keep=3", "-o", "ephemeral_volatile=True"],
]) {
	test(`qvm-pool ${line.join(" ")} makes a call for each option`, async (t) => {
		const calls = [
			"dom0: admin.pool.Set.revisions_to_keep+vm-pool <3>",
			"dom0: admin.pool.Set.ephemeral_volatile+vm-pool <True>",
		];
		const answers = { ...POOLS, ...Object.fromEntries(calls.map((call) => [call, ""])) };
		t.deepEqual(await runTool(run, line, answers), { status: 0, out: "", err: "", calls: [LIST, ...calls] });
	});
}

for (const line of [
	["remove", "a", "b"],
	["rm", "a", "b"],
	["r", "a", "b"],
	["--remove", "a", "b"],
	["-r", "a", "b"],
]) {
	test(`qvm-pool ${line.join(" ")} removes both, also if the first one is in use`, async (t) => {
		const outcome = await runTool(run, line, {
			"dom0: admin.pool.Remove+a": fail("QubesPoolInUseError", "Pool a is in use"),
			"dom0: admin.pool.Remove+b": "",
		});
		t.deepEqual(outcome, {
			status: 1,
			out: "",
			err: "qvm-pool: error: cannot remove pool a: Pool a is in use\n",
			calls: ["dom0: admin.pool.Remove+a", "dom0: admin.pool.Remove+b"],
		});
	});
}

test("a pool that is not there is a usage error, after one call", async (t) => {
	for (const line of [
		["info", "nosuch"],
		["set", "nosuch", "-o", "revisions_to_keep=1"],
	]) {
		const { status, err, calls } = await runTool(run, line, POOLS);
		t.deepEqual([status, calls], [2, [LIST]]);
		t.true(err.endsWith("qvm-pool: error: no such pool: 'nosuch'\n"));
	}
});

for (const line of [
	["what"],
	[""],
	["list", "vm-pool"],
	["info"],
	["info", "a", "b"],
	["add", "new"],
	["add", "new", "driver", "-o", "dir_path"],
	["add", "new", "driver", "-o", "dir_path=a\nname=other"],
	["add", "new\nx=y", "driver"],
	["add", "new", "driver", "--json"],
	["list", "-o", "a=b"],
	["set", "vm-pool"],
	["set", "vm-pool", "-o", "dir_path=/x"],
	["remove"],
	["-l", "-d"],
	["-a", "-r", "x"],
]) {
	test(`qvm-pool ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, err, calls } = await runTool(run, line, POOLS);
		t.deepEqual([status, out, calls], [2, "", []]);
		t.regex(err, /^usage: qvm-pool .*\nqvm-pool: error: .+\n$/);
	});
}

test("actions, pools and drivers are completed", async (t) => {
	const complete = async (...line: string[]) => (await runTool(run, ["--get-completions", ...line], POOLS)).out;
	t.is(await complete(""), "list\ninfo\nadd\nset\nremove\ndrivers\n");
	t.is(await complete("info", "v"), "vm-pool\n");
	t.is(await complete("set", "l"), "linux-kernel\n");
	t.is(await complete("remove", "vm-pool", ""), "linux-kernel\nvm-pool\n");
	t.is(await complete("add", "new", "f"), "file-reflink\n");
	t.is(await complete("info", "vm-pool", ""), "");
});
