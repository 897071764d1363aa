import type { BigIntStats } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import type { OnProgress } from "../admin-core/model/storage/contract.ts";
import { poolError, quote } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { run } from "./run.ts";
import { allocatedBytes } from "./stats.ts";
import { IMAGE_MODE } from "./steps.ts";

/** Between two lines of the log about one copy. */
const LOG_MS = 10_000;
/** Between two calls of `onProgress`. */
const PROGRESS_MS = 400;
/** In which the kernel tells the size of a block device, whatever its own blocks are. */
const SECTOR_BYTES = 512;

/** What is copied where. */
interface SparseCopy {
	readonly journal: Journal;
	readonly from: string;
	readonly to: string;
	/** Why the data are not shared. */
	readonly reason: string;
	/** Not called where nobody knows how much there is, as of a pipe. */
	readonly onProgress: OnProgress | undefined;
}

/**
 * Copies the data of a file, a block device or a pipe to a new file; runs of zeros become holes. In a child process, which can be killed and occupies
 * none of Node's workers. Throws a StoragePoolException, before it writes anything where the data cannot fit.
 */
export async function copySparse(copy: SparseCopy, source: BigIntStats): Promise<void> {
	if (!source.isFile()) return copyData(copy, source);
	// Held open from here on: cp refuses a file that was replaced after it had looked at it, as each stop does with the clean image.
	const held = await fs.open(copy.from, "r");
	try {
		await copyData(copy, await held.stat({ bigint: true }), held.fd);
	} finally {
		await held.close();
	}
}

async function copyData(copy: SparseCopy, source: BigIntStats, held?: number): Promise<void> {
	const { journal, from, to, reason } = copy;
	const size = await sizeOf(source);
	await checkRoom(from, to, source.isFile() ? allocatedBytes(source) : size);
	const begin = performance.now();
	journal.copying(from, to, size, reason);
	await (await fs.open(to, "wx", IMAGE_MODE)).close();
	const onProgress = size > 0 ? copy.onProgress : undefined;
	onProgress?.(0, size);
	const ends = [followSize(to, LOG_MS, (done) => journal.progress(from, to, done, size))];
	if (onProgress !== undefined) ends.push(followSize(to, PROGRESS_MS, (done) => onProgress(Math.min(done, size), size)));
	try {
		await runCopy(from, to, held);
	} finally {
		for (const end of ends) end();
	}
	const { size: copied } = await fs.stat(to);
	if (!source.isFIFO() && copied !== size) throw poolError(`the copy of ${quote(from)} has ${copied} bytes: want ${size}`);
	onProgress?.(size, size);
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

/** Tells the size of a file again and again, so many milliseconds apart, until what it gives back is called. */
function followSize(file: string, pause: number, tell: (size: number) => void): () => void {
	let isOver = false;
	let timer = setTimeout(look, pause).unref();
	async function look(): Promise<void> {
		const stat = await fs.stat(file).catch(() => null);
		if (isOver) return;
		if (stat !== null) tell(stat.size);
		timer = setTimeout(look, pause).unref();
	}
	return () => {
		isOver = true;
		clearTimeout(timer);
	};
}

async function runCopy(from: string, to: string, held: number | undefined): Promise<void> {
	try {
		await run("cp", ["--sparse=always", "--reflink=never", "--", held === undefined ? from : "/dev/stdin", to], held);
	} catch (thrown) {
		// Its complaint knows the source by the name it was given.
		throw poolError((thrown as Error).message.replace("'/dev/stdin'", () => quote(from)));
	}
}
