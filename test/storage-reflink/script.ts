// A life of volumes in which each operation of the driver occurs, for the tests that break it off everywhere.
import type { Actors } from "./actors.ts";
import { apply, BEGIN, type Operation, recover, SIZES, type World } from "./model.ts";

const [SMALL, , LARGE] = SIZES as [number, number, number];
const run = (volume: string, letter: string): Operation[] => [
	{ kind: "start", volume },
	{ kind: "write", volume, letter },
	{ kind: "stop", volume },
];

const undone = (volume: string): Operation[] => [
	{ kind: "start", volume },
	{ kind: "undo", volume },
];

export const SCRIPT: readonly Operation[] = [
	{ kind: "create", volume: "o" },
	{ kind: "keep", volume: "o", keep: 1 },
	...run("o", "A"),
	...run("o", "B"),
	{ kind: "create", volume: "t" },
	...run("t", "T"),
	...undone("o"),
	...run("a", "S"),
	...run("v", "V"),
	{ kind: "resize", volume: "o", size: LARGE },
	{ kind: "resize", volume: "o", size: SMALL },
	{ kind: "import", volume: "o", size: LARGE, letter: "I", isSuccess: true },
	{ kind: "import", volume: "o", size: SMALL, letter: "J", isSuccess: false },
	{ kind: "revert", volume: "o", id: undefined },
	{ kind: "create", volume: "p" },
	{ kind: "clone", volume: "p", from: "o" },
	{ kind: "keep", volume: "p", keep: -1 },
	...run("p", "P"),
	...undone("p"),
	{ kind: "keep", volume: "p", keep: 1 },
	// Without a precache.
	...undone("p"),
	{ kind: "keep", volume: "o", keep: 0 },
	...run("o", "K"),
	{ kind: "keep", volume: "o", keep: 2 },
	{ kind: "start", volume: "o" },
	{ kind: "write", volume: "o", letter: "L" },
	{ kind: "start", volume: "a" },
	{ kind: "start", volume: "v" },
	{ kind: "restart" },
	{ kind: "remove", volume: "o" },
];

/** The index of the first stop that has a state to replace and a revision to prune. */
export const SECOND_STOP = 7;
/** The first of the operations that have to be done by one daemon for the last of them to be what it is: what a start made is known to no other. */
export function firstOf(index: number): number {
	return SCRIPT[index]?.kind === "undo" ? index - 1 : index;
}

/** The index of the last change of revisions_to_keep. */
export const LAST_KEEP = SCRIPT.map(({ kind }) => kind).lastIndexOf("keep");

/** The world after each operation; the first one is that before all. */
export const WORLDS: readonly World[] = (() => {
	const worlds = [BEGIN];
	for (const operation of SCRIPT) {
		const next = apply(worlds.at(-1) ?? BEGIN, operation);
		if (next === null) throw new Error(`the script does what is refused: ${JSON.stringify(operation)}`);
		worlds.push(next);
	}
	return worlds;
})();

/** Where an operation was broken off: what was before, what it would have led to, and it itself. */
export interface Break {
	readonly before: World;
	readonly operation: Operation | undefined;
	readonly after: World;
	/** Volumes whose guest has written what was not yet to be durable. */
	readonly unsynced?: readonly string[];
}

/** A new daemon finds what was left. Says what is wrong if it is neither what was before the operation nor what is after it. */
export async function whatIsWrong(actors: Actors, { before, operation, after, unsynced = [] }: Break): Promise<string | null> {
	await actors.restart(before);
	await actors.pool.settled();
	const wanted = [recover(before), recover(after)];
	// They begin by removing what there is, piece by piece: but it can be done to the end.
	if (operation?.kind === "remove" || operation?.kind === "create") {
		await actors.act(operation, before);
		await actors.pool.settled();
		wanted.push(recover(after));
	}
	const wrong = wanted.map((world) => actors.differences(world, unsynced).join("; "));
	const unfinished = actors.unfinished();
	if (unfinished.length > 0) return `left ${unfinished}`;
	return wrong.includes("") ? null : `${JSON.stringify(operation)}: not before (${wrong[0]}) and not after (${wrong[1]})`;
}
