// Scenario 66 of spec section 11: a tree that goes back and forth between our driver and the reference. The reference itself is not to be had here: the other
// hand is a stand-in (reference/stand_in.py), written from the specification alone. So these tests say that our driver and a second reading of
// the specification agree on names, contents, sizes, revisions and precache; what the specification does not tell of the reference they cannot find.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { isChange, lookBeforeEachCall } from "./before-each-call.ts";
import { call } from "./file-systems.ts";
import { read, write } from "./images.ts";
import { type Hand, type Hands, handsOf, type Step, type View } from "./reference/hands.ts";
import { APPVM, type Scene, scenario, TEMPLATE } from "./scene.ts";

const FILE_SYSTEMS = "BXE";
const [SMALL, LARGE, HUGE] = [16_384, 32_768, 65_536];

type Move = Step | readonly [kind: "write", letter: string] | readonly [kind: "keep", keep: number];

const run = (letter: string): readonly Move[] => [["start"], ["write", letter], ["stop"]];

const LIFE: readonly Move[] = [
	["create"],
	...run("A"),
	...run("B"),
	["revert"],
	...run("C"),
	["resize", LARGE],
	...run("D"),
	["revert", "2"],
	["revert", "3"],
	["start"],
	["write", "E"],
	["revert"],
	["start"],
	["resize", HUGE],
	["stop"],
	["stop"],
	["import", "I", SMALL, true],
	["import", "J", LARGE, false],
	...run("F"),
	["revert"],
	["revert", "99"],
	...run("G"),
];

const CHANGES_OF_KEEP: readonly Move[] = [
	["create"],
	...run("A"),
	...run("B"),
	...run("C"),
	["keep", 1],
	...run("D"),
	["keep", 0],
	["revert"],
	...run("E"),
	["keep", 3],
	...run("F"),
	...run("G"),
	["keep", -1],
	...run("H"),
	["keep", 1],
	...run("I"),
	["start"],
	["keep", 2],
	["write", "K"],
	["stop"],
	["revert"],
];

/** Whose turn it is: O ours, S the stand-in, and from the beginning again. The first two are one driver alone. */
const TURNS = ["O", "S", "OS", "SO", "OOS", "SSO", "OSSSOO"];

const LIVES: readonly (readonly [what: string, keep: number, moves: readonly Move[]])[] = [
	["no revisions", 0, LIFE],
	["one revision", 1, LIFE],
	["two revisions", 2, LIFE],
	["snapshots disabled", -1, LIFE],
	["another number of revisions now and then", 3, CHANGES_OF_KEEP],
];

for (const [what, keep, moves] of LIVES) {
	scenario(
		`66 with ${what}, a volume that changes hands at any step is for both what it would be in one hand`,
		FILE_SYSTEMS,
		async (t, scene) => {
			const hands = handsOf(scene);
			for (const turns of TURNS) scene.origin({ size: SMALL, revisionsToKeep: keep }, qube(turns));
			for (const [index, move] of moves.entries()) {
				const results: string[] = [];
				for (const turns of TURNS) results.push(await moveAndLook(t, scene, hands, { turns, move, index }));
				t.deepEqual([...new Set(results)], results.slice(0, 1), `${index} ${move}`);
			}
			const isExpected = (line: string): boolean => /before the revert is lost/.test(line);
			t.deepEqual([hands.ours.warnings.filter((line) => !isExpected(line)), hands.standIn.warnings], [[], []]);
			for (const turns of TURNS) t.false(await handAt(hands, turns, turns.length - 1).do(vidIn(turns), "remove"));
			t.deepEqual(scene.names("appvms"), []);
		},
	);
}

interface Turn {
	readonly turns: string;
	readonly move: Move;
	readonly index: number;
}

/** Makes a move with the hand whose turn it is, and lets both look at the result. Returns what must be the same whoever makes the moves. */
async function moveAndLook(t: ExecutionContext, scene: Scene, hands: Hands, { turns, move, index }: Turn): Promise<string> {
	const vid = vidIn(turns);
	const place = `${turns} ${index} ${move}`;
	const before = await seenAlike(t, hands, vid, place);
	const replaced = timeOfClean(scene, vid);
	let isRefused = false;
	if (move[0] === "write") writeAsOf(scene, vid, move[1], index);
	else if (move[0] === "keep") scene.pool.getVolume(vid).revisionsToKeep = move[1];
	else isRefused = await handAt(hands, turns, index).do(vid, ...move);
	const after = await seenAlike(t, hands, vid, place);
	const old = before.revisions.map(([id]) => id);
	const made = after.revisions.filter(([id]) => !old.includes(id));
	for (const [, time] of made) t.is(time, replaced, `${place}: the time of the image that was replaced`);
	return JSON.stringify({ isRefused, ...after, revisions: after.revisions.map(([id, , image]) => [id, image]) });
}

function handAt(hands: Hands, turns: string, index: number): Hand {
	return turns[index % turns.length] === "O" ? hands.ours : hands.standIn;
}

async function seenAlike(t: ExecutionContext, { ours, standIn }: Hands, vid: string, place = vid): Promise<View> {
	const view = await ours.see(vid);
	t.deepEqual(await standIn.see(vid), view, place);
	return view;
}

/** Writes as a guest whose clock goes back and forth, so that no time is that of the commit by chance. */
function writeAsOf(scene: Scene, vid: string, letter: string, index: number): void {
	const { path: image } = scene.pool.getVolume(vid);
	write(image, letter);
	const seconds = 1_500_000_000 + ((index * 7) % 11) * 86_400 + 0.9;
	fs.utimesSync(image, seconds, seconds);
}

/** In whole seconds of UTC. */
function timeOfClean(scene: Scene, vid: string): string {
	const stat = fs.statSync(path.join(scene.dir, `${vid}.img`), { throwIfNoEntry: false });
	return stat === undefined ? "there is none" : new Date(stat.mtimeMs).toISOString().slice(0, 19);
}

function qube(name: string): typeof APPVM {
	return { ...APPVM, name };
}

function vidIn(name: string): string {
	return `appvms/${name}/private`;
}

/** A run by one hand. */
async function runBy(hand: Hand, { path: image, vid }: Volume, letter: string): Promise<void> {
	await hand.do(vid, "start");
	write(image, letter);
	await hand.do(vid, "stop");
}

scenario("66 the stand-in begins a run with our precache, without a warning", "BX", async (t, scene) => {
	const { ours, standIn } = handsOf(scene);
	await makePrecaches(scene.origin(), ours, (place) => beginsWithPrecache(t, scene, standIn, place));
});

scenario("66 we begin a run with the precache of the stand-in, without a warning", FILE_SYSTEMS, async (t, scene) => {
	const { ours, standIn } = handsOf(scene);
	const volume = scene.origin();
	await makePrecaches(volume, standIn, (place) => beginsWithPrecache(t, scene, ours, place));
	for (const off of [-900n, 900n]) {
		await runBy(standIn, volume, "A");
		const { mtimeNs } = fs.statSync(scene.file(volume), { bigint: true });
		const nanoseconds = String(mtimeNs + off);
		const time = `@${nanoseconds.slice(0, -9)}.${nanoseconds.slice(-9)}`;
		call("touch", "--no-create", "--date", time, scene.file(volume, "-precache.img"));
		await beginsWithPrecache(t, scene, ours, `${off} ns off, as what keeps microseconds only may be`);
		await standIn.do(volume.vid, "stop");
	}
});

/** Has one hand make a precache in each of the ways in which there comes to be one, for the other to begin a run with. */
async function makePrecaches({ vid, path: image, size }: Volume, hand: Hand, begin: (place: string) => Promise<void>) {
	const ways: readonly Step[] = [["create"], ["stop"], ["revert"], ["resize", 2 * size], ["import", "I", size, true]];
	for (const way of ways) {
		await hand.do(vid, ...way);
		await begin(`${way}`);
		write(image, "A");
		if (way[0] !== "create") await hand.do(vid, "stop");
	}
}

async function beginsWithPrecache(t: ExecutionContext, scene: Scene, hand: Hand, place: string): Promise<void> {
	const volume = scene.pool.getVolume(`${APPVM.dirPrefix}/${APPVM.name}/private`);
	const { ino } = fs.statSync(scene.file(volume, "-precache.img"));
	await hand.do(volume.vid, "start");
	t.is(fs.statSync(volume.path).ino, ino, place);
	t.is(read(volume.path), scene.clean(volume), place);
	t.deepEqual(hand.warnings, [], place);
}

const BOTH_WAYS: readonly (readonly [first: keyof Hands, second: keyof Hands])[] = [
	["ours", "standIn"],
	["standIn", "ours"],
];

scenario("each takes the clean image when it is not what the other's precache was made of, and warns", "BX", async (t, scene) => {
	const hands = handsOf(scene);
	for (const [first, second] of BOTH_WAYS) {
		const volume = scene.origin({}, qube(second));
		await hands[first].do(volume.vid, "create");
		write(scene.file(volume), "X");
		fs.utimesSync(scene.file(volume), 1, 1);
		await hands[second].do(volume.vid, "start");
		t.deepEqual([read(volume.path), hands[second].warnings.length], ["X", 1]);
	}
});

for (const keep of [0, 1, 2, -1]) {
	scenario(`66 with keep ${keep}, a run that one begins the other resumes and ends`, FILE_SYSTEMS, async (t, scene) => {
		const hands = handsOf(scene);
		const kept: { readonly [keep: number]: { readonly [id: string]: string } } = { 1: { "3": "B" }, 2: { "2": "A", "3": "B" } };
		for (const [first, second] of BOTH_WAYS) {
			const volume = scene.origin({ revisionsToKeep: keep }, qube(first));
			const { vid } = volume;
			await hands[first].do(vid, "create");
			for (const letter of ["A", "B"]) await runBy(hands[second], volume, letter);
			await hands[first].do(vid, "start");
			write(volume.path, "C");
			await hands[second].do(vid, "start");
			const { isDirty } = await seenAlike(t, hands, vid);
			t.deepEqual([read(volume.path), isDirty], ["C", true]);
			await hands[second].do(vid, "stop");
			await seenAlike(t, hands, vid);
			t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["C", kept[keep] ?? {}]);
		}
	});
}

scenario(
	"66 what we keep of a volume that shrinks (Q6) is a revision for the stand-in like any other",
	FILE_SYSTEMS,
	async (t, scene) => {
		const hands = handsOf(scene);
		const volume = scene.origin({ size: LARGE, revisionsToKeep: 2 });
		await hands.standIn.do(volume.vid, "create");
		await runBy(hands.standIn, volume, "A");
		await hands.ours.do(volume.vid, "resize", SMALL);
		await seenAlike(t, hands, volume.vid);
		t.deepEqual(scene.revisions(volume), { "1": "∅", "2": "A" });
		await hands.standIn.do(volume.vid, "revert");
		const { size } = await seenAlike(t, hands, volume.vid);
		t.deepEqual([size, scene.clean(volume), scene.revisions(volume)], [LARGE, "A", { "1": "∅", "3": "A" }]);
	},
);

/** What is cut, with which numbers of revisions, and what the clean image may be when it goes on. Before, it is B; a stop has a run of C to end. */
const CUTS: readonly (readonly [step: Step, keeps: readonly number[], mayBe: readonly string[]])[] = [
	[["stop"], [0, 1, 2, -1], ["C"]],
	[["revert"], [1, 2], ["B", "A"]],
	[
		["import", "I", LARGE, true],
		[0, 1, 2, -1],
		["B", "I"],
	],
];

for (const [step, keeps, mayBe] of CUTS) {
	for (const keep of keeps) {
		const what = `${step[0]} with keep ${keep}`;
		scenario(`66 our ${what}, cut before any change, goes on in the hand of the stand-in`, FILE_SYSTEMS, async (t, scene) => {
			const hands = handsOf(scene);
			const cuts = await cutOurs(scene, hands, keep, step);
			t.true(cuts.length >= 3);
			const isHardLink = (volume: Volume): boolean => fs.statSync(scene.file(volume), { throwIfNoEntry: false })?.nlink === 2;
			t.is(cuts.some(isHardLink), keep >= 1, "one has a revision that is the clean image");
			for (const volume of cuts) await takeOver(t, scene, hands, { hand: hands.standIn, volume, mayBe });
		});

		scenario(`66 the stand-in's ${what}, cut after any change, goes on in our hand`, FILE_SYSTEMS, async (t, scene) => {
			const hands = handsOf(scene);
			let cutAfter = 1;
			for (; ; cutAfter++) {
				const volume = await beforeCut(scene, hands.standIn, { name: `cut-${cutAfter}`, keep, step });
				if (!(await hands.standIn.cutShort(volume.vid, step, cutAfter))) break;
				await takeOver(t, scene, hands, { hand: hands.ours, volume, mayBe });
			}
			t.true(cutAfter > (keep === -1 ? 1 : 4));
		});
	}
}

interface BeforeCut {
	readonly name: string;
	readonly keep: number;
	readonly step: Step;
}

async function beforeCut(scene: Scene, hand: Hand, { name, keep, step }: BeforeCut): Promise<Volume> {
	const volume = scene.origin({ size: SMALL, revisionsToKeep: keep }, qube(name));
	await hand.do(volume.vid, "create");
	for (const letter of ["A", "B"]) await runBy(hand, volume, letter);
	if (step[0] !== "stop") return volume;
	await hand.do(volume.vid, "start");
	write(volume.path, "C");
	return volume;
}

/** Volumes that are each what would be left if our driver had ended before one of the changes of a step. */
async function cutOurs(scene: Scene, { ours }: Hands, keep: number, step: Step): Promise<Volume[]> {
	const { vid } = await beforeCut(scene, ours, { name: "whole", keep, step });
	let cuts = 0;
	await lookBeforeEachCall((name) => {
		// It complains of what the background removes meanwhile, and copies the rest.
		if (isChange(name))
			spawnSync("cp", ["-a", path.join(scene.dir, "appvms/whole"), path.join(scene.dir, `appvms/cut-${++cuts}`)]);
	});
	await ours.do(vid, ...step);
	await lookBeforeEachCall(null);
	return Array.from({ length: cuts }, (_, index) => scene.origin({ revisionsToKeep: keep }, qube(`cut-${index + 1}`)));
}

interface TakeOver {
	readonly hand: Hand;
	readonly volume: Volume;
	readonly mayBe: readonly string[];
}

/** A hand finds what the other has left, as at the start of its daemon, and does another run. */
async function takeOver(t: ExecutionContext, scene: Scene, hands: Hands, { hand, volume, mayBe }: TakeOver): Promise<void> {
	const { vid } = volume;
	await hand.do(vid, "stop");
	const found = scene.clean(volume);
	t.true(mayBe.includes(found), `${vid}: ${found}`);
	await runBy(hand, volume, "D");
	await seenAlike(t, hands, vid);
	t.is(scene.clean(volume), "D", vid);
	if (volume.revisionsToKeep >= 1) t.is(Object.values(scene.revisions(volume)).at(-1), found, vid);
	t.deepEqual(
		scene.names(path.dirname(vid)).filter((name) => /~|-import/.test(name)),
		[],
		"nothing unfinished is left",
	);
}

scenario(
	"W1 a state that the stand-in had made a revision before it was cut becomes one again, whoever goes on",
	FILE_SYSTEMS,
	async (t, scene) => {
		const { ours, standIn } = handsOf(scene);
		const found = new Set<string>();
		for (let cutAfter = 1; ; cutAfter++) {
			const [one, other] = [await endStop(scene, standIn, ours, cutAfter), await endStop(scene, standIn, standIn, cutAfter)];
			t.is(one, other);
			if (one === null) break;
			found.add(one);
		}
		t.deepEqual([...found], ["AB", "BB"]);
	},
);

/** The contents of the revisions after a stop of the stand-in that was cut and was ended by a hand; null if it was not cut. */
async function endStop(scene: Scene, standIn: Hands["standIn"], hand: Hand, cutAfter: number): Promise<string | null> {
	const name = `cut-${cutAfter}-${hand === standIn ? "S" : "O"}`;
	const volume = await beforeCut(scene, standIn, { name, keep: 2, step: ["stop"] });
	if (!(await standIn.cutShort(volume.vid, ["stop"], cutAfter))) return null;
	await hand.do(volume.vid, "stop");
	const contents = Object.values(scene.revisions(volume)).join("");
	// Which clears what is unfinished.
	await hand.do(volume.vid, "start");
	return contents;
}

const WHO_DOES_WHAT = BOTH_WAYS.flatMap(([starter]) =>
	BOTH_WAYS.flatMap(([changer]) => BOTH_WAYS.map(([stopper]) => ({ starter, changer, stopper }))),
);

for (const { starter, changer, stopper } of WHO_DOES_WHAT) {
	const who = `started by ${starter}, its source changed by ${changer}, stopped by ${stopper}`;
	scenario(`66 both say alike when a snapshot is outdated: ${who}`, FILE_SYSTEMS, async (t, scene) => {
		const hands = handsOf(scene);
		const source = scene.origin({ name: "root", revisionsToKeep: 3 }, TEMPLATE);
		await hands[changer].do(source.vid, "create");
		for (const letter of ["A", "B"]) await runBy(hands[changer], source, letter);
		const volume = scene.snapshot(source);
		const isOutdated = async (): Promise<boolean | null> => (await seenAlike(t, hands, volume.vid)).isOutdated;
		t.false(await isOutdated());
		await hands[starter].do(volume.vid, "start");
		t.false(await isOutdated());
		await hands[changer].do(source.vid, "start");
		t.false(await isOutdated());
		write(source.path, "C");
		await hands[changer].do(source.vid, "stop");
		t.deepEqual([await isOutdated(), scene.clean(volume), read(volume.path)], [true, "B", "B"]);
		await hands[changer].do(source.vid, "revert");
		// Our revision is the image that the run began with, that of the stand-in is another one with the same content.
		t.is(await isOutdated(), changer === "standIn");
		await hands[changer].do(source.vid, "revert", "2");
		t.deepEqual([await isOutdated(), scene.clean(source)], [true, "A"]);
		await hands[stopper].do(volume.vid, "stop");
		t.deepEqual([await isOutdated(), scene.names("appvms/work")], [false, []]);
	});
}
