import { prepareStart } from "./commit.ts";
import type { OriginVolume } from "./origin.ts";
import { isStale } from "./precache.ts";

/**
 * Takes back a start whose image nobody has written to: all is as it was before it, and no revision is made. The image becomes the precache that it was;
 * one that was copied for the start goes. A cut leaves the started volume, or what was before the start.
 */
export async function takeBack(volume: OriginVolume): Promise<void> {
	const { names, bench, revisionsToKeep } = volume;
	if (revisionsToKeep !== -1 && !isStale(names, names.dirty)) return bench.steps.rename(names.dirty, names.precache);
	await volume.freeLater(names.dirty);
	await bench.steps.remove(names.dirty);
	prepareStart(volume);
}
