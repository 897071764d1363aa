// Of how much of a copy listeners are told: docs/events.md, domain-volume-copy-progress.
import test, { type ExecutionContext } from "ava";
import type { OnProgress, Volume } from "../../../admin-core/model/storage/contract.ts";
import { tellProgress } from "../../../admin-core/model/storage/progress.ts";
import { openStorage } from "./storage-desk.ts";

const EVENT = "domain-volume-copy-progress";

/** What tells of a copy into the private volume of `work`; `clock.now` is the time. */
async function setUp(t: ExecutionContext, hear: (args: object) => void): Promise<{ tell: OnProgress; clock: { now: number } }> {
	const { app } = await openStorage(t);
	const work = app.qube("work");
	work.addHandler(EVENT, (_qube, _event, args) => hear(args));
	const clock = { now: 0 };
	return { tell: tellProgress(work, work.storage.find("private") as Volume, () => clock.now), clock };
}

test.serial("four events in a second at the most, the first one at once and the last one in any case", async (t) => {
	const heard: object[] = [];
	const { tell, clock } = await setUp(t, (args) => void heard.push(args));
	for (; clock.now < 990; clock.now += 10) tell(clock.now, 1000);
	tell(1000, 1000);
	const wanted: object[] = [0, 340, 680, 1000].map((done) => ({ volume: "private", done, size: 1000 }));
	t.deepEqual(heard, wanted);
});

test.serial("the end is told once", async (t) => {
	const heard: object[] = [];
	const { tell, clock } = await setUp(t, (args) => void heard.push(args));
	for (const done of [0, 5, 5, 5]) {
		tell(done, 5);
		clock.now += 1000;
	}
	t.is(heard.length, 2);
});

test.serial("a handler that fails ends the telling, not the copy, and is logged once", async (t) => {
	let calls = 0;
	const { tell, clock } = await setUp(t, () => {
		calls++;
		throw new Error("broken");
	});
	const { write } = process.stderr;
	const lines: string[] = [];
	process.stderr.write = ((line: string) => lines.push(line) > 0) as typeof write;
	t.teardown(() => {
		process.stderr.write = write;
	});
	for (const done of [0, 1, 2]) {
		tell(done, 2);
		clock.now += 1000;
	}
	t.is(calls, 1);
	t.deepEqual(lines, [`work: a handler of ${EVENT} fails, and no more is told: broken\n`]);
});
