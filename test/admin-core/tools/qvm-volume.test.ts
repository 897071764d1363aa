// qvm-volume but its import: spec/admin-core.md 8.6, 10.3 and 11, spec/storage-reflink.md 9.3 and 9.5.
import test from "ava";
import { run } from "../../../admin-core/tools/qvm-volume.ts";
import { type Answers, fail, LIST, runTool } from "./fake-qubesd.ts";

const list = (qube: string) => `${qube}: admin.vm.volume.List`;
const info = (qube: string, volume: string) => `${qube}: admin.vm.volume.Info+${volume}`;
const snapshots = (qube: string, volume: string) => `${qube}: admin.vm.volume.ListSnapshots+${volume}`;

const PRIVATE = `pool=vm-pool
vid=appvms/work/private
size=2147483648
usage=1048576
rw=True
source=
path=/var/lib/qubes/appvms/work/private-dirty.img
save_on_stop=True
snap_on_start=False
revisions_to_keep=-1
ephemeral=False
is_outdated=False
`;
const ROOT = PRIVATE.replace("private", "root").replace("vm-pool", "other").replace("save_on_stop=True", "save_on_stop=False");

const VOLUMES: Answers = {
	...Object.fromEntries(LIST.split("\n").map((line) => [list(line.split(" ")[0] as string), ""])),
	[list("work")]: "root\nprivate\n",
	[list("vault")]: "private\n",
	[info("work", "root")]: ROOT,
	[info("work", "private")]: PRIVATE,
	[info("vault", "private")]: PRIVATE.replace("work", "vault").replace("revisions_to_keep=-1", "revisions_to_keep=2"),
	[snapshots("work", "root")]: "",
	[snapshots("work", "private")]: "1@2024-01-01T00:00:00Z\n2@2024-01-02T00:00:00Z\n",
	[snapshots("vault", "private")]: "",
};
const OF_VAULT = [list("vault"), info("vault", "private"), snapshots("vault", "private")];
const OF_WORK = [
	list("work"),
	info("work", "root"),
	snapshots("work", "root"),
	info("work", "private"),
	snapshots("work", "private"),
];

for (const line of [["list"], ["ls"], ["l"], []]) {
	test(`qvm-volume ${line.join(" ")} lists all volumes by pool and vid`, async (t) => {
		const { status, out, calls } = await runTool(run, line, VOLUMES);
		t.is(
			out,
			`POOL:VOLUME                   VMNAME  VOLUME_NAME  REVERT_POSSIBLE
other:appvms/work/root        work    root         No
vm-pool:appvms/vault/private  vault   private      No
vm-pool:appvms/work/private   work    private      Yes
`,
		);
		const others = ["dom0", "debian", "sys-firewall", "sys-net"].map(list);
		t.deepEqual([status, calls], [0, ["L", ...others, ...OF_VAULT, ...OF_WORK]]);
	});
}

test("qvm-volume list VMNAME asks about that one only; patterns do", async (t) => {
	t.deepEqual((await runTool(run, ["list", "va*"], VOLUMES)).calls, ["L", ...OF_VAULT]);
});

test("qvm-volume list -p shows one pool", async (t) => {
	const answers = { ...VOLUMES, "dom0: admin.pool.List": "vm-pool\nother\n" };
	const { out, calls } = await runTool(run, ["list", "-p", "other", "work", "--json"], answers);
	t.deepEqual(JSON.parse(out), [{ pool: "other", vid: "appvms/work/root", qube: "work", volume: "root", revisions: [] }]);
	t.false(calls.includes(snapshots("work", "private")));
	const { status, err } = await runTool(run, ["list", "-p", "nosuch"], answers);
	t.is(status, 2);
	t.true(err.endsWith("qvm-volume: error: no such pool: 'nosuch'\n"));
});

test("a qube that is gone meanwhile is not listed", async (t) => {
	const { status, out } = await runTool(run, ["list", "work", "vault"], {
		...VOLUMES,
		[list("work")]: fail("QubesVMNotFoundError", "No such domain: 'work'"),
	});
	t.deepEqual([status, out.split("\n").length], [0, 3]);
});

for (const line of [
	["info", "work:private"],
	["i", "work:private"],
]) {
	test(`qvm-volume ${line.join(" ")} shows a volume and its revisions`, async (t) => {
		const { status, out, calls } = await runTool(run, line, VOLUMES);
		t.is(
			out,
			`pool               vm-pool
vid                appvms/work/private
rw                 True
source
save_on_stop       True
snap_on_start      False
size               2147483648
usage              1048576
revisions_to_keep  -1 (snapshot disabled)
ephemeral          False
is_outdated        False
Available revisions (for revert):
  1@2024-01-01T00:00:00Z
  2@2024-01-02T00:00:00Z
`,
		);
		t.deepEqual([status, calls], [0, ["L", list("work"), info("work", "private"), snapshots("work", "private")]]);
	});
}

test("a driver that does not know what is outdated has no such line; a volume without revisions says so", async (t) => {
	const answers = { ...VOLUMES, [info("vault", "private")]: PRIVATE.replace(/is_outdated.*\n/, "") };
	const { out } = await runTool(run, ["info", "vault:private"], answers);
	t.notRegex(out, /is_outdated/);
	t.true(out.endsWith("Available revisions (for revert): none\n"));
});

for (const [property, text, json] of [
	["size", "2147483648\n", 2147483648],
	["revisions_to_keep", "-1\n", -1],
	["rw", "True\n", true],
	["source", "\n", null],
	["vid", "appvms/work/private\n", "appvms/work/private"],
	["revisions", "1@2024-01-01T00:00:00Z\n2@2024-01-02T00:00:00Z\n", ["1@2024-01-01T00:00:00Z", "2@2024-01-02T00:00:00Z"]],
] as const) {
	test(`qvm-volume info work:private ${property} is the bare value`, async (t) => {
		t.is((await runTool(run, ["info", "work:private", property], VOLUMES)).out, text);
		t.deepEqual(JSON.parse((await runTool(run, ["info", "work:private", property, "--json"], VOLUMES)).out), json);
	});
}

test("qvm-volume info --json has numbers, truth values and revisions", async (t) => {
	const found = JSON.parse((await runTool(run, ["info", "work:private", "--json"], VOLUMES)).out);
	t.like(found, { size: 2147483648, rw: true, source: null, pool: "vm-pool", revisions_to_keep: -1 });
	t.is(found.revisions.length, 2);
});

for (const word of ["config", "c", "set", "s"]) {
	test(`qvm-volume ${word} changes a property`, async (t) => {
		const call = "work: admin.vm.volume.Set.revisions_to_keep+private <3>";
		const outcome = await runTool(run, [word, "work:private", "revisions_to_keep", "3"], { ...VOLUMES, [call]: "" });
		t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L", list("work"), call] });
	});
}

for (const [word, size, bytes] of [
	["resize", "2147483648", 2147483648],
	["resize", "3221225472", 3221225472],
	["extend", "3GiB", 3 * 2 ** 30],
	["resize", "3Gi", 3 * 2 ** 30],
	["resize", "3G", 3e9],
	["resize", "3gb", 3e9],
	["resize", "4000M", 4e9],
	["resize", "3000000K", 3e9],
	["resize", "3000000Ki", 3_072_000_000],
	["resize", "3000MiB", 3000 * 2 ** 20],
	["resize", "1T", 1e12],
	["resize", "1TiB", 2 ** 40],
] as const) {
	test(`qvm-volume ${word} work:private ${size} asks for ${bytes} bytes`, async (t) => {
		const call = `work: admin.vm.volume.Resize+private <${bytes}>`;
		const outcome = await runTool(run, [word, "work:private", size], { ...VOLUMES, [call]: "" });
		t.deepEqual(outcome, { status: 0, out: "", err: "", calls: ["L", list("work"), info("work", "private"), call] });
	});
}

test("a smaller size has to be forced", async (t) => {
	const call = "work: admin.vm.volume.Resize+private <2000000000>";
	const refused = await runTool(run, ["resize", "work:private", "2G"], VOLUMES);
	t.is(refused.status, 1);
	t.is(
		refused.err,
		"qvm-volume: error: work:private has 2147483648 bytes, which is more than 2000000000: shrink its file system first, then use --force, or data are lost\n",
	);
	for (const force of ["-f", "--force"]) {
		const { status, calls } = await runTool(run, ["resize", "work:private", "2G", force], { ...VOLUMES, [call]: "" });
		t.deepEqual([status, calls.at(-1)], [0, call]);
	}
});

for (const word of ["revert", "rv", "r"]) {
	test(`qvm-volume ${word} takes the last revision, or the one that is named`, async (t) => {
		const call = (revision: string) => `work: admin.vm.volume.Revert+private <${revision}>`;
		const answers = { ...VOLUMES, [call("2@2024-01-02T00:00:00Z")]: "", [call("1@2024-01-01T00:00:00Z")]: "" };
		const last = await runTool(run, [word, "work:private"], answers);
		t.deepEqual(last.calls, ["L", list("work"), snapshots("work", "private"), call("2@2024-01-02T00:00:00Z")]);
		const named = await runTool(run, [word, "work:private", "1@2024-01-01T00:00:00Z"], answers);
		t.deepEqual(named.calls, ["L", list("work"), call("1@2024-01-01T00:00:00Z")]);
		t.deepEqual([last.status, named.status], [0, 0]);
	});
}

test("without revisions there is nothing to revert to", async (t) => {
	const { status, err } = await runTool(run, ["revert", "vault:private"], VOLUMES);
	t.deepEqual([status, err], [1, "qvm-volume: error: No snapshots available\n"]);
});

const CLEAR = "work: admin.vm.volume.Clear+private";
const CLONE = ["vault: admin.vm.volume.CloneFrom+private", "work: admin.vm.volume.CloneTo+private <0123456789abcdef>"] as const;
const CHANGES: Answers = { ...VOLUMES, [CLEAR]: "", [CLONE[0]]: "0123456789abcdef", [CLONE[1]]: "" };
const BEFORE_CLONE = ["L", list("vault"), info("vault", "private"), list("work"), info("work", "private")];

for (const [line, answer, calls] of [
	[["clear", "work:private"], "y\n", ["L", list("work"), CLEAR]],
	[["clear", "work:private", "-f"], "", ["L", list("work"), CLEAR]],
	[["clone", "vault:private", "work:private"], "yes\n", [...BEFORE_CLONE, ...CLONE]],
	[["clone", "vault:private", "work:private", "--force"], "", [...BEFORE_CLONE, ...CLONE]],
] as const) {
	test(`qvm-volume ${line.join(" ")}, ${answer === "" ? "not asking" : "when agreed"}, replaces the content`, async (t) => {
		const { out, ...outcome } = await runTool(run, line, CHANGES, answer);
		t.deepEqual(outcome, { status: 0, err: "", calls });
		if (answer === "") t.is(out, "");
		else t.regex(out, /work:private.* Are you sure\? \[y\/N\] $/);
	});
}

for (const answer of ["n\n", "\n", ""]) {
	test(`the answer ${JSON.stringify(answer)} to the question changes nothing`, async (t) => {
		const cleared = await runTool(run, ["clear", "work:private"], CHANGES, answer);
		t.deepEqual([cleared.status, cleared.err, cleared.calls.length], [1, "qvm-volume: error: nothing was cleared\n", 2]);
		const cloned = await runTool(run, ["clone", "vault:private", "work:private"], CHANGES, answer);
		t.deepEqual([cloned.status, cloned.err, cloned.calls], [1, "qvm-volume: error: nothing was cloned\n", BEFORE_CLONE]);
	});
}

test("a volume that does not keep its state is not cloned, neither from nor to", async (t) => {
	for (const line of [
		["work:root", "work:private"],
		["work:private", "work:root"],
	]) {
		const { status, err } = await runTool(run, ["clone", "-f", ...line], CHANGES);
		t.deepEqual([status, err], [1, "qvm-volume: error: work:root does not keep its state: its save_on_stop is False\n"]);
	}
});

for (const [line, calls] of [
	[
		["info", "work:nosuch"],
		["L", list("work")],
	],
	[
		["clear", "work:nosuch"],
		["L", list("work")],
	],
	[
		["revert", "work:nosuch"],
		["L", list("work")],
	],
	[
		["clone", "work:nosuch", "work:private"],
		["L", list("work")],
	],
	[["info", "nosuch:private"], ["L"]],
	[["resize", "nosuch:private", "1G"], ["L"]],
	[["list", "nosuch"], ["L"]],
] as const) {
	test(`qvm-volume ${line.join(" ")}, of which there is none, is a usage error`, async (t) => {
		const { status, err, calls: made } = await runTool(run, line, CHANGES);
		t.deepEqual([status, made], [2, calls]);
		t.regex(err, /\nqvm-volume: error: no such (domain|volume): '[^']*nosuch[^']*'\n$/);
	});
}

for (const line of [
	["what"],
	["info"],
	["info", "work"],
	["info", "work:"],
	["info", ":private"],
	["info", "work:private:x"],
	["info", "work:private", "nosuch"],
	["info", "work:private", "constructor"],
	["config", "work:private", "size", "5"],
	["config", "work:private", "rw"],
	["resize", "work:private"],
	["resize", "work:private", "big"],
	["resize", "work:private", "-5"],
	["resize", "work:private", "1.5G"],
	["resize", "work:private", "9007199254740993"],
	["resize", "work:private", "9000TiB"],
	["clone", "work:private"],
	["revert", "work:private", "--force"],
	["list", "--size", "5"],
	["clear", "work:private", "--json"],
]) {
	test(`qvm-volume ${JSON.stringify(line)} is a usage error and asks nothing`, async (t) => {
		const { status, out, calls } = await runTool(run, line, CHANGES);
		t.deepEqual([status, out, calls], [2, "", []]);
	});
}

test("a size that is too large is told so, with the largest", async (t) => {
	const { err } = await runTool(run, ["resize", "work:private", "9000TiB"], CHANGES);
	t.regex(err, /: size "9000TiB" is too large: want at most 9007199254740991 bytes$/m);
});

test("actions, volumes and what follows are completed", async (t) => {
	const complete = async (...line: string[]) => (await runTool(run, ["--get-completions", ...line], VOLUMES)).out;
	t.is(await complete("re"), "resize\nrevert\n");
	t.is(await complete("list", "w"), "work\n");
	t.is(await complete("clear", "w"), "work:root\nwork:private\n");
	t.is(await complete("clone", "vault:private", "work:p"), "work:private\n");
	t.is(await complete("config", "work:private", "r"), "rw\nrevisions_to_keep\n");
	t.is(await complete("revert", "work:private", "2"), "2@2024-01-02T00:00:00Z\n");
	t.is(await complete("info", "work:private", "is"), "is_outdated\n");
});
