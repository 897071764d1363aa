import type { Found } from "./names.ts";
import type { OriginVolume } from "./origin.ts";
import { makePrecache, removePrecache } from "./precache.ts";
import { preserveClean, prune } from "./revisions.ts";

/**
 * Makes the dirty or the import image the clean one, and the old one a revision (spec 3.5). No data are copied before it returns; precache and prune
 * follow in the background, in this order, as freeing an image slows down clones.
 */
export async function commit(volume: OriginVolume, from: string, found: Found): Promise<void> {
	const { revisionsToKeep, names } = volume;
	await putInPlace(volume, from, found, revisionsToKeep >= 1);
	prepareStart(volume);
	// A stop without snapshots leaves revisions of former times to the next start.
	if (revisionsToKeep !== -1 || from === names.importing)
		volume.later("remove old revisions", () => prune(volume, revisionsToKeep));
}

/**
 * Puts an image in the place of the clean one. A cut leaves the old clean image without precache, then that with one name more, which the next try uses,
 * then the new one. The sync of the directory within the rename is the commit point.
 */
export async function putInPlace(volume: OriginVolume, from: string, found: Found, keepsOld: boolean): Promise<void> {
	const { steps } = volume.bench;
	await steps.flush(from);
	await removePrecache(volume, found);
	if (keepsOld) await preserveClean(volume, found);
	else await volume.freeLater(volume.names.clean);
	await steps.rename(from, volume.names.clean);
}

/** After the clean image has changed. */
export function prepareStart(volume: OriginVolume): void {
	volume.later("prepare the next start", () => makePrecache(volume));
}
