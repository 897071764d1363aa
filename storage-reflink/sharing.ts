import { setImmediate as breathe } from "node:timers/promises";
import { poolError } from "./errors.ts";

/** Pieces are counted in parts of the disk of this size, one after the other, so that the daemon can do something else between them. */
const PART_BYTES = 2 ** 26;
/** 16 bytes of memory each. */
const MAX_PIECES = 4_000_000;
/** More than there are owners. With it, the place in a part, the owner, and whether a piece begins or ends there fit in one number. */
const MAX_OWNERS = 2 ** 21;
/** After so many edges of one part, others have a turn. */
const BREATH = 50_000;

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
	/** Where pieces begin and end, by part of the disk. */
	readonly #parts = new Map<number, number[]>();
	#count = 0;

	/** Takes in a piece of the disk that a file of an owner has, whose number is -1 or more. Throws a StoragePoolException where there are too many. */
	add(begin: number, end: number, owner: number): void {
		for (let from = begin; from < end; ) {
			const part = Math.floor(from / PART_BYTES);
			const start = part * PART_BYTES;
			const to = Math.min(end, start + PART_BYTES);
			const edges = this.#parts.get(part) ?? [];
			this.#parts.set(part, edges);
			edges.push(pack(from - start, owner, true), pack(to - start, owner, false));
			if (++this.#count > MAX_PIECES) throw poolError(`the volumes share more than ${MAX_PIECES} pieces`);
			from = to;
		}
	}

	/** Tells `take` of the bytes that one owner has, and of those that several have (null). */
	async count(take: (bytes: number, owner: number | null) => void): Promise<void> {
		for (const [part, edges] of this.#parts) {
			this.#parts.delete(part);
			await countPart(Float64Array.from(edges).sort(), take);
			await breathe();
		}
	}
}

/** `edges` in the order of the disk. */
async function countPart(edges: Float64Array, take: (bytes: number, owner: number | null) => void): Promise<void> {
	/** Of each owner that has what comes now, how many of its pieces it has it in. */
	const holders = new Map<number, number>();
	let last = 0;
	for (const [index, edge] of edges.entries()) {
		const { at, owner, isBegin } = unpack(edge);
		const [only, another] = holders.keys();
		if (only !== undefined && at > last) take(at - last, another === undefined ? only : null);
		last = at;
		const own = (holders.get(owner) ?? 0) + (isBegin ? 1 : -1);
		if (own === 0) holders.delete(owner);
		else holders.set(owner, own);
		if (index % BREATH === BREATH - 1) await breathe();
	}
}

/** A number for an edge; those of greater numbers are further on in the part. */
function pack(at: number, owner: number, isBegin: boolean): number {
	return (at * MAX_OWNERS + owner + 1) * 2 + (isBegin ? 1 : 0);
}

function unpack(edge: number): { readonly at: number; readonly owner: number; readonly isBegin: boolean } {
	const place = Math.floor(edge / 2);
	return { at: Math.floor(place / MAX_OWNERS), owner: (place % MAX_OWNERS) - 1, isBegin: edge % 2 === 1 };
}
