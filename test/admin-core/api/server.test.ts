// One request for each connection, its end, its limits, its errors: spec/admin-core.md 7.2, 7.3, 12 (2).
import test from "ava";
import type { Request } from "../../../admin-core/api/wire.ts";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { Client, call, echo, eventually, logged, startServer } from "./stage.ts";

test("a request is answered and the connection closed", async (t) => {
	const { path, server } = await startServer(t, echo);
	t.is((await call(path, "admin.vm.List+ dom0 name dom0\0")).toString(), "0\0admin.vm.List||dom0|dom0|");
	t.is((await call(path, Buffer.from("a.B+c x name y\0\0\xff", "latin1"))).toString(), "0\0a.B|c|x|y|\0ÿ");
	await eventually(() => server.connectionCount === 0);
});

test("a reply of bytes is sent as it is, also if it is large", async (t) => {
	const large = Buffer.alloc(5_000_000, "x");
	const { path } = await startServer(t, () => large);
	t.true((await call(path, "a.B x name y\0")).equals(Buffer.concat([Buffer.from("0\0"), large])));
});

test("a request in pieces of one byte is one request", async (t) => {
	const { path } = await startServer(t, echo);
	const client = new Client(path);
	for (const byte of Buffer.from("a.B+c x name y\0payload")) await client.write(Buffer.of(byte));
	client.socket.end();
	t.is((await client.received).toString(), "0\0a.B|c|x|y|payload");
});

test("nothing is looked at before the client shuts its writing side", async (t) => {
	const seen: Request[] = [];
	const { path } = await startServer(t, (request) => {
		seen.push(request);
		return echo(request);
	});
	const client = new Client(path);
	await client.write("a.B+c x name y\0pay");
	// The server has had time to look: it has answered another one, whose bytes came later.
	await call(path, "other x name y\0");
	t.deepEqual(
		seen.splice(0).map(({ method }) => method),
		["other"],
	);
	client.socket.end("load");
	t.is((await client.received).toString(), "0\0a.B|c|x|y|payload");
	t.is(seen.length, 1);
});

test("the half-close of the client does not end a call that takes its time", async (t) => {
	let release: (() => void) | null = null;
	const serve = () =>
		new Promise<string>((resolve) => {
			release = () => resolve("late");
		});
	const { path, server } = await startServer(t, serve);
	const client = new Client(path);
	client.socket.end("a.B x name y\0");
	await eventually(() => release !== null);
	t.is((await call(path, "")).length, 0);
	await eventually(() => server.connectionCount === 1);
	(release as unknown as () => void)();
	t.is((await client.received).toString(), "0\0late");
});

test("65,536 bytes are a request, one more closes the connection without a reply", async (t) => {
	const { path } = await startServer(t, ({ payload }) => String(payload.length));
	const header = Buffer.from("a.B+c x name y\0");
	const payload = Buffer.alloc(65_536 - header.length);
	t.is((await call(path, Buffer.concat([header, payload]))).toString(), `0\0${payload.length}`);
	t.is((await call(path, Buffer.concat([header, payload, Buffer.of(0)]))).length, 0);
	t.is((await call(path, Buffer.alloc(3_000_000, "x"))).length, 0);
	t.is(logged("connection closed without reply: request of more than 65536 bytes").length, 2);
});

test("garbage closes the connection without a reply and leaves one line in the log", async (t) => {
	const { path } = await startServer(t, echo);
	const garbage = ["garbage-1", "a b\0", "a.B x uuid y\0", Buffer.from([255, 254, 0, 1]), "\0\0\0\0\0\0\0"];
	const before = logged("malformed header").length;
	for (const bytes of garbage) t.is((await call(path, bytes)).length, 0);
	t.is(logged("malformed header").length - before, garbage.length);
});

test("a client that connects and says nothing is answered nothing and not logged", async (t) => {
	const { path } = await startServer(t, echo);
	t.is((await call(path, "")).length, 0);
	t.is(logged("in 0 bytes").length, 0);
});

test("a header that is not ASCII is answered", async (t) => {
	const { path } = await startServer(t, echo);
	const reply = await call(path, Buffer.from("a.B+\xe9 x name y\0", "latin1"));
	t.is(reply.toString(), "2\0QubesValueError\0\0header: want ASCII characters only\0");
	t.is(logged("request: QubesValueError: header: want ASCII characters only").length, 1);
});

test("a request that does not arrive in time closes the connection without a reply", async (t) => {
	const { path, server } = await startServer(t, echo, { requestTime: 30 });
	const client = new Client(path);
	client.socket.write("a.B x name y\0pay");
	t.is((await client.received).length, 0);
	t.is(logged("no whole request within 0.03 s").length, 1);
	await eventually(() => server.connectionCount === 0);
});

test("a reply that nobody reads is not kept for ever", async (t) => {
	const { path, server } = await startServer(t, () => Buffer.alloc(10_000_000), { replyTime: 30 });
	const client = new Client(path);
	client.socket.pause();
	client.socket.end("a.B x name y\0");
	await eventually(() => logged("its reply was not read within 0.03 s").length === 1);
	await eventually(() => server.connectionCount === 0);
	client.socket.destroy();
	t.pass();
});

/** What a served function throws, and what the client gets. `log`: how the line in the log goes on, null if there is none. */
function answers(title: string, thrown: unknown, wanted: string, log: string | null) {
	test(`${title} is answered`, async (t) => {
		const method = title.replaceAll(" ", "-");
		for (const isAsync of [false, true]) {
			const { path } = await startServer(t, () => {
				if (isAsync) return Promise.reject(thrown);
				throw thrown;
			});
			t.is((await call(path, `${method}+arg x name y\0`)).toString(), wanted);
		}
		const lines = logged(`${method}+arg x y: `);
		t.is(lines.length, log === null ? 0 : 2);
		for (const line of lines) t.true(line.includes(`x y: ${log}`), line);
	});
}

const INTERNAL = "2\0QubesException\0\0internal error, see the log of qubesd\0";
const notFound = new AdminError("QubesVMNotFoundError", "No such domain: '100%'");
answers(
	"an error of the API",
	notFound,
	"2\0QubesVMNotFoundError\0\0No such domain: '100%%'\0",
	"QubesVMNotFoundError: No such domain: '100%'",
);
const noFeature = new AdminError("QubesFeatureNotFoundError", "Feature not set");
answers("a question with the answer no", noFeature, "2\0QubesFeatureNotFoundError\0\0Feature not set\0", null);
answers("a ProtocolError", new AdminError("ProtocolError", "5%"), "2\0ProtocolError\0\x005%\0", "ProtocolError: 5%");
answers("a PermissionDenied", new AdminError("PermissionDenied", "no"), "2\0PermissionDenied\0\0no\0", "PermissionDenied: no");
answers("a defect", new TypeError("secret"), INTERNAL, "internal error: TypeError: secret\\n    at ");
answers("a text", "secret", INTERNAL, "internal error: 'secret'");
answers("nothing at all", undefined, INTERNAL, "internal error: undefined");
answers("an object without methods", Object.create(null), INTERNAL, "internal error: [Object: null prototype] {}");
const hostile = Object.defineProperty(new Error("x"), "stack", {
	get: () => {
		throw new Error("more");
	},
});
answers("an error that throws", hostile, INTERNAL, "internal error: something that cannot be shown");

test("a reply that is none is a defect", async (t) => {
	const { path } = await startServer(t, () => undefined as unknown as string);
	t.is((await call(path, "no-reply x name y\0")).toString(), INTERNAL);
	t.is(logged("no-reply+ x y: internal error: TypeError").length, 1);
});

test("with debug the client gets the stack", async (t) => {
	const { path } = await startServer(
		t,
		({ method }) => {
			throw method === "defect" ? new TypeError("bad") : new AdminError("QubesValueError", "bad");
		},
		{ debug: true },
	);
	t.regex((await call(path, "a x name y\0")).toString(), /^2\0QubesValueError\0Error: bad\n {4}at [^\0]+\0bad\0$/);
	t.regex(
		(await call(path, "defect x name y\0")).toString(),
		/^2\0QubesException\0TypeError: bad\n {4}at [^\0]+\0internal error, [^\0]+\0$/,
	);
});

test("what a client wrote can neither forge a line of the log nor fill it", async (t) => {
	const { path } = await startServer(t, ({ argument }) => {
		throw new AdminError("ProtocolError", `bad argument ${argument}`);
	});
	await call(path, `forge+\n<3>evil${"x".repeat(60_000)} x name y\0`);
	const [line = "", ...more] = logged("forge+");
	t.deepEqual(more, []);
	t.true(line.startsWith("forge+\\n<3>evil") || /^<4>forge\+\\n<3>evil/.test(line));
	t.true(line.length < 1_000);
	t.is(line.indexOf("\n"), line.length - 1);
});
