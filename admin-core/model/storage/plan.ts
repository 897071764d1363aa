import type { App } from "../app.ts";
import { AdminError } from "../errors.ts";
import type { QubeClassName } from "../qubes/name.ts";
import type { Qube } from "../qubes/qube.ts";
import type { VolumeDescription } from "./attributes.ts";
import type { Pool, Volume, VolumeConfig } from "./contract.ts";
import { USUAL_VOLUMES, volumesOfClass } from "./default-volumes.ts";
import { checkEphemeral } from "./ephemeral.ts";

/** A volume that is to be: where, and how. */
export interface VolumePlan {
	readonly pool: Pool;
	readonly config: VolumeConfig;
}

/** Names of pools that were asked for: one for all that the qube can write and keep, or one for each of some volumes (spec 8.7). */
export interface PoolChoice {
	readonly all?: string | undefined;
	readonly byVolume?: ReadonlyMap<string, string> | undefined;
}

/**
 * What volumes a new qube gets (spec/storage-reflink.md 1.4): those of its class, and further ones that its template has. None where the system has no
 * pools at all, as then somebody else keeps the disks. Nothing is made. Throws QubesException for an unknown pool, StoragePoolException.
 */
export function planVolumes(app: App, klass: QubeClassName, template: Qube | null, choice: PoolChoice = {}): VolumePlan[] {
	for (const name of [choice.all, ...(choice.byVolume?.values() ?? [])]) if (name !== undefined) app.pools.get(name);
	if (app.pools.list().length === 0) return [];
	const usual = volumesOfClass(klass).map((one) => (klass === "DispVM" ? likeTemplate(one, template) : one));
	const wanted = [...usual, ...furtherVolumes(template)];
	return wanted.map((one) => planVolume(app, template, { ...one, pool: choosePool(one, choice) }));
}

/** Finds pool and source of one volume, and checks what all drivers would have to (1.5). Throws AdminError. */
export function planVolume(app: App, template: Qube | null, wanted: VolumeDescription): VolumePlan {
	const { name, pool: poolName, vid, size, rw, snapOnStart, saveOnStop, revisionsToKeep, ephemeral } = wanted;
	const source = wanted.snapOnStart === true ? sourceOf(app, template, wanted) : undefined;
	if (source === undefined && wanted.source !== undefined) {
		throw new AdminError("StoragePoolException", `volume ${name}: it has a source, but does not start as a copy of it`);
	}
	if (source !== undefined && wanted.saveOnStop === true) {
		throw new AdminError("QubesNotImplementedError", `volume ${name}: snap_on_start and save_on_stop cannot go together`);
	}
	checkEphemeral(wanted, wanted.ephemeral);
	const pool = poolName === undefined ? (source?.pool ?? defaultPool(app, name)) : app.pools.get(poolName);
	if (source !== undefined && source.pool !== pool) {
		throw new AdminError(
			"StoragePoolException",
			`volume ${name}: want pool ${source.pool.name}, where its source is, not ${pool.name}`,
		);
	}
	const config = { name, vid, size: size ?? source?.size, rw, snapOnStart, saveOnStop, source, revisionsToKeep, ephemeral };
	return { pool, config };
}

/** What a snapshot begins as (1.4): the volume of that name at the template, or where that is a snapshot itself, at the template's template. */
export function findSource(template: Qube | null, name: string): Volume | null {
	for (let qube = template; qube !== null; qube = qube.related("template")) {
		const volume = qube.storage.find(name);
		if (volume === null || !volume.snapOnStart) return volume;
	}
	return null;
}

/** A disposable is what the qube is that it is made of: the pool of what is thrown away, what can be written, and how it is encrypted. */
function likeTemplate(wanted: VolumeDescription, template: Qube | null): VolumeDescription {
	const model = template?.storage.find(wanted.name) ?? null;
	if (model === null) return wanted;
	const pool = wanted.name === "volatile" ? model.pool.name : undefined;
	return { ...wanted, rw: model.rw, ephemeral: model.ephemeral, pool };
}

function furtherVolumes(template: Qube | null): VolumeDescription[] {
	const further = (template?.storage.volumes() ?? []).filter(({ name }) => !USUAL_VOLUMES.some((usual) => usual === name));
	return further.map(({ name, pool, size, rw, snapOnStart, saveOnStop, source, revisionsToKeep, ephemeral }) => ({
		...{ name, pool: pool.name, size, rw, snapOnStart, saveOnStop, revisionsToKeep, ephemeral },
		source: source?.vid,
	}));
}

/** A choice for all does not touch what is read only or has to be with its source. */
function choosePool({ name, pool, rw, snapOnStart }: VolumeDescription, { all, byVolume }: PoolChoice): string | undefined {
	const forAll = rw === true && snapOnStart !== true ? all : undefined;
	return byVolume?.get(name) ?? forAll ?? pool;
}

function sourceOf(app: App, template: Qube | null, { name, pool, source }: VolumeDescription): Volume {
	if (source !== undefined && pool !== undefined) return app.pools.get(pool).getVolume(source);
	const found = findSource(template, name);
	if (found !== null) return found;
	throw new AdminError(
		"StoragePoolException",
		`volume ${name}: ${template?.name ?? "no template"} has none that it could start as`,
	);
}

function defaultPool(app: App, volume: string): Pool {
	const property = USUAL_VOLUMES.some((usual) => usual === volume) ? `default_pool_${volume}` : "default_pool";
	const name = app.get(property);
	if (typeof name === "string" && name !== "") return app.pools.get(name);
	throw new AdminError("StoragePoolException", `volume ${volume}: there is no default pool: set ${property}`);
}
