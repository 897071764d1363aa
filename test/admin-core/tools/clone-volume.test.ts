// What commands show of a clone while the daemon copies: docs/events.md, domain-volume-copy-progress.
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { encodeEvent } from "../../../admin-core/api/wire.ts";
import { Qubesd } from "../../../admin-core/tools/client.ts";
import { cloneVolume } from "../../../admin-core/tools/clone-volume.ts";
import type { Setting } from "../../../admin-core/tools/command.ts";
import { Progress } from "../../../admin-core/tools/progress.ts";
import { type Connection, FakeServer } from "../../support/fake-server.ts";
import { fail } from "./fake-qubesd.ts";

const HALF = "\r\x1b[Kcloning [###############---------------]  50% 1.0 MiB of 2.0 MiB";
const CLEAR = "\r\x1b[K";

/** How the daemon behaves in one clone. */
interface Daemon {
	/** What it sends to who wants events. */
	readonly events: string | Buffer;
	/** Whether it leaves the connection open then. */
	readonly isOpen?: boolean;
	/** What has to be on the screen before it answers CloneTo. */
	readonly awaits: string;
	readonly reply?: string;
	readonly isTTY?: boolean;
}

interface Outcome {
	/** The message of an error, null if there was none. */
	readonly error: string | null;
	readonly screen: readonly string[];
	/** Of the connections that wanted events. */
	readonly isOver: readonly boolean[];
}

function progress(done: string, size: string, volume = "private"): Buffer {
	return encodeEvent("work", "domain-volume-copy-progress", Object.entries({ volume, done, size }));
}

const ESTABLISHED = encodeEvent("", "connection-established", []);
const TOLD = Buffer.concat([ESTABLISHED, progress("1048576", "2097152")]);

async function clone(t: ExecutionContext, daemon: Daemon): Promise<Outcome> {
	const { events, isOpen = true, awaits, reply = "0\0", isTTY = true } = daemon;
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), "clone-"));
	t.teardown(() => fs.rm(folder, { recursive: true }));
	const screen: string[] = [];
	const listeners: Connection[] = [];
	const socket = path.join(folder, "sock");
	const server = await FakeServer.listen(socket, async (connection) => {
		const request = (await connection.readAll()).toString();
		if (request === "admin.Events+ dom0 name work\0") {
			listeners.push(connection);
			connection.socket.write(events);
			if (!isOpen) connection.socket.end();
			return;
		}
		if (request === "admin.vm.volume.CloneFrom+private dom0 name vault\0") return void connection.socket.end("0\0token");
		t.is(request, "admin.vm.volume.CloneTo+private dom0 name work\0token");
		while (!screen.join("").includes(awaits)) await sleep(5);
		connection.socket.end(reply);
	});
	t.teardown(() => server.close());
	const setting = {
		qubesd: new Qubesd(socket),
		progress: new Progress({ isTTY, write: (text) => screen.push(text) }, false),
	} as unknown as Setting;
	const [from, to] = [
		{ qube: "vault", volume: "private" },
		{ qube: "work", volume: "private" },
	];
	const error = await cloneVolume(setting, "cloning", from, to).then(
		() => null,
		(thrown: Error) => thrown.message,
	);
	return { error, screen, isOver: await Promise.all(listeners.map(isGone)) };
}

/** Whether the other side has gone: writing to it fails then, sooner or later. */
async function isGone({ socket }: Connection): Promise<boolean> {
	while (!socket.destroyed) {
		socket.write(ESTABLISHED);
		await sleep(5);
	}
	return true;
}

test("a bar shows what the daemon tells, and goes with the clone; so does the connection for events", async (t) => {
	t.deepEqual(await clone(t, { events: TOLD, awaits: HALF }), { error: null, screen: [HALF, CLEAR], isOver: [true] });
});

test("when the clone fails, the bar goes, and the connection for events", async (t) => {
	const outcome = await clone(t, { events: TOLD, awaits: HALF, reply: fail("StoragePoolException", "disk full").bytes });
	t.deepEqual(outcome, { error: "disk full", screen: [HALF, CLEAR], isOver: [true] });
	const silent = await clone(t, { events: TOLD, awaits: HALF, reply: "" });
	t.deepEqual([silent.screen, silent.isOver], [[HALF, CLEAR], [true]]);
});

test("events of other volumes, and figures that make no sense, show nothing", async (t) => {
	const odd = [progress("1", "2", "root"), progress("-1", "5"), progress("x", "5"), progress("6", "5"), progress("", "")];
	const others = encodeEvent("work", "domain-volume-import-begin", [
		["volume", "private"],
		["size", "5"],
	]);
	const events = Buffer.concat([ESTABLISHED, others, ...odd, encodeEvent("work", "domain-volume-copy-progress", []), TOLD]);
	t.deepEqual((await clone(t, { events, awaits: HALF })).screen, [HALF, CLEAR]);
});

for (const [title, events] of [
	["are not permitted", fail("PermissionDenied", "no").bytes],
	["end without a word", ""],
	["are no events", "0\0nonsense"],
] as const) {
	test(`where events ${title}, the clone is made, and the seconds are shown`, async (t) => {
		const { error, screen } = await clone(t, { events, isOpen: false, awaits: "cloning … 1 s" });
		t.deepEqual([error, screen[0], screen.at(-1)], [null, `${CLEAR}cloning … 1 s`, CLEAR]);
	});
}

test("without a terminal nobody asks for events", async (t) => {
	t.deepEqual(await clone(t, { events: TOLD, awaits: "", isTTY: false }), { error: null, screen: [], isOver: [] });
});
