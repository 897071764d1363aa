// All file operations of Node share a few workers: four, or sixteen in qubesd, whose launcher says so. What can occupy one for seconds is let through here
// a few at a time, three together, so that workers are left for the operations that are short (spec section 5, note 6).

/** From how many allocated bytes on an image can have so many extents that cloning or freeing it takes long: 16,384 of 4 KiB. */
export const LONG_BYTES = 64 * 1024 * 1024;

type Lane = <T>(work: () => Promise<T>) => Promise<T>;

/** For clones of long images, and for freeing them. */
export const longClones: Lane = makeLane(2);
/** For writing down long images. */
export const longFlushes: Lane = makeLane(1);

/** Takes the lane if there is much to do, else does the work at once. */
export function viaLane<T>(lane: Lane, bytes: number, work: () => Promise<T>): Promise<T> {
	return bytes < LONG_BYTES ? work() : lane(work);
}

function makeLane(width: number): Lane {
	const queue: (() => void)[] = [];
	let free = width;
	/** Who has waited longest gets the place. */
	const leave = (): void => {
		const enter = queue.shift();
		if (enter === undefined) free++;
		else enter();
	};
	return async (work) => {
		if (free > 0) free--;
		else await new Promise<void>((enter) => queue.push(enter));
		return work().finally(leave);
	};
}
