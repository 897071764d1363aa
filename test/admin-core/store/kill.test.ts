// Whatever moment a save is killed at, there is the old file or the new one, whole, and the next one can go on.
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { StoreFile } from "../../../admin-core/store/store-file.ts";
import { chooseSeed, Random } from "../../policy-cli/core/random.ts";
import { firstFew, inParallel } from "../../support/parallel.ts";
import { numbered, numberOf } from "./numbered.ts";
import { buildProgram, makeFolder, namesIn, read, startTalking, write } from "./stage.ts";

const KILLS = 240;
const WIDTH = 4;

test(`after ${KILLS} kills at random moments the store is the last one saved or the next, whole, and opens`, async (t) => {
	const folder = makeFolder(t);
	const program = buildProgram("saver.ts", folder);
	const seed = chooseSeed();
	const random = new Random(seed);
	const moments = Array.from({ length: KILLS }, () => ({ saved: random.int(4), delay: random.int(20_000) / 1000 }));
	let leftovers = 0;
	let saves = 0;
	const wrong = await inParallel(moments, WIDTH, async ({ saved, delay }, index) => {
		const file = newStore(folder, `kill-${index}`);
		const { child, lines, line, ended } = startTalking([...program, file, "save"]);
		await line(1 + saved);
		await new Promise((resolve) => setTimeout(resolve, delay));
		child.kill("SIGKILL");
		if ((await ended) !== "SIGKILL") return `kill ${index}: ended by itself: ${lines.at(-1)}`;
		leftovers += Number(namesIn(path.dirname(file)).some((name) => name.includes("~")));
		saves += lines.length - 1;
		return whatIsWrong(file, Number(lines.slice(1).at(-1) ?? 0));
	});
	t.log(`seed ${seed}: ${saves} saves, ${leftovers} kills left a temporary file`);
	t.is(firstFew(wrong.filter((text) => text !== null)), "");
	t.true(saves > KILLS && leftovers > 0, "the moments are spread over the saves");
});

test("after a kill at each single step of two saves the store is the last one saved or the next, whole, and opens", async (t) => {
	const folder = makeFolder(t);
	const program = buildProgram("saver.ts", folder);
	let step = 1;
	for (; ; step++) {
		const file = newStore(folder, `step-${step}`);
		const { lines, ended } = startTalking([...program, file, "save", "2"], { KILL_AT: String(step) });
		const how = await ended;
		t.is(await whatIsWrong(file, Number(lines.slice(1).at(-1) ?? 0)), null, `step ${step}`);
		if (how === 0) break;
		t.is(how, "SIGKILL", lines.join());
	}
	t.log(`${step - 1} steps`);
	t.true(step > 20);
});

test("a program that is killed while it holds a store leaves it unlocked", async (t) => {
	const folder = makeFolder(t);
	const file = newStore(folder, "held");
	const { child, line, ended } = startTalking([...buildProgram("saver.ts", folder), file, "hold"]);
	t.is(await line(1), "ready");
	await t.throwsAsync(StoreFile.open(file), { message: `${file}.lock is held by process ${child.pid}: stop it first` });
	child.kill("SIGKILL");
	await ended;
	await closeAfter(t, await StoreFile.open(file));
});

test("a second process is told at once who holds the store, and goes on when it is closed", async (t) => {
	const folder = makeFolder(t);
	const program = buildProgram("saver.ts", folder);
	const file = newStore(folder, "two");
	const store = await StoreFile.open(file);
	await store.load();
	const second = startTalking([...program, file, "save", "1"]);
	t.is(await second.ended, 1);
	t.deepEqual(second.lines, [`locked: ${file}.lock is held by process ${process.pid}: stop it first`]);
	await store.save(numbered(7));
	await store.close();
	const third = startTalking([...program, file, "save", "1"]);
	t.is(await third.ended, 0);
	t.deepEqual(third.lines, ["ready", "8"]);
});

async function closeAfter(t: ExecutionContext, store: StoreFile): Promise<void> {
	t.is(numberOf((await store.load()).data), 0);
	await store.close();
}

function newStore(folder: string, name: string): string {
	const file = path.join(folder, name, "qubes.xml");
	fs.mkdirSync(path.dirname(file));
	fs.writeFileSync(file, write(numbered(0)));
	return file;
}

/** What is wrong with a store whose writer was killed when save `done` was the last that it knew to be on the disk; null if nothing. */
async function whatIsWrong(file: string, done: number): Promise<string | null> {
	const folder = path.dirname(file);
	const text = fs.readFileSync(file, "utf8");
	const n = numberOf(read(text).data);
	if (n !== done && n !== done + 1) return `${file}: has ${n} after ${done}`;
	if (text !== write(numbered(n, n === 0 ? "" : "x".repeat(60_000)))) return `${file}: ${n} is not whole`;
	const store = await StoreFile.open(file);
	try {
		if (numberOf((await store.load()).data) !== n) return `${file}: loads as another one`;
		const left = namesIn(folder).filter((name) => !/^qubes\.xml(\.bak-.*)?$/.test(name));
		if (left.length > 0) return `${file}: left behind: ${left}`;
		const backups = namesIn(folder).filter((name) => name.includes(".bak-"));
		if (backups.some((name) => numberOf(read(fs.readFileSync(path.join(folder, name), "utf8")).data) !== 0))
			return `${file}: bad backup`;
		await store.save(numbered(n + 1));
		return numberOf(read(fs.readFileSync(file, "utf8")).data) === n + 1 ? null : `${file}: cannot go on`;
	} finally {
		await store.close();
	}
}
