import { log } from "../../log.ts";
import { messageOf } from "../errors.ts";
import type { Qube } from "../qubes/qube.ts";
import { type Attributes, readVolume, type VolumeDescription } from "./attributes.ts";
import { volumesOfClass } from "./default-volumes.ts";
import { OpaquePool, OpaqueVolume } from "./opaque.ts";
import { planVolume } from "./plan.ts";

/** One volume on its way from the store. */
interface Loading {
	readonly qube: Qube;
	readonly name: string;
	/** Null where the store does not know of it, but its class has it. */
	readonly attributes: Attributes | null;
	/** What it is, as far as it can be read; what the store does not say is as usual for its class. */
	readonly wanted: VolumeDescription | null;
}

/**
 * Takes over what the store says of the volumes of all qubes; volumes of a class that it does not know of are added, unless the system has no pools at
 * all (spec 5.2). The disk is not touched. What cannot be used stays as an opaque volume, with a line in the log.
 */
export function loadVolumes(records: ReadonlyMap<Qube, readonly Attributes[]>): void {
	const qubes = [...records.keys()].sort((a, b) => depthOf(a) - depthOf(b));
	const loading = qubes.flatMap((qube) => listVolumes(qube, records.get(qube) ?? []));
	for (const { qube, name } of loading) qube.storage.miss(name, "it is not loaded");
	const phantoms = new Map<string, OpaquePool>();
	// Whatever a snapshot may begin as is there before it.
	for (const isSnapshot of [false, true]) {
		for (const one of loading) if ((one.wanted?.snapOnStart === true) === isSnapshot) loadVolume(one, phantoms);
	}
}

function depthOf(qube: Qube): number {
	let depth = 0;
	for (let next = qube.related("template"); next !== null; next = next.related("template")) depth++;
	return depth;
}

/** The volumes of the class, in its order, then others. */
function listVolumes(qube: Qube, records: readonly Attributes[]): Loading[] {
	const stored = new Map(records.map((attributes) => [attributes.get("name") ?? "", attributes]));
	const usual = volumesOfClass(qube.klass);
	const further = [...stored.keys()].filter((name) => !usual.some((one) => one.name === name)).map((name) => ({ name }));
	const isStored = ({ name }: { name: string }): boolean => stored.has(name);
	const all: VolumeDescription[] = [...(qube.app.pools.list().length === 0 ? usual.filter(isStored) : usual), ...further];
	return all.map((one) => {
		const attributes = stored.get(one.name) ?? null;
		return { qube, name: one.name, attributes, wanted: attributes === null ? one : merge(one, attributes) };
	});
}

/** Null where the attributes cannot be read. */
function merge(usual: VolumeDescription, attributes: Attributes): VolumeDescription | null {
	try {
		return readVolume(attributes, usual);
	} catch {
		return null;
	}
}

function loadVolume({ qube, name, attributes, wanted }: Loading, phantoms: Map<string, OpaquePool>): void {
	const { app, storage } = qube;
	const poolName = attributes?.get("pool") ?? "";
	const pool = app.pools.find(poolName) ?? (poolName === "" ? null : phantomPool(poolName, phantoms));
	try {
		if (attributes !== null && pool instanceof OpaquePool) {
			storage.adopt(pool.adopt(attributes));
			return;
		}
		const plan = planVolume(app, qube.related("template"), wanted ?? readVolume(attributes ?? new Map()));
		storage.init(plan, attributes);
	} catch (error) {
		const reason = messageOf(error);
		if (attributes === null) storage.miss(name, reason);
		else storage.adopt(new OpaqueVolume(pool ?? phantomPool(poolName, phantoms), attributes, reason));
		log("error", `volume ${name} of ${qube.name} cannot be used: ${reason}`);
	}
}

/** Stands in for a pool that volumes name and that is not there; it is in no list. */
function phantomPool(name: string, phantoms: Map<string, OpaquePool>): OpaquePool {
	const known = phantoms.get(name);
	if (known !== undefined) return known;
	const phantom = new OpaquePool(name, "", new Map(), `there is no pool '${name}'`);
	log("error", `there is no pool '${name}': the volumes in it cannot be used`);
	phantoms.set(name, phantom);
	return phantom;
}
