import nodeFs, { type BigIntStats } from "node:fs";
import fs from "node:fs/promises";
import { errnoOf } from "./errors.ts";

const BLOCK_BYTES = 512n;

/** Null where there is no such file. Exact: times to the nanosecond, inode numbers of 64 bits. */
export async function statOrNull(file: string): Promise<BigIntStats | null> {
	try {
		return await fs.stat(file, { bigint: true });
	} catch (thrown) {
		if (errnoOf(thrown) === "ENOENT") return null;
		throw thrown;
	}
}

/** The same at once: it takes microseconds, and waits for no lock of the file, only where its name is looked up for the first time. */
export function statAtOnce(file: string): BigIntStats | null {
	return nodeFs.statSync(file, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** The names in a directory; none where there is no such directory. */
export async function listOrEmpty(directory: string): Promise<string[]> {
	try {
		return await fs.readdir(directory);
	} catch (thrown) {
		if (errnoOf(thrown) === "ENOENT") return [];
		throw thrown;
	}
}

export function allocatedBytes({ blocks }: BigIntStats): number {
	return Number(blocks * BLOCK_BYTES);
}

export function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
	return a.dev === b.dev && a.ino === b.ino;
}

/** Whether a file is the one that it was, and nobody has written to it since. */
export function isUnwritten(before: BigIntStats | null, now: BigIntStats | null): boolean {
	if (before === null || now === null) return false;
	return isSameFile(before, now) && before.size === now.size && before.mtimeNs === now.mtimeNs;
}

/** Whether two times in nanoseconds are the same as exactly as Node and the original driver can set them: to a microsecond. */
export function isSameTime(a: bigint, b: bigint): boolean {
	const difference = a - b;
	return difference >= -1000n && difference <= 1000n;
}
