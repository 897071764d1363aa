import fs from "node:fs/promises";
import { LocalError } from "./errors.ts";

/** What is left out where it is zero, in bytes: the smallest piece that file systems allocate. */
const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Writes exactly `size` bytes to a file or device, which is neither made nor cut, and makes them durable. In a file that is all hole,
 * blocks of zeros stay holes. Throws LocalError for too few or too many bytes, and what the system or `chunks` throws.
 */
export async function writeImage(path: string, size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
	// "r+": neither O_CREAT nor O_TRUNC.
	const file = await fs.open(path, "r+");
	try {
		const stat = await file.stat();
		const isHole = stat.isFile() && stat.blocks === 0;
		let position = 0;
		for await (const chunk of chunks) {
			if (position + chunk.length > size) throw new LocalError(`too much data: want ${size} bytes`);
			for (const [start, end] of isHole ? nonZeroRuns(chunk, position) : [[0, chunk.length] as const]) {
				await writeAll(file, chunk.subarray(start, end), position + start);
			}
			position += chunk.length;
		}
		if (position < size) throw new LocalError(`not enough data: got ${position} of ${size} bytes`);
		await file.datasync();
	} finally {
		await file.close();
	}
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
