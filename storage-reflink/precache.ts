import { copy } from "./copy.ts";
import type { Found, ImageNames } from "./names.ts";
import type { OriginVolume } from "./origin.ts";
import { isSameTime, statAtOnce } from "./stats.ts";

/** Prepares the next start: a clone of the clean image, so that the start has only to rename it. None where it would be a full copy (spec Q4). */
export async function makePrecache({ names, bench, revisionsToKeep }: OriginVolume): Promise<void> {
	if (revisionsToKeep === -1 || !(await bench.reflinks.work())) return;
	await copy(bench, names.clean, names.precache, { keepsTimes: true, onlyReflinks: true });
}

/**
 * Whether the clean image was changed by other hands since the precache was made, or what was one until it was started. Equal times prove nothing, but
 * all that we do removes the precache first.
 */
export function isStale(names: ImageNames, image = names.precache): boolean {
	const [clean, precache] = [statAtOnce(names.clean), statAtOnce(image)];
	if (clean === null || precache === null) return true;
	return clean.size !== precache.size || !isSameTime(clean.mtimeNs, precache.mtimeNs);
}

/** Durable: no other step may leave an old precache beside a new clean image, not even across a power cut (spec 3.3). */
export async function removePrecache(volume: OriginVolume, found: Found): Promise<void> {
	if (!found.precache) return;
	await volume.freeLater(volume.names.precache);
	await volume.bench.steps.remove(volume.names.precache);
}
