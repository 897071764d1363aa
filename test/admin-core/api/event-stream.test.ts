// Streams of events over real sockets: spec/admin-core.md 7.5, 12 (14).
import fs from "node:fs";
import test, { type ExecutionContext } from "ava";
import type { EventStream } from "../../../admin-core/api/event-stream.ts";
import type { StreamStart } from "../../../admin-core/api/server.ts";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { Emitter } from "../../../admin-core/model/events/emitter.ts";
import { Client, call, eventually, logged, startServer } from "./stage.ts";

const CONNECTED = "1\0\0connection-established\0\0";
const REQUEST = "admin.Events+ dom0 name dom0\0";

class Subject extends Emitter {}

/** A server whose calls are all streams of what is fired on one emitter, which counts its handlers. */
async function startStreaming(t: ExecutionContext, maxUnsent = 1 << 20) {
	const subject = new Subject();
	subject.eventsEnabled = true;
	const open = new Set<EventStream>();
	const counts = { closed: 0 };
	const start: StreamStart = (stream) => {
		const forward = (_: unknown, event: string, args: { readonly [name: string]: unknown }): void =>
			stream.send("work", event, args);
		subject.addHandler("*", forward);
		open.add(stream);
		stream.onClose(() => {
			subject.removeHandler("*", forward);
			open.delete(stream);
			counts.closed++;
		});
	};
	const stage = await startServer(t, ({ method }) => (method === "plain" ? "plain" : start), { maxUnsent });
	const subscribe = async (): Promise<Client> => {
		const client = new Client(stage.path);
		client.socket.end(REQUEST);
		await client.until(CONNECTED);
		return client;
	};
	return { ...stage, subject, open, counts, subscribe };
}

test("a listener is told that it is connected, then each event, byte for byte, until the server ends", async (t) => {
	const { subject, subscribe, server, counts } = await startStreaming(t);
	const client = await subscribe();
	subject.fire("domain-feature-set:evf", { feature: "evf", value: "2", oldvalue: "1" });
	subject.fire("e:é", { vm: { wireName: "sys-net" }, none: null, yes: true, options: { a: "b" } });
	const events =
		"1\0work\0domain-feature-set:evf\0feature\0evf\0value\x002\0oldvalue\x001\0\0" +
		"1\0work\0e:é\0vm\0sys-net\0none\0None\0yes\0True\0options\0{'a': 'b'}\0\0";
	t.is((await client.until("options")).toString(), CONNECTED + events);
	await server.close();
	t.is((await client.received).toString(), CONNECTED + events);
	t.is(counts.closed, 1);
});

test("a listener hears nothing of what was before it, and a stream can be ended by whoever feeds it", async (t) => {
	const { subject, subscribe, open } = await startStreaming(t);
	subject.fire("before");
	const client = await subscribe();
	subject.fire("during");
	const [stream] = open;
	stream?.end();
	subject.fire("after");
	t.is((await client.received).toString(), `${CONNECTED}1\0work\0during\0\0`);
	await eventually(() => open.size === 0);
});

test("a listener that only keeps its half-closed connection stays, and hears all", async (t) => {
	const { subject, subscribe, counts, path } = await startStreaming(t);
	const client = await subscribe();
	// Longer than the time between two looks whether it is there.
	await new Promise((resolve) => setTimeout(resolve, 1_200));
	t.is((await call(path, "plain x name y\0")).toString(), "0\0plain");
	for (let n = 0; n < 1_000; n++) subject.fire(`e:${n}`);
	const all = (await client.until("e:999\0")).toString();
	t.is(all, CONNECTED + Array.from({ length: 1_000 }, (_, n) => `1\0work\0e:${n}\0\0`).join(""));
	t.is(counts.closed, 0);
	client.socket.destroy();
});

test("a listener that goes away is noticed without an event, and leaves no handler", async (t) => {
	const { subject, subscribe, open, counts, server } = await startStreaming(t);
	const clients = await Promise.all(Array.from({ length: 50 }, subscribe));
	t.is(open.size, 50);
	for (const { socket } of clients) socket.destroy();
	await eventually(() => open.size === 0);
	t.is(counts.closed, 50);
	await eventually(() => server.connectionCount === 0);
	t.deepEqual(subject.fire("e"), []);
	t.is(countHandlers(subject), 0);
});

test("a listener that goes away while events are fired breaks no firing", async (t) => {
	const { subject, subscribe, open, counts } = await startStreaming(t);
	const stays = await subscribe();
	const goes = await subscribe();
	goes.socket.destroy();
	let n = 0;
	while (open.size === 2) {
		t.notThrows(() => subject.fire(`e:${n++}`, { text: "x".repeat(1_000) }));
		await new Promise((resolve) => setImmediate(resolve));
	}
	subject.fire("last");
	const all = (await stays.until("last")).toString();
	t.is(all.split("1\0work\0e:").length - 1, n, "no event is lost for the other one");
	t.is(counts.closed, 1);
	t.is(countHandlers(subject), 1);
});

test("a listener that does not read is dropped with one line in the log, and the others go on", async (t) => {
	const { subject, subscribe, open, counts } = await startStreaming(t, 100_000);
	const reads = await subscribe();
	const sleeps = await subscribe();
	sleeps.socket.pause();
	const text = "x".repeat(10_000);
	let n = 0;
	while (open.size === 2) {
		t.notThrows(() => subject.fire(`e:${n++}`, { text }));
		await reads.until(`e:${n - 1}\0`);
	}
	subject.fire("last");
	const all = (await reads.until("last")).toString();
	t.is(all.split("1\0work\0e:").length - 1, n);
	t.is(counts.closed, 1);
	t.is(logged("a listener of events is dropped: it does not read").length, 1);
	sleeps.socket.resume();
	t.true((await sleeps.received).toString().startsWith(CONNECTED));
});

test("a value that cannot be written as text is logged, and neither the firing nor the next event suffers", async (t) => {
	const { subject, subscribe } = await startStreaming(t);
	const client = await subscribe();
	const bad = {
		get wireName(): string {
			throw new Error("bad-value");
		},
	};
	const circular: { self?: unknown } = {};
	circular.self = circular;
	t.notThrows(() => subject.fire("bad", { bad }));
	t.notThrows(() => subject.fire("bad", { circular }));
	subject.fire("good");
	t.is((await client.until("good")).toString(), `${CONNECTED}1\0work\0good\0\0`);
	t.is(logged("bad-value").length, 1);
});

test("onClose calls back at once where it is too late, and what it throws is logged", async (t) => {
	const { subscribe, open } = await startStreaming(t);
	const client = await subscribe();
	const [stream] = open as Set<EventStream>;
	stream?.onClose(() => {
		throw new Error("bad-listener");
	});
	client.socket.destroy();
	await eventually(() => open.size === 0);
	let called = 0;
	stream?.onClose(() => called++);
	stream?.send("work", "late");
	stream?.end();
	t.is(called, 1);
	t.is(logged("bad-listener").length, 1);
});

test("a streaming call that is refused is answered with its error, one that fails to start is ended and logged", async (t) => {
	const { path } = await startServer(t, ({ method }) => {
		if (method === "refused") throw new AdminError("PermissionDenied", "no");
		return () => {
			throw new Error("bad-start");
		};
	});
	t.is((await call(path, "refused x name y\0")).toString(), "2\0PermissionDenied\0\0no\0");
	t.is((await call(path, "streams x name y\0")).toString(), CONNECTED);
	t.is(logged("streams+ x y: internal error: Error: bad-start").length, 1);
});

test("a stream that starts when the client is gone or the server closes ends at once", async (t) => {
	let release = (): void => undefined;
	let closed = 0;
	const { path, server } = await startServer(
		t,
		() =>
			new Promise<StreamStart>((resolve) => {
				release = () => resolve((stream) => stream.onClose(() => closed++));
			}),
		{ closeTime: 60_000 },
	);
	const first = release;
	const client = new Client(path);
	client.socket.end(REQUEST);
	await eventually(() => release !== first);
	const closing = server.close();
	release();
	await closing;
	t.is((await client.received).length, 0);
	t.is(closed, 1);
	t.false(fs.existsSync(path));
});

/** How many handlers of an instance would run. */
function countHandlers(subject: Subject): number {
	const { instanceTable } = subject as unknown as { instanceTable: { find(event: string): readonly unknown[] } };
	return instanceTable.find("any").length;
}
