import fs from "node:fs/promises";
import path from "node:path";
import { log } from "../log.ts";
import type { App } from "../model/app.ts";
import { messageOf } from "../model/errors.ts";
import { dirPrefixOf } from "../model/qubes/kinds.ts";
import type { Pool, Stray } from "../model/storage/contract.ts";

/**
 * Warns of images that belong to no qube, as a crash in the creation or removal of one leaves them: a line for each directory. Nothing is removed, for
 * somebody may want them (spec/storage-reflink.md 1.1, 3.1). Never rejects.
 */
export async function warnOfStrays(app: App): Promise<void> {
	const pools = app.pools.list();
	const places = await placesOf(pools);
	const told = new Set<string>();
	for (const pool of pools) {
		for (const stray of await straysOf(pool)) {
			const { directory } = stray;
			// Two pools may be in one place.
			if (told.has(directory) || isOfQube(app, directory) || places.some((place) => isOfPool(place, directory))) continue;
			told.add(directory);
			log("warning", describe(app, pool, stray));
		}
	}
}

async function straysOf(pool: Pool): Promise<readonly Stray[]> {
	try {
		return (await pool.strays?.()) ?? [];
	} catch (error) {
		log("warning", `pool ${pool.name}: cannot look for images of no qube: ${messageOf(error)}`);
		return [];
	}
}

/** The directories that pools are in; links in their paths are resolved, as in those of strays. */
async function placesOf(pools: readonly Pool[]): Promise<string[]> {
	const configured = pools.flatMap((pool) => pool.config().get("dir_path") ?? []);
	return Promise.all(configured.map((place) => fs.realpath(place).catch(() => path.resolve(place))));
}

/** Whether it is where a qube that there is has its images, one of its name is being made or removed, or it is of a volume, also of one that cannot be used. */
function isOfQube(app: App, directory: string): boolean {
	const name = path.basename(directory);
	const qube = app.find(name);
	if (app.isTaken(name) || (qube !== null && dirPrefixOf(qube) === prefixOf(directory))) return true;
	const volumes = app.qubes().flatMap((qube) => qube.storage.volumes());
	return volumes.some(({ vid }) => directory.endsWith(`/${path.dirname(vid)}`));
}

/** `vm-templates` or `appvms`. */
function prefixOf(directory: string): string {
	return path.basename(path.dirname(directory));
}

/** Whether another pool is nearer around it than the one that it was found in, which is two levels up; or is within it. */
function isOfPool(place: string, directory: string): boolean {
	return place === path.dirname(directory) || `${place}/`.startsWith(`${directory}/`);
}

function describe(app: App, pool: Pool, { directory, images, bytes }: Stray): string {
	const what = images === 1 ? "an image" : `${images} images`;
	const owner = prefixOf(directory) === "vm-templates" ? "a template" : "a qube that is no template";
	const isFree = app.find(path.basename(directory)) === null;
	const orCreate = isFree ? `, or create ${owner} of that name in this pool, which replaces the images of its volumes` : "";
	return (
		`pool ${pool.name}: "${directory}" has ${what} of no qube (${bytes} bytes), as a creation or removal leaves that was broken off: ` +
		`remove the directory if nobody needs it${orCreate}`
	);
}
