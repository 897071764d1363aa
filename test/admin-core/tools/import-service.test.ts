// The service that imports volumes: spec/admin-core.md 9.2, spec/storage-reflink.md 9.4. One after the other, as it minds the signals of its process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { type ImportMethod, importService } from "../../../admin-core/tools/import-service.ts";
import { FakeServer, reply } from "../../support/fake-server.ts";
import { fail, runWith } from "./fake-qubesd.ts";

const QREXEC = { QREXEC_REMOTE_DOMAIN: "sys-backup", QREXEC_REQUESTED_TARGET: "work" };
const BEGIN = "internal.vm.volume.ImportBegin+private sys-backup name work\0";
const END = "internal.vm.volume.ImportEnd+private sys-backup name work\0";

interface Scene {
	readonly image: string;
	readonly env: { readonly [name: string]: string };
	/** What the daemon was asked. */
	readonly requests: readonly string[];
}

/** An image of so many bytes, and a daemon that hands it out; `begin` and `end` are what it answers instead. */
async function scene(
	t: ExecutionContext,
	size: number,
	{ begin, end = "0\0" }: { begin?: string; end?: string } = {},
): Promise<Scene> {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "import-"));
	const image = path.join(folder, "private-import.img");
	fs.writeFileSync(image, "");
	fs.truncateSync(image, size);
	const socket = path.join(folder, "internal.sock");
	const server = await FakeServer.listen(
		socket,
		reply((request) => (request.startsWith(BEGIN) ? (begin ?? `0\0${size} ${image}`) : end)),
	);
	t.teardown(() => {
		server.close();
		fs.rmSync(folder, { recursive: true });
	});
	return { image, env: { ...QREXEC, QUBESD_INTERNAL_SOCKET: socket }, requests: server.requests };
}

function run(method: ImportMethod, { env }: Scene, stdin: string) {
	return runWith(importService(method), ["private"], env, stdin);
}

test.serial("Import begins without a size, writes what it is told to, and ends with ok", async (t) => {
	const set = await scene(t, 5);
	t.deepEqual(await run("admin.vm.volume.Import", set, "a\nb\nc"), { status: 0, out: "0\0", err: "" });
	t.is(fs.readFileSync(set.image, "utf8"), "a\nb\nc");
	t.deepEqual(set.requests, [BEGIN, `${END}ok`]);
});

test.serial("ImportWithSize begins with the first line", async (t) => {
	const set = await scene(t, 5);
	t.deepEqual(await run("admin.vm.volume.ImportWithSize", set, "5\na\nb\nc"), { status: 0, out: "0\0", err: "" });
	t.is(fs.readFileSync(set.image, "utf8"), "a\nb\nc");
	t.deepEqual(set.requests, [`${BEGIN}5`, `${END}ok`]);
});

test.serial("a path may have spaces in it", async (t) => {
	const set = await scene(t, 1);
	const other = `${set.image} two`;
	fs.copyFileSync(set.image, other);
	const odd = await scene(t, 1, { begin: ["0", `1 ${other}`].join("\0") });
	t.is((await run("admin.vm.volume.Import", odd, "x")).out, "0\0");
	t.is(fs.readFileSync(other, "utf8"), "x");
});

for (const [data, message] of [
	["abcd", "not enough data: got 4 of 5 bytes"],
	["", "not enough data: got 0 of 5 bytes"],
	["abcdef", "too much data: want 5 bytes"],
] as const) {
	test.serial(`the daemon is told when "${data}" is to be 5 bytes, and its answer is the reply`, async (t) => {
		const refusal = fail("QubesException", `Data import failed: ${message}`).bytes;
		const set = await scene(t, 5, { end: refusal });
		t.deepEqual(await run("admin.vm.volume.Import", set, data), { status: 0, out: refusal, err: "" });
		t.deepEqual(set.requests, [BEGIN, `${END}fail\n${message}`]);
	});
}

test.serial("of an image that cannot be written the daemon is told, without its path", async (t) => {
	const set = await scene(t, 5, { begin: "0\x005 /nonexistent/private-import.img" });
	await run("admin.vm.volume.Import", set, "abcde");
	t.deepEqual(set.requests, [BEGIN, `${END}fail\nopen: ENOENT`]);
});

test.serial("an import that another one took the place of is not ended, and its caller is told", async (t) => {
	const set = await scene(t, 5);
	const child = spawn(path.resolve("dist/bin/admin.vm.volume.Import"), ["private"], { env: { ...process.env, ...set.env } });
	let reply = "";
	child.stdout.on("data", (chunk: Buffer) => {
		reply += chunk.toString();
	});
	child.stdin.write("abc");
	while (fs.readFileSync(set.image, "latin1") !== "abc\0\0") await sleep(10);
	fs.rmSync(set.image);
	fs.writeFileSync(set.image, "12345");
	child.stdin.end("de");
	const [status] = await once(child, "close");
	const message = "Data import failed: the import was cancelled by a start or a removal, and another one has begun";
	t.deepEqual([status, reply, set.requests], [0, fail("QubesException", message).bytes, [BEGIN]]);
	t.is(fs.readFileSync(set.image, "utf8"), "12345");
});

test.serial("what is no place to write to is a failed import", async (t) => {
	const set = await scene(t, 5, { begin: "0\0nonsense" });
	await run("admin.vm.volume.Import", set, "abcde");
	t.deepEqual(set.requests, [BEGIN, `${END}fail\nqubesd answers "nonsense": want SIZE PATH`]);
});

test.serial("a begin that is refused is the reply, and nothing is written or ended", async (t) => {
	const refusal = fail("QubesVMNotHaltedError", "Domain is not halted: 'work'").bytes;
	const set = await scene(t, 5, { begin: refusal });
	t.deepEqual(await run("admin.vm.volume.Import", set, "abcde"), { status: 0, out: refusal, err: "" });
	t.deepEqual(set.requests, [BEGIN]);
	t.is(fs.readFileSync(set.image, "utf8"), "\0".repeat(5));
});

for (const data of ["", "\nabc", "12345", `${"1".repeat(21)}\nabc`, "x".repeat(100_000)]) {
	test.serial(`ImportWithSize asks nothing if the data begin ${JSON.stringify(data.slice(0, 25))}`, async (t) => {
		const set = await scene(t, 5);
		const { status, out } = await run("admin.vm.volume.ImportWithSize", set, data);
		t.is(status, 0);
		t.true(out.startsWith("2\0ProtocolError\0\0want a line with the size, at most 21 bytes long"));
		t.deepEqual(set.requests, []);
	});
}

test.serial("a size of 20 digits is for the daemon to refuse", async (t) => {
	const set = await scene(t, 5, { begin: fail("ProtocolError", "Volume size is bigger than 19 decimal digits").bytes });
	t.regex((await run("admin.vm.volume.ImportWithSize", set, `${"1".repeat(20)}\nabc`)).out, /bigger than 19/);
});

test.serial("without a reply the exit status is 1", async (t) => {
	const silent = await run("admin.vm.volume.Import", await scene(t, 5, { begin: "" }), "abcde");
	t.deepEqual([silent.status, silent.out], [1, ""]);
	t.regex(silent.err, /^admin\.vm\.volume\.Import: error: Got empty response from qubesd to internal\.vm\.volume\.ImportBegin/);
	const absent = await runWith(importService("admin.vm.volume.Import"), ["private"], {
		...QREXEC,
		QUBESD_INTERNAL_SOCKET: "/nonexistent",
	});
	t.deepEqual([absent.status, absent.out], [1, ""]);
	t.regex(absent.err, /cannot reach qubesd at "\/nonexistent"/);
});

for (const [argv, env, message] of [
	[[], QREXEC, "want one argument: the volume"],
	[["a", "b"], QREXEC, "want one argument: the volume"],
	[["private"], { QREXEC_REQUESTED_TARGET: "work" }, "QREXEC_REMOTE_DOMAIN is not set: this is a service of qrexec"],
	[["private"], { QREXEC_REMOTE_DOMAIN: "dom0" }, "QREXEC_REQUESTED_TARGET is not set: this is a service of qrexec"],
	[["a b"], QREXEC, 'invalid name "a b": want printable ASCII characters without spaces'],
	[["a"], { ...QREXEC, QREXEC_REMOTE_DOMAIN: "x\0y" }, 'invalid name "x\\x00y": want printable ASCII characters without spaces'],
] as const) {
	test.serial(`called with ${JSON.stringify(argv)} and ${JSON.stringify(env)} it asks nothing`, async (t) => {
		const set = await scene(t, 5);
		const { QUBESD_INTERNAL_SOCKET = "" } = set.env;
		const outcome = await runWith(importService("admin.vm.volume.Import"), argv, { ...env, QUBESD_INTERNAL_SOCKET });
		t.deepEqual(outcome, { status: 1, out: "", err: `admin.vm.volume.Import: error: ${message}\n` });
		t.deepEqual(set.requests, []);
	});
}

test.serial("a service that is ended in the middle tells the daemon first", async (t) => {
	const set = await scene(t, 5);
	const child = spawn(path.resolve("dist/bin/admin.vm.volume.Import"), ["private"], { env: { ...process.env, ...set.env } });
	child.stdin.write("abc");
	while (fs.readFileSync(set.image, "latin1") !== "abc\0\0") await sleep(10);
	child.kill("SIGTERM");
	const [status] = await once(child, "close");
	t.is(status, 0);
	t.deepEqual(set.requests, [BEGIN, `${END}fail\nended by SIGTERM`]);
});
