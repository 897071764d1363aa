import type { Call } from "../../host/plugin.ts";
import type { Pool, VolumeSpace } from "../../model/storage/contract.ts";

/**
 * `admin.pool.SpaceDetails+POOL`, a method of ours: who has what of a pool, in bytes on the disk. Empty where the driver never knows.
 *
 *     exclusive=BYTES
 *     shared=BYTES
 *     volume=BYTES VID              what its removal frees, with all its revisions
 *     revision=BYTES REVISION VID   what the removal of this one revision frees
 */
export async function describeSpace(pool: Pool, sees: ReturnType<Call["permit"]>): Promise<string> {
	const space = await pool.space?.();
	if (space === undefined) return "";
	const volumes = space.volumes.filter(({ vid }) => sees(vid)).map(describeVolume);
	return [`exclusive=${space.exclusive}\n`, `shared=${space.shared}\n`, ...volumes].join("");
}

function describeVolume({ vid, exclusive, revisions }: VolumeSpace): string {
	const freed = [...revisions].map(([id, bytes]) => `revision=${bytes} ${id} ${vid}\n`);
	return [`volume=${exclusive} ${vid}\n`, ...freed].join("");
}
