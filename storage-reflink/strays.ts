import type { BigIntStats } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import type { Stray } from "../admin-core/model/storage/contract.ts";
import { ImageNames } from "./names.ts";
import { allocatedBytes } from "./stats.ts";
import { DIRECTORIES, isVolumeName } from "./volume-config.ts";

/** How an image of a volume begins, whatever it is of it. */
const IMAGE = /^(.+?)(?:-dirty|-precache|-import)?\.img/;

/**
 * Finds the directories of qubes below that of a pool which hold images, and of which `hasVolumes` does not know, by `appvms/QUBE`. Symbolic links are not
 * followed, and what cannot be read is passed over.
 */
export async function findStrays(dirPath: string, hasVolumes: (place: string) => boolean): Promise<Stray[]> {
	const root = await fs.realpath(dirPath).catch(() => dirPath);
	const strays: Stray[] = [];
	for (const parent of (await directoriesIn(root)).filter((name) => DIRECTORIES.includes(name))) {
		for (const qube of await directoriesIn(path.join(root, parent))) {
			const place = path.join(parent, qube);
			const images = await imagesIn(root, place);
			// Asked after the look: a volume is known before its first image is there, and until its last one is gone.
			if (images.length > 0 && !hasVolumes(place)) strays.push(describe(path.join(root, place), images));
		}
	}
	return strays;
}

/** The names of the directories in one, sorted. */
async function directoriesIn(directory: string): Promise<string[]> {
	const entries = await fs.readdir(directory, { withFileTypes: true }).catch(() => []);
	const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
	return names.sort();
}

async function imagesIn(root: string, place: string): Promise<BigIntStats[]> {
	const directory = path.join(root, place);
	const images: BigIntStats[] = [];
	for (const name of imageNames(root, place, await fs.readdir(directory).catch(() => []))) {
		const stat = await fs.lstat(path.join(directory, name), { bigint: true }).catch(() => null);
		if (stat?.isFile() === true) images.push(stat);
	}
	return images;
}

/** Those of the names in a directory that could be files of a volume in it. */
function imageNames(root: string, place: string, names: readonly string[]): string[] {
	const volumes = new Set(names.flatMap((name) => IMAGE.exec(name)?.[1] ?? []).filter(isVolumeName));
	return [...volumes].flatMap((volume) => new ImageNames(root, path.join(place, volume)).own(names));
}

/** A revision may be a second name of the image that it was: what both have counts once. */
function describe(directory: string, images: readonly BigIntStats[]): Stray {
	const bytes = new Map(images.map((stat) => [stat.ino, allocatedBytes(stat)]));
	return { directory, images: images.length, bytes: [...bytes.values()].reduce((sum, one) => sum + one, 0) };
}
