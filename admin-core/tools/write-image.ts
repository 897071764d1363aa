import fs from "node:fs/promises";
import { ForeignImageError, LocalError } from "./errors.ts";

/** What is left out where it is zero, in bytes: the smallest piece that file systems allocate. */
const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Writes exactly `size` bytes to a file or device, which is neither made nor cut, and makes them durable. In a file that is all hole,
 * blocks of zeros stay holes. Throws LocalError for too few or too many bytes, for a full disk, and where the file is gone in the end,
 * ForeignImageError where another one is in its place then, and what the system or `chunks` throws.
 */
export async function writeImage(path: string, size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
	// "r+": neither O_CREAT nor O_TRUNC.
	const file = await fs.open(path, "r+");
	try {
		// However the writing ended. While the file is open, no other one has its inode number.
		await fill(file, path, size, chunks).finally(() => checkPlace(file, path));
	} finally {
		await file.close();
	}
}

async function fill(file: fs.FileHandle, path: string, size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
	const stat = await file.stat();
	const isHole = stat.isFile() && stat.blocks === 0;
	let position = 0;
	try {
		for await (const chunk of chunks) {
			if (position + chunk.length > size) throw new LocalError(`too much data: want ${size} bytes`);
			for (const [start, end] of isHole ? nonZeroRuns(chunk, position) : [[0, chunk.length] as const]) {
				await writeAll(file, chunk.subarray(start, end), position + start);
			}
			position += chunk.length;
		}
		if (position < size) throw new LocalError(`not enough data: got ${position} of ${size} bytes`);
		await file.datasync();
	} catch (error) {
		const isFull = stat.isFile() && (error as NodeJS.ErrnoException).code === "ENOSPC";
		throw isFull ? await withFigures(error as Error, path, `${position} of ${size} bytes`) : error;
	}
}

async function withFigures(error: Error, path: string, written: string): Promise<Error> {
	const disk = await fs.statfs(path).catch(() => null);
	if (disk === null) return error;
	return new LocalError(`ENOSPC: ${written} are written, and ${disk.bavail * disk.bsize} are free`);
}

/** Throws where the file that is open is not what its path names. */
async function checkPlace(file: fs.FileHandle, path: string): Promise<void> {
	const ours = await file.stat({ bigint: true });
	const found = await fs.stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
		throw error.code === "ENOENT" ? new LocalError("the image is gone: a start or a removal cancels an import") : error;
	});
	if (found.dev === ours.dev && found.ino === ours.ino) return;
	throw new ForeignImageError("the import was cancelled by a start or a removal, and another one has begun");
}

/**
 * The parts of a chunk that have to be written, from and to which byte; `position` is where it begins in the file.
 *
 *     file      |0000|00ab|c000|0000|     in blocks
 *     chunk        0 00ab  c000 00       begins in the first, ends in the last
 *     to write       ^^^^^^^^^           one run of two blocks
 */
function nonZeroRuns(chunk: Uint8Array, position: number): [start: number, end: number][] {
	const runs: [start: number, end: number][] = [];
	for (let start = 0; start < chunk.length; ) {
		const end = Math.min(start + BLOCK - ((position + start) % BLOCK), chunk.length);
		if (!ZEROS.subarray(0, end - start).equals(chunk.subarray(start, end))) {
			const last = runs.at(-1);
			if (last?.[1] === start) last[1] = end;
			else runs.push([start, end]);
		}
		start = end;
	}
	return runs;
}

async function writeAll(file: fs.FileHandle, bytes: Uint8Array, position: number): Promise<void> {
	for (let done = 0; done < bytes.length; ) {
		done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
	}
}
