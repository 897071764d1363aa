// Where a server listens: spec/admin-core.md 7.1, issue 3 (6).
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { listen } from "../../../admin-core/api/server.ts";
import { Client, call, echo, eventually, logged, makeFolder, startServer } from "./stage.ts";

/** A socket whose server is gone. */
function leaveSocket(file: string): void {
	const script = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
	spawnSync("python3", ["-c", script, file], { stdio: "inherit" });
}

test("the file of a server that is gone is replaced", async (t) => {
	const file = path.join(makeFolder(t), "s");
	leaveSocket(file);
	t.true(fs.statSync(file).isSocket());
	const server = await listen({ path: file }, echo);
	t.is((await call(file, "a.B+c x name y\0")).toString(), "0\0a.B|c|x|y|");
	await server.close();
	t.false(fs.existsSync(file));
});

test("where somebody listens there is a clear error, and the other one goes on", async (t) => {
	const { path: file } = await startServer(t, echo);
	await t.throwsAsync(listen({ path: file }, echo), { message: `cannot listen on "${file}": somebody listens there already` });
	t.is((await call(file, "a.B+c x name y\0")).toString(), "0\0a.B|c|x|y|");
});

test("a socket is there when it can be connected to, and has its mode then", async (t) => {
	const folder = makeFolder(t);
	const file = path.join(folder, "s");
	const seen: string[] = [];
	const watcher = fs.watch(folder, (_, name) => {
		if (name !== "s" || !fs.existsSync(file)) return;
		const { status } = spawnSync("python3", [
			"-c",
			"import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])",
			file,
		]);
		seen.push(`${status} ${(fs.statSync(file).mode & 0o777).toString(8)}`);
	});
	const server = await listen({ path: file }, echo);
	await eventually(() => seen.length > 0);
	watcher.close();
	t.deepEqual([...new Set(seen)], ["0 660"]);
	t.deepEqual(fs.readdirSync(folder), ["s"]);
	await server.close();
	t.deepEqual(fs.readdirSync(folder), []);
});

test("a file that is no socket is not removed", async (t) => {
	const file = path.join(makeFolder(t), "s");
	fs.writeFileSync(file, "precious");
	await t.throwsAsync(listen({ path: file }, echo), {
		message: `cannot listen on "${file}": there is something that is no socket`,
	});
	t.is(fs.readFileSync(file, "utf8"), "precious");
});

test("a folder that is not there and a path that is too long are clear errors", async (t) => {
	const folder = makeFolder(t);
	const lost = path.join(folder, "no/s");
	await t.throwsAsync(listen({ path: lost }, echo), { message: `cannot listen on "${lost}": its folder: ENOENT` });
	const long = path.join(folder, "x".repeat(108 - folder.length - 1));
	await t.throwsAsync(listen({ path: long }, echo), { message: `cannot listen on "${long}": longer than 107 bytes` });
	t.deepEqual(fs.readdirSync(folder), []);
	const longest = long.slice(0, -1);
	const server = await listen({ path: longest }, echo);
	t.true(fs.statSync(longest).isSocket());
	await server.close();
});

for (const [mode, wanted] of [
	[undefined, 0o660],
	[0o600, 0o600],
	[0o777, 0o777],
] as const) {
	test(`the mode of the socket is ${wanted.toString(8)} if ${mode === undefined ? "none" : mode.toString(8)} is asked for`, async (t) => {
		const file = path.join(makeFolder(t), "s");
		const umask = process.umask();
		const server = await listen({ path: file, mode }, echo);
		t.teardown(() => server.close());
		t.is(fs.statSync(file).mode & 0o777, wanted);
		t.is(process.umask(), umask);
	});
}

test("the socket is given to a group that exists and stays as it is for one that does not", async (t) => {
	const folder = makeFolder(t);
	// Our own is one that anybody may give a file to.
	const own = process.getgid?.() ?? 0;
	const line = fs
		.readFileSync("/etc/group", "utf8")
		.split("\n")
		.find((one) => one.split(":")[2] === String(own));
	for (const group of [line?.split(":")[0], "no-such-group"]) {
		const file = path.join(folder, "s");
		const server = await listen({ path: file, group }, echo);
		t.is(fs.statSync(file).gid, own);
		await server.close();
	}
});

test("close removes the socket, ends whom it does not serve, and waits for a call under way", async (t) => {
	let release = (): void => undefined;
	const { path: file, server } = await startServer(
		t,
		() =>
			new Promise<string>((resolve) => {
				release = () => resolve("done");
			}),
		{ closeTime: 60_000 },
	);
	const silent = new Client(file);
	await silent.connected();
	const before = release;
	const busy = new Client(file);
	busy.socket.end("a.B x name y\0");
	await eventually(() => release !== before && server.connectionCount === 2);
	const closing = server.close();
	t.false(fs.existsSync(file));
	t.is((await silent.received).length, 0);
	t.is(server.close(), closing);
	release();
	t.is((await busy.received).toString(), "0\0done");
	await closing;
	t.is(server.connectionCount, 0);
	const again = await listen({ path: file }, echo);
	await again.close();
});

test("close waits only so long for a call under way, and not at all if it is to be so", async (t) => {
	for (const closeTime of [0, 20]) {
		let calls = 0;
		const serve = () => {
			calls++;
			return new Promise<string>(() => undefined);
		};
		const { path: file, server } = await startServer(t, serve, { closeTime });
		const client = new Client(file);
		client.socket.end("a.B x name y\0");
		await eventually(() => calls === 1);
		await server.close();
		t.is((await client.received).length, 0);
		t.is(logged(`1 connections closed, whose calls did not end within ${closeTime / 1000} s`).length, 1);
	}
});
