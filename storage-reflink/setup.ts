import path from "node:path";
import type { Bench } from "./bench.ts";
import { asPoolError, poolError, quote } from "./errors.ts";
import { probeReflinks } from "./reflinks.ts";
import { DIRECTORIES } from "./volume-config.ts";

/** Prepares the directory of a new pool (spec section 2); when it throws, what it made is gone again. */
export async function setUp({ dirPath, steps }: Bench, checksReflinks: boolean): Promise<void> {
	// The protocol of imports ends a path at the first space.
	if (/\s/.test(dirPath))
		throw poolError(`cannot use ${quote(dirPath)} for a pool: nothing could be imported to a path with spaces`);
	const made: string[] = [];
	try {
		for (const directory of [dirPath, ...DIRECTORIES.map((name) => path.join(dirPath, name))]) {
			if (await steps.makeDirectory(directory)) made.unshift(directory);
			if (directory === dirPath && checksReflinks) await requireReflinks(dirPath);
		}
	} catch (thrown) {
		for (const directory of made) await steps.removeDirectory(directory).catch(() => undefined);
		throw asPoolError(`set up a pool in ${quote(dirPath)}`, thrown);
	}
}

async function requireReflinks(dirPath: string): Promise<void> {
	if (await probeReflinks(dirPath)) return;
	throw poolError(
		`the file system of ${quote(dirPath)} has no reflinks: setup_check=no makes the pool nevertheless, with slow starts and more space taken`,
	);
}
