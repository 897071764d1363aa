// Power cuts: the disk of the pool is a file on a btrfs, and a clone of that file is what is left of the disk when the power fails at that moment.
// Scenarios 56 to 58 of spec section 11.
import { constants, copyFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { chooseSeed, Random } from "../policy-cli/core/random.ts";
import { firstFew } from "../support/parallel.ts";
import { Actors } from "./actors.ts";
import { isChange, lookBeforeEachCall } from "./before-each-call.ts";
import { makeFileSystem, makeImage, makeRoot, mountImage, call as run, unmount } from "./file-systems.ts";
import { apply, BEGIN, type Operation, ORIGINS, randomOperation, type World } from "./model.ts";
import { onFileSystem } from "./scene.ts";
import { type Break, SCRIPT, SECOND_STOP, WORLDS, whatIsWrong } from "./script.ts";

const RANDOM_CUTS = Number(process.env["QUBES_STORAGE_CUTS"] ?? 30);
/** How often the recovery of a cut is cut again. */
const CUTS_IN_A_ROW = 10;

type Inner = "btrfs" | "xfs";

/** A disk that is a file on another file system. */
class Disk {
	readonly kind: Inner;
	readonly image: string;
	readonly root = makeRoot();
	readonly #outer: string;
	#copies = 0;

	constructor(kind: Inner) {
		this.kind = kind;
		this.#outer = makeFileSystem("btrfs", 4096).root;
		this.image = path.join(this.#outer, "disk");
		makeImage(kind, this.image, kind === "xfs" ? 300 : 128);
		mountImage(kind, this.image, this.root);
	}

	/** What is on it now, without what the file system has not handed down. */
	cut(image = this.image): string {
		const copy = path.join(this.#outer, `cut-${++this.#copies}`);
		copyFileSync(image, copy, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
		return copy;
	}
}

/** Lets a function look at what was on a disk that was cut. */
async function afterCut<T>(disk: Disk, copy: string, look: (actors: Actors) => Promise<T>): Promise<T> {
	const root = makeRoot();
	mountImage(disk.kind, copy, root);
	try {
		return await look(new Actors(path.join(root, "pool")));
	} finally {
		await unmount(root);
		rmSync(copy);
	}
}

for (const kind of ["btrfs", "xfs"] as const) {
	onFileSystem(
		`56, 58 power fails before any change of any operation, and what is found is the state before or after it (1fe2aff6) (${kind})`,
		async (t) => {
			const disk = new Disk(kind);
			const cuts: (Break & { copy: string; call: string })[] = [];
			let index = 0;
			await perform(disk, {
				operationAt: (at) => SCRIPT[at],
				begin: (at) => {
					index = at;
				},
				beforeCall: (call) => {
					const [before, after] = [WORLDS[index], WORLDS[index + 1]] as [World, World];
					cuts.push({ before, after, operation: SCRIPT[index], unsynced: running(before), copy: disk.cut(), call });
				},
			});
			await check(t, disk, cuts);
			t.true(cuts.length > 150);
		},
	);

	onFileSystem(`power fails at ${RANDOM_CUTS} random moments of random operations (${kind})`, async (t) => {
		const seed = chooseSeed();
		t.log(`seed ${seed}`);
		const random = new Random(seed);
		const disk = new Disk(kind);
		const cuts: (Break & { copy: string; call: string })[] = [];
		let now: Break = { before: BEGIN, operation: undefined, after: BEGIN };
		let world = BEGIN;
		await perform(disk, {
			operationAt: () => (cuts.length < RANDOM_CUTS ? randomOperation(random, world) : undefined),
			begin: (_, operation) => {
				const next = apply(world, operation);
				now = { before: world, operation, after: next ?? world, unsynced: running(world) };
				world = next ?? world;
			},
			beforeCall: (call) => {
				if (random.oneIn(40)) cuts.push({ ...now, copy: disk.cut(), call });
			},
		});
		await check(t, disk, cuts, seed);
		t.true(cuts.length >= RANDOM_CUTS);
	});

	onFileSystem(
		`57 a stop that is cut, and whose recovery is cut ${CUTS_IN_A_ROW} times, makes one revision and loses none (W1) (${kind})`,
		async (t) => {
			const disk = new Disk(kind);
			const stopped = SECOND_STOP;
			let copy = "";
			let calls = 0;
			let index = 0;
			await perform(disk, {
				operationAt: (at) => SCRIPT.slice(0, stopped + 1)[at],
				begin: (at) => {
					index = at;
				},
				beforeCall: (call) => {
					if (index === stopped && call === "sync" && ++calls === 2) copy = disk.cut();
				},
			});
			t.not(copy, "");
			for (let cut = 0; cut < CUTS_IN_A_ROW; cut++) copy = await cutRecovery(disk, copy, 1 + (cut % 4), WORLDS[stopped] as World);
			const [before, after] = [WORLDS[stopped], WORLDS[stopped + 1]] as [World, World];
			const wrong = await afterCut(disk, copy, (actors) =>
				whatIsWrong(actors, { before, operation: SCRIPT[stopped], after, unsynced: running(before) }),
			);
			t.is(wrong, null);
		},
	);
}

/** The volumes whose guests write what need not be durable yet. */
function running(world: World): string[] {
	return ORIGINS.filter((name) => world.origins[name]?.dirty !== null);
}

/** Recovers what was cut, and cuts that before its nth change. */
async function cutRecovery(disk: Disk, copy: string, at: number, world: World): Promise<string> {
	const root = makeRoot();
	mountImage(disk.kind, copy, root);
	let next: string | null = null;
	let calls = 0;
	await lookBeforeEachCall((call) => {
		if (!isChange(call) || ++calls !== at) return;
		// What is not to be durable yet can be so already.
		if (at > 2) run("sync", "--file-system", root);
		next = disk.cut(copy);
	});
	const actors = new Actors(path.join(root, "pool"));
	await actors.restart(world);
	await actors.pool.settled();
	await lookBeforeEachCall(null);
	next ??= disk.cut(copy);
	await unmount(root);
	rmSync(copy);
	return next;
}

interface Performance {
	/** Undefined ends it. */
	readonly operationAt: (index: number) => Operation | undefined;
	readonly begin: (index: number, operation: Operation) => void;
	readonly beforeCall: (call: string) => void;
}

async function perform(disk: Disk, { operationAt, begin, beforeCall }: Performance): Promise<void> {
	const actors = new Actors(path.join(disk.root, "pool"));
	await actors.pool.setup();
	let world = BEGIN;
	await lookBeforeEachCall((call) => {
		if (isChange(call)) beforeCall(call);
	});
	for (let index = 0; ; index++) {
		const operation = operationAt(index);
		if (operation === undefined) break;
		begin(index, operation);
		const next = apply(world, operation);
		await actors.act(operation, world).catch((error: Error) => {
			if (next !== null) throw error;
		});
		await actors.pool.settled();
		world = next ?? world;
	}
	await lookBeforeEachCall(null);
	await unmount(disk.root);
}

async function check(
	t: ExecutionContext,
	disk: Disk,
	cuts: readonly (Break & { copy: string; call: string })[],
	seed = 0,
): Promise<void> {
	const wrong: string[] = [];
	for (const [index, cut] of cuts.entries()) {
		const problem = await afterCut(disk, cut.copy, (actors) => whatIsWrong(actors, cut));
		if (problem !== null) wrong.push(`seed ${seed}, cut ${index} before ${cut.call}: ${problem}`);
	}
	t.log(`${cuts.length} cuts`);
	t.is(firstFew(wrong), "");
}
