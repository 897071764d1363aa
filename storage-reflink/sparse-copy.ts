import type { BigIntStats } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { errnoOf, poolError, quote } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { run } from "./run.ts";
import { allocatedBytes, IMAGE_MODE } from "./steps.ts";

const PROGRESS_MS = 10_000;
/** In which the kernel tells the size of a block device, whatever its own blocks are. */
const SECTOR_BYTES = 512;

/**
 * Copies the data of a file, a block device or a pipe to a new file; runs of zeros become holes. In a child process, which can be killed and occupies
 * none of Node's workers. Throws a StoragePoolException, before it writes anything where the data cannot fit. `reason` is why they are not shared.
 */
export async function copySparse(journal: Journal, from: string, to: string, source: BigIntStats, reason: string): Promise<void> {
	if (!source.isFile()) return copyData(journal, from, to, source, reason);
	// Held open from here on: cp refuses a file that was replaced after it had looked at it, as each stop does with the clean image.
	const held = await fs.open(from, "r");
	try {
		await copyData(journal, from, to, await held.stat({ bigint: true }), reason, held.fd);
	} finally {
		await held.close();
	}
}

async function copyData(
	journal: Journal,
	from: string,
	to: string,
	source: BigIntStats,
	reason: string,
	held?: number,
): Promise<void> {
	const size = await sizeOf(source);
	await checkRoom(from, to, source.isFile() ? allocatedBytes(source) : size);
	const begin = performance.now();
	journal.copying(from, to, size, reason);
	await (await fs.open(to, "wx", IMAGE_MODE)).close();
	const ticker = setInterval(() => void tellProgress(journal, from, to, size), PROGRESS_MS).unref();
	try {
		await run("cp", ["--sparse=always", "--reflink=never", "--", held === undefined ? from : "/dev/stdin", to], held);
	} catch (thrown) {
		// Without an errno it is cp's own complaint, which knows the source by the name it was given.
		if (errnoOf(thrown) !== null) throw thrown;
		throw poolError((thrown as Error).message.replace("'/dev/stdin'", () => quote(from)));
	} finally {
		clearInterval(ticker);
	}
	const { size: copied } = await fs.stat(to);
	if (!source.isFIFO() && copied !== size) throw poolError(`the copy of ${quote(from)} has ${copied} bytes: want ${size}`);
	journal.copied(from, to, copied, performance.now() - begin, reason);
}

/** 0 where it is not known before the end. */
async function sizeOf(source: BigIntStats): Promise<number> {
	if (!source.isBlockDevice()) return Number(source.size);
	const [major, minor] = deviceNumber(source.rdev);
	return Number(await fs.readFile(`/sys/dev/block/${major}:${minor}/size`, "utf8")) * SECTOR_BYTES;
}

/** The way of the C library: bits of both parts are mixed. */
export function deviceNumber(device: bigint): [major: bigint, minor: bigint] {
	const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
	const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
	return [major, minor];
}

async function checkRoom(from: string, to: string, bytes: number): Promise<void> {
	const { bavail, bsize } = await fs.statfs(path.dirname(to));
	if (bytes <= bavail * bsize) return;
	throw poolError(
		`no room for a copy of ${quote(from)} in ${quote(path.dirname(to))}: ${bytes} bytes, and ${bavail * bsize} are free`,
	);
}

async function tellProgress(journal: Journal, from: string, to: string, size: number): Promise<void> {
	const stat = await fs.stat(to).catch(() => null);
	if (stat !== null) journal.progress(from, to, stat.size, size);
}
