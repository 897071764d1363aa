// The client of qubesd: spec/admin-core.md 7.2, 7.3.
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { call } from "../../../admin-core/tools/client.ts";
import { DaemonError, EmptyReplyError, RemoteError, UsageError } from "../../../admin-core/tools/errors.ts";
import { closeAtOnce, FakeServer, reply, type Script } from "../../support/fake-server.ts";
import { fail } from "./fake-qubesd.ts";

async function serve(t: ExecutionContext, script: Script): Promise<{ socket: string; server: FakeServer }> {
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), "client-"));
	const socket = path.join(folder, "qubesd.sock");
	const server = await FakeServer.listen(socket, script);
	t.teardown(() => {
		server.close();
		return fs.rm(folder, { recursive: true });
	});
	return { socket, server };
}

test("call() writes the plus without an argument too, and half-closes", async (t) => {
	const { socket, server } = await serve(t, reply("0\0"));
	await call(socket, "dom0", "admin.vm.List");
	t.deepEqual(server.requests, ["admin.vm.List+ dom0 name dom0\0"]);
});

test("call() sends argument and payload, NULs and UTF-8 included", async (t) => {
	const { socket, server } = await serve(t, reply("0\0"));
	await call(socket, "work", "admin.vm.notes.Set", "a+b", "ä\0\n");
	t.is(server.requests[0], "admin.vm.notes.Set+a+b dom0 name work\0\xc3\xa4\0\n");
});

test("call() sends 65536 bytes, and no byte more: qubesd would hang up without a word", async (t) => {
	const { socket, server } = await serve(t, reply("0\0"));
	const room = 65_536 - "m+ dom0 name dom0\0".length;
	await call(socket, "dom0", "m", "", "x".repeat(room));
	t.is(server.requests[0]?.length, 65_536);
	await t.throwsAsync(call(socket, "dom0", "m", "", "x".repeat(room + 1)), {
		instanceOf: UsageError,
		message: "m is given too much: 65537 bytes with all names: want at most 65536",
	});
	t.is(server.requests.length, 1);
});

test("call() returns the content to the last byte", async (t) => {
	const { socket } = await serve(t, reply(Buffer.from([0x30, 0, 1, 0, 255, 10])));
	t.deepEqual(await call(socket, "dom0", "m"), Buffer.from([1, 0, 255, 10]));
});

for (const [format, args, message] of [
	["No such domain: 'x'", [], "No such domain: 'x'"],
	["100%% of %%s", [], "100% of %s"],
	["%s", ["it is 5% off"], "it is 5% off"],
	["%d of %s", ["007", "work"], "7 of work"],
	["%r", ["work"], "'work'"],
	["5% off", [], "5% off"],
	["ends in %", [], "ends in %"],
	["%s", [], "%s"],
	["plain", ["extra"], "plain"],
	["%d", ["many"], "%d"],
] as const) {
	test(`a QubesException of "${format}" and [${args}] says: ${message}`, async (t) => {
		const { socket } = await serve(t, reply(fail("QubesValueError", format, ...args).bytes));
		const error = await t.throwsAsync(call(socket, "dom0", "m"), { instanceOf: RemoteError });
		t.is(error?.kind, "QubesValueError");
		t.is(error?.message, message);
	});
}

test("a class that no client knows is formatted as a QubesException", async (t) => {
	const { socket } = await serve(t, reply(fail("QubesVMAlreadyExistsError", "100%%").bytes));
	await t.throwsAsync(call(socket, "dom0", "m"), { instanceOf: RemoteError, message: "100%" });
});

for (const kind of ["ProtocolError", "PermissionDenied"]) {
	test(`${kind} is shown as it was sent`, async (t) => {
		const { socket } = await serve(t, reply(fail(kind, "100%% of %s").bytes));
		await t.throwsAsync(call(socket, "dom0", "m"), { instanceOf: RemoteError, message: "100%% of %s" });
	});
}

test("a traceback does not become part of the message", async (t) => {
	const { socket } = await serve(t, reply("2\0QubesException\0line 1\nline 2\0short\0"));
	await t.throwsAsync(call(socket, "dom0", "m"), { message: "short" });
});

test("an empty reply is an error of its own", async (t) => {
	const { socket } = await serve(t, reply(""));
	await t.throwsAsync(call(socket, "dom0", "m"), { instanceOf: EmptyReplyError, message: /^Got empty response from qubesd/ });
});

test("a daemon that hangs up before it has read all gave an empty reply", async (t) => {
	const { socket } = await serve(t, closeAtOnce);
	await t.throwsAsync(call(socket, "dom0", "m", "", "x".repeat(60_000)), { instanceOf: EmptyReplyError });
});

for (const garbage of ["0", "1\0\0x\0\0", "2\0", "2\0Name\0\0unfinished", "HTTP/1.1 400"]) {
	test(`${JSON.stringify(garbage)} is no reply`, async (t) => {
		const { socket } = await serve(t, reply(garbage));
		await t.throwsAsync(call(socket, "dom0", "m"), { instanceOf: DaemonError, message: /no reply/ });
	});
}

test("a socket that is not there is named", async (t) => {
	await t.throwsAsync(call("/nonexistent/qubesd.sock", "dom0", "m"), {
		instanceOf: DaemonError,
		message: 'cannot reach qubesd at "/nonexistent/qubesd.sock": no such socket: is qubesd running?',
	});
});

test("a socket behind which nobody listens is named", async (t) => {
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), "client-"));
	t.teardown(() => fs.rm(folder, { recursive: true }));
	const socket = path.join(folder, "dead.sock");
	await fs.writeFile(socket, "");
	await t.throwsAsync(call(socket, "dom0", "m"), { instanceOf: DaemonError, message: /nobody listens there/ });
});

for (const name of ["a b", "a\0b", "a\n", "ä"]) {
	test(`the argument ${JSON.stringify(name)} is refused before anything is sent`, async (t) => {
		const { socket, server } = await serve(t, reply("0\0"));
		await t.throwsAsync(call(socket, "dom0", "m", name), { instanceOf: UsageError });
		await t.throwsAsync(call(socket, name, "m"), { instanceOf: UsageError });
		t.deepEqual(server.requests, []);
	});
}
