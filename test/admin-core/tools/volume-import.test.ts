// qvm-volume import and qvm-create --root-…-from: spec/admin-core.md 10.3 and 11, spec/storage-reflink.md 9.4 and 9.5.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { run as create } from "../../../admin-core/tools/qvm-create.ts";
import { run } from "../../../admin-core/tools/qvm-volume.ts";
import { type Answers, fail, runTool } from "./fake-qubesd.ts";

const DATA = "some data\n";
const BEFORE = ["L", "work: admin.vm.volume.List"];
const INFO = "work: admin.vm.volume.Info+private";
const POOL = "dom0: admin.pool.Info+main";

interface Scene {
	/** Holds DATA. */
	readonly file: string;
	/** Where the daemon wants it. */
	readonly image: string;
	readonly answers: Answers;
}

/** What answers an import into a volume that has, or gets, so many bytes. */
function scene(t: ExecutionContext, size: number, hasSize = true, volume = "work:private"): Scene {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "import-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true }));
	const [file, image] = ["data.img", "private-import.img"].map((name) => path.join(folder, name)) as [string, string];
	fs.writeFileSync(file, DATA);
	fs.writeFileSync(image, "");
	const [begin, end] = importCalls(volume, hasSize ? size : undefined) as [string, string];
	const answers = {
		[begin]: `${size} ${image}`,
		[end]: "",
		"work: admin.vm.volume.List": "root\nprivate\n",
		[INFO]: `pool=main\nsize=${size}\n`,
		[POOL]: "size=1000000\nusage=0\n",
	};
	return { file, image, answers };
}

/** Both halves, as they are called. */
function importCalls(volume: string, size?: number, outcome = "ok"): string[] {
	const [qube, name] = volume.split(":");
	const [begin, end] = ["Begin", "End"].map((half) => `${qube}: internal.vm.volume.Import${half}+${name}`);
	return [`${begin}${size === undefined ? "" : ` <${size}>`}`, `${end} <${outcome}>`];
}

test("the size is that of the file", async (t) => {
	const { file, image, answers } = scene(t, DATA.length);
	const outcome = await runTool(run, ["import", "work:private", file], answers);
	const calls = [...BEFORE, INFO, POOL, ...importCalls("work:private", DATA.length)];
	t.deepEqual(outcome, { status: 0, out: "", err: "", calls });
	t.is(fs.readFileSync(image, "utf8"), DATA);
});

test("--no-resize imports into what is there", async (t) => {
	const { file, image, answers } = scene(t, DATA.length, false);
	const { status, calls } = await runTool(run, ["import", "work:private", file, "--no-resize"], answers);
	t.deepEqual([status, calls], [0, [...BEFORE, INFO, INFO, POOL, ...importCalls("work:private")]]);
	t.is(fs.readFileSync(image, "utf8"), DATA);
});

for (const option of [["--size=10"], ["--size", "10"], ["--no-resize"]]) {
	test(`standard input with ${option.join(" ")} is imported`, async (t) => {
		const { image, answers } = scene(t, DATA.length, option[0] !== "--no-resize");
		const { status, err } = await runTool(run, ["import", "work:private", "-", ...option], answers, DATA);
		t.deepEqual([status, err], [0, ""]);
		t.is(fs.readFileSync(image, "utf8"), DATA);
	});
}

test("--size has units, and is what the daemon is told; a file that is shorter fails", async (t) => {
	const { file, answers } = scene(t, 1024);
	const failed = importCalls("work:private", 1024, "fail\nnot enough data: got 10 of 1024 bytes")[1] as string;
	const { status, err, calls } = await runTool(run, ["import", "work:private", file, "--size", "1Ki"], {
		...answers,
		[failed]: fail("QubesException", "Data import failed: not enough data: got 10 of 1024 bytes"),
	});
	t.deepEqual([status, err], [1, "qvm-volume: error: Data import failed: not enough data: got 10 of 1024 bytes\n"]);
	t.is(calls.at(-1), failed);
});

test("what the daemon refuses is the error, also if the data never end", async (t) => {
	const [begin] = importCalls("work:private", DATA.length);
	const { file, answers } = scene(t, DATA.length);
	const refused = { ...answers, [begin as string]: fail("QubesVMNotHaltedError", "Domain is not halted: 'work'") };
	const { status, err } = await runTool(run, ["import", "work:private", file], refused);
	t.deepEqual([status, err], [1, "qvm-volume: error: Domain is not halted: 'work'\n"]);
	const endless = await runTool(run, ["import", "work:private", "/dev/zero", "--size=10"], refused);
	t.deepEqual([endless.status, endless.err], [1, "qvm-volume: error: Domain is not halted: 'work'\n"]);
});

for (const [figures, free] of [
	["size=1000\nusage=991\n", 9],
	["size=1000\nusage=1000\n", 0],
] as const) {
	test(`a file of ${DATA.length} bytes is not imported where ${free} are free in the pool`, async (t) => {
		const { file, image, answers } = scene(t, DATA.length);
		const outcome = await runTool(run, ["import", "work:private", file], { ...answers, [POOL]: figures });
		const message = `no room for a copy of "data.img": ${DATA.length} bytes, and ${free} are free in pool main`;
		t.deepEqual(outcome, { status: 1, out: "", err: `qvm-volume: error: ${message}\n`, calls: [...BEFORE, INFO, POOL] });
		t.is(fs.readFileSync(image, "utf8"), "");
	});
}

test("holes need no room", async (t) => {
	const size = 1 << 20;
	const { file, answers } = scene(t, size);
	fs.truncateSync(file, 0);
	fs.truncateSync(file, size);
	const full = { ...answers, [POOL]: "size=1000\nusage=1000\n" };
	t.is((await runTool(run, ["import", "work:private", file], full)).status, 0);
});

for (const [what, answer] of [
	["how full the pool is", { [POOL]: "driver=file\n" }],
	["anything of the pool", { [POOL]: fail("PermissionDenied", "no") }],
	["in which pool the volume is", { [INFO]: "size=10\n" }],
	["anything of the volume", { [INFO]: fail("ProtocolError", "no") }],
] as const) {
	test(`a file is imported where it is not known ${what}`, async (t) => {
		const { file, image, answers } = scene(t, DATA.length);
		const { status, err } = await runTool(run, ["import", "work:private", file], { ...answers, ...answer });
		t.deepEqual([status, err, fs.readFileSync(image, "utf8")], [0, "", DATA]);
	});
}

test("of standard input nobody knows how much of it are zeros, and it is imported", async (t) => {
	const { image, answers } = scene(t, DATA.length);
	const full = { ...answers, [POOL]: "size=1000\nusage=1000\n" };
	t.is((await runTool(run, ["import", "work:private", "-", "--size=10"], full, DATA)).status, 0);
	t.is(fs.readFileSync(image, "utf8"), DATA);
});

test("a file that cannot be read to its end is the error", async (t) => {
	const { answers } = scene(t, 10);
	const failed = importCalls("work:private", 10, "fail\nnot enough data: got 0 of 10 bytes")[1] as string;
	// The memory of a process is a file of which the beginning cannot be read.
	const { status, err } = await runTool(run, ["import", "work:private", "/proc/self/mem", "--size=10"], {
		...answers,
		[failed]: fail("QubesException", "Data import failed: not enough data: got 0 of 10 bytes"),
	});
	t.deepEqual([status, err], [1, 'qvm-volume: error: cannot read "mem": EIO\n']);
});

test("on a terminal there is a bar, which is gone in the end; -q has none", async (t) => {
	const { file, answers } = scene(t, DATA.length);
	const { err } = await runTool(run, ["import", "work:private", file], answers, "", { isTTY: true });
	t.is(err, `\r\x1b[Kimporting data.img [${"#".repeat(30)}] 100% 0.0 MiB of 0.0 MiB\r\x1b[K`);
	t.is((await runTool(run, ["import", "-q", "work:private", file], answers, "", { isTTY: true })).err, "");
});

for (const [line, calls] of [
	[["import", "work:private", "-"], []],
	[["import", "work:private", "x", "--size=1", "--no-resize"], []],
	[["import", "work:private", "x", "--size=many"], []],
	[["import", "work:private"], []],
	[["import", "work:private", "/nonexistent"], BEFORE],
	[["import", "work:private", "/dev/zero"], BEFORE],
	[["import", "work:nosuch", "/dev/zero"], BEFORE],
] as const) {
	test(`qvm-volume ${line.join(" ")} is a usage error`, async (t) => {
		const outcome = await runTool(run, line, scene(t, 10).answers);
		t.deepEqual([outcome.status, outcome.out, outcome.calls], [2, "", calls]);
	});
}

const CREATED = {
	"dom0: admin.label.List": "red\n",
	"dom0: admin.vm.Create.TemplateVM <name=new label=red>": "",
	"new: admin.vm.property.Set+memory <600>": "",
};
const CREATE_LINE = ["--class", "TemplateVM", "-l", "red", "new", "--prop", "memory=600"];

for (const [option, isKept] of [
	["-r", true],
	["--root-copy-from", true],
	["-R", false],
	["--root-move-from", false],
] as const) {
	test(`qvm-create ${option} imports the root last and ${isKept ? "keeps" : "removes"} the file`, async (t) => {
		const { file, image, answers } = scene(t, DATA.length, true, "new:root");
		const { status, err, calls } = await runTool(create, [...CREATE_LINE, option, file], { ...answers, ...CREATED });
		t.deepEqual([status, err, calls.slice(-2)], [0, "", importCalls("new:root", DATA.length)]);
		t.is(fs.readFileSync(image, "utf8"), DATA);
		t.is(fs.existsSync(file), isKept);
	});
}

test("a root that cannot be imported ends with 3, and the file stays", async (t) => {
	const { file, answers } = scene(t, DATA.length, true, "new:root");
	const [begin] = importCalls("new:root", DATA.length) as [string];
	const { status, err } = await runTool(create, [...CREATE_LINE, "-R", file], {
		...{ ...answers, ...CREATED, "new: admin.vm.property.Set+memory <600>": fail("QubesValueError", "too much") },
		[begin]: fail("StoragePoolException", "disk full"),
	});
	t.is(status, 3);
	t.is(
		err,
		`qvm-create: error: new was made, but its property memory cannot be set: too much
qvm-create: error: new was made, but its root cannot be imported: disk full
`,
	);
	t.true(fs.existsSync(file));
});

test("a root that is not there is a usage error, and nothing is made", async (t) => {
	const { status, calls } = await runTool(create, [...CREATE_LINE, "-r", "/nonexistent/root.img"], CREATED);
	t.deepEqual([status, calls], [2, []]);
});
