import path from "node:path";
import type { PoolSpace } from "../admin-core/model/storage/contract.ts";
import { poolError, quote } from "./errors.ts";
import { type Extent, readExtents } from "./extents.ts";
import { Sharing } from "./sharing.ts";
import { statOrNull } from "./stats.ts";
import type { ImageVolume } from "./volume.ts";
import { DIRECTORIES } from "./volume-config.ts";

const TIME_LIMIT_MS = 60_000;
/** Whoever has a name of a file that is none of ours. */
const STRANGER = -1;

/** A file of one or more volumes, whatever its names are. */
interface ImageFile {
	readonly path: string;
	/** The volumes that have a name of it, by their place in the list. */
	readonly owners: Set<number>;
	/** How many names it has that we do not know of. */
	unknownNames: number;
	/** Removing a name of a file that has others frees nothing. */
	readonly hasOneName: boolean;
	/** Bytes that no other file has. */
	own: number;
}

/**
 * What the volumes of a pool share (spec section 13, Q7), by the places of their extents on the disk. No volume is locked: it is a picture of files that
 * may change meanwhile, and of what has been written down. What somebody else shares with a volume counts as the volume's: btrfs says of parts of a file that
 * they are shared where only the rest of their extent is. Throws a StoragePoolException where it cannot be found out.
 */
export async function readSpace(dirPath: string, volumes: readonly ImageVolume[]): Promise<PoolSpace> {
	await requireDirectories(dirPath);
	const files = new Map<string, ImageFile>();
	const revisions: ReadonlyMap<string, ImageFile>[] = [];
	for (const [index, volume] of volumes.entries()) revisions.push(await addFiles(files, volume, index));
	const { shared, exclusive } = await countBytes([...files.values()], volumes.length);
	const frees = (one: ReadonlyMap<string, ImageFile>): ReadonlyMap<string, number> =>
		new Map([...one].map(([id, file]) => [id, file.hasOneName ? file.own : 0]));
	return {
		exclusive: exclusive.reduce((sum, bytes) => sum + bytes, 0),
		shared,
		volumes: volumes.map(({ vid }, index) => ({
			vid,
			exclusive: exclusive[index] as number,
			revisions: frees(revisions[index] as ReadonlyMap<string, ImageFile>),
		})),
	};
}

/** In a pool that is not mounted no volume has a file, which is not to say that none has data. */
async function requireDirectories(dirPath: string): Promise<void> {
	for (const directory of [dirPath, ...DIRECTORIES.map((name) => path.join(dirPath, name))])
		if ((await statOrNull(directory)) === null) throw poolError(`there is no ${quote(directory)}: is the pool mounted?`);
}

/** Adds the files of a volume; returns those of its revisions by id. */
async function addFiles(
	files: Map<string, ImageFile>,
	volume: ImageVolume,
	owner: number,
): Promise<ReadonlyMap<string, ImageFile>> {
	const { clean, dirty, precache, importing } = volume.names;
	const found = await volume.look();
	const revisions = new Map<string, ImageFile>();
	const listed = volume.revisions;
	for (const path of [clean, dirty, precache, importing, ...found.temporaries]) await addFile(files, path, owner);
	for (const { id, path } of found.revisions) {
		const file = await addFile(files, path, owner);
		if (file !== null && listed.has(`${id}`)) revisions.set(`${id}`, file);
	}
	return revisions;
}

/** Null if it is gone. */
async function addFile(files: Map<string, ImageFile>, path: string, owner: number): Promise<ImageFile | null> {
	const stat = await statOrNull(path);
	if (stat === null) return null;
	const key = `${stat.dev}:${stat.ino}`;
	const names = Number(stat.nlink);
	const file = files.get(key) ?? { path, owners: new Set(), unknownNames: names, hasOneName: names === 1, own: 0 };
	files.set(key, file);
	file.owners.add(owner);
	file.unknownNames--;
	return file;
}

async function countBytes(files: readonly ImageFile[], owners: number): Promise<{ shared: number; exclusive: number[] }> {
	const byPath = new Map(files.map((file) => [file.path, file]));
	const exclusive = Array.from({ length: owners }, () => 0);
	let shared = 0;
	const count = (bytes: number, owner: number | null): void => {
		if (owner === null) shared += bytes;
		else exclusive[owner] = (exclusive[owner] ?? 0) + bytes;
	};
	const sharing = new Sharing();
	await readExtents([...byPath.keys()], AbortSignal.timeout(TIME_LIMIT_MS), (path, extent) => {
		const file = byPath.get(path);
		if (file !== undefined) countExtent(file, extent, sharing, count);
	});
	await sharing.count(count);
	return { shared, exclusive };
}

function countExtent(
	file: ImageFile,
	extent: Extent,
	sharing: Sharing,
	count: (bytes: number, owner: number | null) => void,
): void {
	const { bytes, physical, isShared } = extent;
	const holders = [...file.owners, ...(file.unknownNames > 0 ? [STRANGER] : [])];
	if (isShared) {
		for (const owner of holders) sharing.add(physical, physical + bytes, owner);
		return;
	}
	file.own += bytes;
	const [only = STRANGER, another] = holders;
	count(bytes, another === undefined ? only : null);
}
