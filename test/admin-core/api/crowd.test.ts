// Many clients, slow ones, and such that vanish: spec/admin-core.md 7.2, issue 3.
import test from "ava";
import type { Request } from "../../../admin-core/api/wire.ts";
import { Client, call, echo, eventually, logged, startServer } from "./stage.ts";

const CLIENTS = 200;

test("200 clients are answered while slow and silent ones are connected, and a slow one in the end too", async (t) => {
	const { path } = await startServer(t, echo);
	const silent = new Client(path);
	const slow = new Client(path);
	const garbage = new Client(path);
	await slow.write("a.B+slow x name y\0");
	await garbage.write(Buffer.alloc(1_000, 0xff));
	const drip = setInterval(() => slow.socket.write("."), 1);
	const replies = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => call(path, `a.B+${n} x name y\0p`)));
	clearInterval(drip);
	t.deepEqual(
		replies.map(String),
		Array.from({ length: CLIENTS }, (_, n) => `0\0a.B|${n}|x|y|p`),
	);
	slow.socket.end();
	t.regex((await slow.received).toString(), /^0\0a\.B\|slow\|x\|y\|\.*$/);
	for (const client of [silent, garbage]) client.socket.destroy();
});

test("10,000 calls of 200 clients at once get each its own answer", async (t) => {
	const { path, server } = await startServer(t, async (request) => {
		// Half of them end in another order than they came.
		if (request.payload.length % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
		return echo(request);
	});
	let wrong = 0;
	let right = 0;
	await Promise.all(
		Array.from({ length: CLIENTS }, async (_, client) => {
			for (let n = 0; n < 10_000 / CLIENTS; n++) {
				const payload = "x".repeat((client * 7 + n * 13) % 3_000);
				const reply = await call(path, `m.${n}+${client} c${client} name y\0${payload}`);
				if (reply.toString() === `0\0m.${n}|${client}|c${client}|y|${payload}`) right++;
				else wrong++;
			}
		}),
	);
	t.deepEqual({ right, wrong }, { right: 10_000, wrong: 0 });
	await eventually(() => server.connectionCount === 0);
});

test("of too many connections without a request the oldest are closed, and who sends one is answered", async (t) => {
	const { path, server } = await startServer(t, echo, { maxWaiting: 10 });
	const silent = Array.from({ length: 30 }, () => new Client(path));
	await Promise.all(silent.slice(0, 20).map(({ received }) => received));
	t.is((await call(path, "a.B+c x name y\0")).toString(), "0\0a.B|c|x|y|");
	await eventually(() => server.connectionCount === 9);
	t.is(logged("10 others sent no whole request either").length, 21);
	for (const { socket } of silent) socket.destroy();
});

test("a client that vanishes before its request is whole is not served", async (t) => {
	const seen: Request[] = [];
	const { path, server } = await startServer(t, (request) => {
		seen.push(request);
		return "";
	});
	for (const bytes of ["", "a.", "a.B+c x name y\0", "a.B+c x name y\0half a payl"]) {
		const client = new Client(path);
		await client.connected();
		await client.write(bytes);
		await eventually(() => server.connectionCount === 1);
		// Both directions at once, as the kernel does for a program that is killed.
		client.socket.destroy();
		await eventually(() => server.connectionCount === 0);
	}
	t.deepEqual(seen, []);
	t.deepEqual(logged("malformed"), []);
	t.is((await call(path, "a.B x name y\0")).toString(), "0\0");
});

test("a client that vanishes during the call or the reply harms nobody", async (t) => {
	let finish = (_reply: string | Error): void => undefined;
	const { path, server } = await startServer(t, ({ method }) => {
		if (method === "quick") return "quick";
		return new Promise<string>((resolve, reject) => {
			finish = (reply) => (typeof reply === "string" ? resolve(reply) : reject(reply));
		});
	});
	for (const reply of ["small", "x".repeat(5_000_000), new Error("vanished-defect")]) {
		finish = () => undefined;
		const pending = finish;
		const client = new Client(path);
		client.socket.end("slow x name y\0");
		await eventually(() => finish !== pending);
		client.socket.destroy();
		finish(reply);
		await eventually(() => server.connectionCount === 0);
	}
	t.is(logged("vanished-defect").length, 1);
	const reader = new Client(path);
	reader.socket.end("slow x name y\0");
	const pending = finish;
	await eventually(() => finish !== pending);
	finish("y".repeat(5_000_000));
	await reader.until("0\0yyy");
	reader.socket.destroy();
	await eventually(() => server.connectionCount === 0);
	t.is((await call(path, "quick x name y\0")).toString(), "0\0quick");
});
