import type { Found } from "./names.ts";
import type { OriginVolume } from "./origin.ts";
import { makePrecache, removePrecache } from "./precache.ts";
import { preserveClean, prune } from "./revisions.ts";
import { allToTheEnd } from "./steps.ts";

/**
 * Makes the dirty or the import image the clean one, and the old one a revision (spec 3.5). No data are copied before it returns; precache and prune
 * follow in the background, and after them what the old images occupy is freed, as that slows down clones. `written` resolves when the image is durable.
 */
export async function commit(volume: OriginVolume, from: string, found: Found, written: Promise<void>): Promise<void> {
	const { revisionsToKeep, names } = volume;
	await putInPlace(volume, from, found, revisionsToKeep >= 1, written);
	prepareStart(volume);
	// A stop without snapshots leaves revisions of former times to the next start.
	if (revisionsToKeep !== -1 || from === names.importing)
		volume.later("remove old revisions", () => prune(volume, revisionsToKeep));
}

/**
 * Puts an image in the place of the clean one. A cut leaves the old clean image, with or without precache and with or without one name more, which the
 * next try uses, then the new one. The sync of the directory within the rename is the commit point.
 */
export async function putInPlace(
	volume: OriginVolume,
	from: string,
	found: Found,
	keepsOld: boolean,
	written: Promise<void>,
): Promise<void> {
	const { clean } = volume.names;
	// At once, as only the rename has to come after all of them.
	const prepared = allToTheEnd(written, removePrecache(volume, found));
	const kept = keepsOld ? preserveClean(volume, found, prepared) : volume.freeLater(clean);
	await allToTheEnd(prepared, kept);
	await volume.bench.steps.rename(from, clean);
}

/** After the clean image has changed. */
export function prepareStart(volume: OriginVolume): void {
	volume.later("prepare the next start", () => makePrecache(volume));
}
