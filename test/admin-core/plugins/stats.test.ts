// admin.vm.Stats in the process of the test: spec/admin-core.md 8.1. Over a socket it is tested in e2e/misc.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import type { EventSink, Filter, Method } from "../../../admin-core/host/plugin.ts";
import type { App } from "../../../admin-core/model/app.ts";
import { methods } from "../../../admin-core/plugins/stats/index.ts";
import { makeHouse } from "../model/house.ts";

/** A client that notes of which qubes it is told, until it is gone. */
class Client implements EventSink {
	readonly told: string[] = [];
	hasEnded = false;
	private readonly listeners: (() => void)[] = [];

	send(subject: string): void {
		this.told.push(subject);
	}

	onClose(listener: () => void): void {
		this.listeners.push(listener);
	}

	end(): void {
		this.hasEnded = true;
	}

	leave(): void {
		for (const listener of this.listeners) listener();
	}

	/** Waits until it has been told so often. */
	async until(count: number): Promise<void> {
		while (this.told.length < count) await sleep(10);
	}
}

async function subscribe(app: App, destination: string, sees: Filter = () => true): Promise<Client> {
	const method = methods["admin.vm.Stats"] as Method;
	const [source, qube] = [app.qube("dom0"), app.qube(destination)];
	const call = { app, method: "admin.vm.Stats", source, destination: qube, argument: "", payload: Buffer.alloc(0) };
	const start = await method({ ...call, permit: () => sees, save: async () => undefined });
	const client = new Client();
	if (typeof start === "function") start(client);
	return client;
}

/** A house in which some qubes run, with news every second. */
function makeBusyHouse(): App {
	const app = makeHouse();
	app.set("stats_interval", 1);
	app.qube("work").powerState = "Running";
	app.qube("vault").powerState = "Paused";
	return app;
}

test("at dom0 all qubes are told of that are not halted, at any other qube that one", async (t) => {
	const app = makeBusyHouse();
	const clients = await Promise.all(["dom0", "work", "base"].map((name) => subscribe(app, name)));
	t.deepEqual(
		clients.map(({ told }) => told),
		[["dom0", "vault", "work"], ["work"], []],
	);
	app.qube("base").powerState = "Running";
	await clients[2]?.until(1);
	for (const client of clients) client.leave();
});

test("who is gone is told no more", async (t) => {
	const app = makeBusyHouse();
	const [gone, other] = await Promise.all([subscribe(app, "work"), subscribe(app, "work")]);
	await gone.until(2);
	gone.leave();
	const count = gone.told.length;
	await other.until(count + 2);
	t.is(gone.told.length, count);
	other.leave();
});

test("the stream of a qube ends with the qube", async (t) => {
	const app = makeBusyHouse();
	const client = await subscribe(app, "disp1");
	t.false(client.hasEnded);
	app.remove(app.qube("disp1"));
	while (!client.hasEnded) await sleep(10);
	client.leave();
	t.deepEqual(client.told, []);
});

test("qubes that a handler of the permission hides are not told of, and one that fails ends the stream", async (t) => {
	const app = makeBusyHouse();
	const seen = await subscribe(app, "dom0", (item) => (item as [{ name: string }])[0].name !== "vault");
	t.deepEqual(seen.told, ["dom0", "work"]);
	seen.leave();
	const failed = await subscribe(app, "dom0", () => {
		throw new Error("broken");
	});
	t.deepEqual([failed.told, failed.hasEnded], [[], true]);
});

test("an interval that is longer than any timer is no flood", async (t) => {
	const app = makeBusyHouse();
	const other = await subscribe(app, "work");
	app.set("stats_interval", 10_000_000);
	const client = await subscribe(app, "work");
	await other.until(2);
	t.is(client.told.length, 1);
	for (const one of [client, other]) one.leave();
});
