import fs from "node:fs";
import { linkOrCopy } from "./copy.ts";
import { errnoOf, poolError, quote } from "./errors.ts";
import type { Found, ImageNames, Revision } from "./names.ts";
import type { OriginVolume } from "./origin.ts";
import { isSameFile, statAtOnce } from "./stats.ts";

/**
 * The revisions of a volume, from the lowest id to the highest. One that is the clean image itself is none: a commit was broken off before it replaced
 * the image (spec 3.5); it can only be the last.
 */
export function readRevisions(names: ImageNames): readonly Revision[] {
	const { revisions } = names.sort(listDirectory(names.directory));
	const last = revisions.at(-1);
	return last !== undefined && isClean(names, last) ? revisions.slice(0, -1) : revisions;
}

/** Without an id: the last one. Throws a StoragePoolException if there is none. */
export function findRevision(volume: OriginVolume, id: string | undefined): Revision {
	const revisions = readRevisions(volume.names);
	const found = id === undefined ? revisions.at(-1) : revisions.find((revision) => `${revision.id}` === id);
	if (found !== undefined) return found;
	throw poolError(id === undefined ? `${volume.title} has no revisions` : `${volume.title} has no revision ${quote(id)}`);
}

/**
 * Makes the clean image a revision, as a second name of the same file. Durable with the next step that syncs the directory. Where it takes a copy, that
 * waits for `prepared` and is not made if it fails: it could not be told from a revision of the past.
 */
export async function preserveClean(
	{ names, bench }: OriginVolume,
	{ revisions }: Found,
	prepared?: Promise<void>,
): Promise<void> {
	const clean = statAtOnce(names.clean);
	if (clean === null) return;
	const last = revisions.at(-1);
	const newest = last === undefined ? null : statAtOnce(last.path);
	if (newest !== null && isSameFile(newest, clean)) return;
	const target = names.revision((last?.id ?? 0n) + 1n, clean.mtimeMs);
	await linkOrCopy(bench, names.clean, target, prepared);
}

/** Removes the revisions with the lowest ids until as many are left as are to be kept; works on a full disk. */
export async function prune(volume: OriginVolume, keep: number): Promise<void> {
	const { revisions } = await volume.look();
	const excess = revisions.slice(0, Math.max(0, revisions.length - Math.max(0, keep)));
	for (const { path } of excess) await volume.freeLater(path);
	await volume.bench.steps.remove(...excess.map(({ path }) => path));
}

function isClean(names: ImageNames, { path }: Revision): boolean {
	const [revision, clean] = [statAtOnce(path), statAtOnce(names.clean)];
	return revision !== null && clean !== null && isSameFile(revision, clean);
}

function listDirectory(directory: string): string[] {
	try {
		return fs.readdirSync(directory);
	} catch (thrown) {
		if (errnoOf(thrown) === "ENOENT") return [];
		throw thrown;
	}
}
