import { type BigIntStats, constants } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import type { OnProgress } from "../admin-core/model/storage/contract.ts";
import type { Bench } from "./bench.ts";
import { asPoolError, errnoOf, poolError, quote } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { longClones, viaLane } from "./lanes.ts";
import { isRefusal } from "./reflinks.ts";
import { copySparse } from "./sparse-copy.ts";
import { allocatedBytes } from "./stats.ts";
import type { Completion } from "./steps.ts";

/** Data can be shared across subvolumes, projects and mounts of one file system, names of a file cannot. */
const LINK_REFUSALS: readonly (string | null)[] = ["EXDEV", "EMLINK", "EPERM"];

interface CopyOptions {
	readonly size?: number | undefined;
	/** Whether it gets the times of the original. */
	readonly keepsTimes?: boolean;
	/** Throws where it cannot share the data. */
	readonly onlyReflinks?: boolean;
	/** Told how far it is where data are copied. */
	readonly onProgress?: OnProgress | undefined;
}

/** Puts a copy of a file in place of `target`, durably; data are shared where the file system can do it, else copied with holes for zeros. */
export async function copy(bench: Bench, from: string, target: string, options: CopyOptions = {}): Promise<void> {
	const completion = completionOf(from, options);
	if (options.size === 0) return bench.steps.replace(target, (temporary) => bench.steps.makeSparse(temporary, 0), completion);
	await bench.steps.replace(target, (temporary) => cloneOrCopy(bench, from, temporary, options), completion);
}

/** The same for a target that must not exist and may be seen unfinished. The caller completes it, or removes what is left of it when it fails. */
export function copyInto(bench: Bench, from: string, target: string, onProgress?: OnProgress): Promise<void> {
	return bench.steps.inDirectory(path.dirname(target), () => cloneOrCopy(bench, from, target, { onProgress }));
}

/** Gives a file a second name; where that is not possible, a copy with the same times, after `beforeCopy`. Durable with the next sync of the directory. */
export async function linkOrCopy(bench: Bench, from: string, to: string, beforeCopy?: Promise<void>): Promise<void> {
	try {
		await bench.steps.link(from, to);
	} catch (thrown) {
		if (!LINK_REFUSALS.includes(errnoOf(thrown))) throw thrown;
		await beforeCopy;
		await copy(bench, from, to, { keepsTimes: true });
	}
}

function completionOf(from: string, { size, keepsTimes }: CopyOptions): Completion {
	return { size, timesOf: keepsTimes === true ? from : undefined };
}

async function cloneOrCopy(bench: Bench, from: string, target: string, options: CopyOptions): Promise<void> {
	const { onlyReflinks, onProgress } = options;
	const source = await statSource(from);
	const refusal = source.isFIFO() ? "it is a pipe" : await clone(bench.journal, from, target, source);
	if (refusal === null) return;
	if (onlyReflinks === true) throw poolError(`cannot share the data of ${quote(from)}: ${refusal}`);
	// Something like `chattr +C` on one of them, which would make each start a full copy in silence.
	if (from.startsWith(`${bench.dirPath}/`) && (await bench.reflinks.work())) {
		bench.journal.warn(
			`cannot share the data of ${quote(from)} with ${quote(target)}, though the pool can share data: ${refusal}`,
		);
	}
	await copySparse({ journal: bench.journal, from, to: target, reason: refusal, onProgress }, source);
}

async function statSource(from: string): Promise<BigIntStats> {
	try {
		return await fs.stat(from, { bigint: true });
	} catch (thrown) {
		throw asPoolError("read the image", thrown);
	}
}

/** Returns null, or the errno that says that data cannot be shared between these files. */
async function clone(journal: Journal, from: string, target: string, source: BigIntStats): Promise<string | null> {
	const begin = performance.now();
	try {
		// EXCL also because Node removes the target when a clone fails, even one that was there before.
		await viaLane(longClones, allocatedBytes(source), () =>
			fs.copyFile(from, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL),
		);
	} catch (thrown) {
		if (!isRefusal(errnoOf(thrown))) throw thrown;
		return errnoOf(thrown);
	}
	journal.reflinked(from, target, Number(source.size), performance.now() - begin);
	return null;
}
