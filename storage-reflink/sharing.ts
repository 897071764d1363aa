import { setImmediate as breathe } from "node:timers/promises";
import { poolError } from "./errors.ts";

/** Pieces are counted in parts of the disk of this size, one after the other, so that none of them holds up the daemon. */
const PART_BYTES = 2 ** 30;
/** 24 bytes of memory each. */
const MAX_PIECES = 4_000_000;
/** The numbers that a piece is kept as: begin, end, owner. */
const FIELDS = 3;

/**
 * Counts who has what on a disk, where several files can have the same. With the pieces
 *
 *     owner 0, one file      |--------|
 *     owner 0, another file      |---------|
 *     owner 1                            |-----|
 *                            |     a     |b| c |
 *
 * `a` is exclusive to owner 0 and `c` to owner 1, `b` is shared.
 */
export class Sharing {
	/** By part of the disk. */
	readonly #parts = new Map<number, number[]>();
	#count = 0;

	/** Takes in a piece of the disk that a file of an owner has. Throws a StoragePoolException where there are too many. */
	add(begin: number, end: number, owner: number): void {
		for (let from = begin; from < end; ) {
			const part = Math.floor(from / PART_BYTES);
			const to = Math.min(end, (part + 1) * PART_BYTES);
			const pieces = this.#parts.get(part) ?? [];
			this.#parts.set(part, pieces);
			pieces.push(from, to, owner);
			if (++this.#count > MAX_PIECES) throw poolError(`the volumes share more than ${MAX_PIECES} pieces`);
			from = to;
		}
	}

	/** Tells `take` of the bytes that one owner has, and of those that several have (null). */
	async count(take: (bytes: number, owner: number | null) => void): Promise<void> {
		for (const [part, pieces] of this.#parts) {
			this.#parts.delete(part);
			countPart(pieces, take);
			await breathe();
		}
	}
}

function countPart(pieces: readonly number[], take: (bytes: number, owner: number | null) => void): void {
	/** Of each owner that has what comes now, how many of its pieces it has it in. */
	const holders = new Map<number, number>();
	let last = 0;
	for (const { at, owner, change } of edgesOf(pieces)) {
		const [only, another] = holders.keys();
		if (only !== undefined && at > last) take(at - last, another === undefined ? only : null);
		last = at;
		const own = (holders.get(owner) ?? 0) + change;
		if (own === 0) holders.delete(owner);
		else holders.set(owner, own);
	}
}

/** Where pieces begin and end, in the order of the disk. */
function edgesOf(pieces: readonly number[]): { readonly at: number; readonly owner: number; readonly change: 1 | -1 }[] {
	const edges: ReturnType<typeof edgesOf> = [];
	for (let index = 0; index < pieces.length; index += FIELDS) {
		const [begin, end, owner] = pieces.slice(index, index + FIELDS) as [number, number, number];
		edges.push({ at: begin, owner, change: 1 }, { at: end, owner, change: -1 });
	}
	return edges.sort((a, b) => a.at - b.at);
}
