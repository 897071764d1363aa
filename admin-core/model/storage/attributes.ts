import { AdminError } from "../errors.ts";
import { formatValue, readBoolean } from "../properties/property.ts";
import type { Volume, VolumeConfig } from "./contract.ts";

/** All attributes of an element of qubes.xml, as text. */
export type Attributes = ReadonlyMap<string, string>;

/** What is said of a volume in qubes.xml (spec/storage-reflink.md 1.7); undefined where it is not. Pool and source are said by name and vid. */
export interface VolumeDescription extends Omit<VolumeConfig, "source"> {
	readonly pool?: string | undefined;
	readonly source?: string | undefined;
}

/** The attributes that mean something to us; all others are kept as they are. */
const KNOWN = new Set([
	"name",
	"pool",
	"vid",
	"revisions_to_keep",
	"rw",
	"save_on_stop",
	"snap_on_start",
	"ephemeral",
	"size",
	"source",
]);
const NOTHING: Attributes = new Map();

/**
 * Reads the attributes of a volume; what they do not say is as `usual`. Throws a QubesValueError for what is no number or neither yes nor no.
 * By hand, as a store has thousands of them.
 */
export function readVolume(attributes: Attributes, usual: Partial<VolumeDescription> = {}): VolumeDescription {
	return {
		name: attributes.get("name") ?? "",
		pool: attributes.get("pool") || usual.pool,
		source: attributes.get("source") || usual.source,
		vid: attributes.get("vid") || usual.vid,
		size: readNumber(attributes, "size", 0) ?? usual.size,
		rw: readFlag(attributes, "rw") ?? usual.rw,
		snapOnStart: readFlag(attributes, "snap_on_start") ?? usual.snapOnStart,
		saveOnStop: readFlag(attributes, "save_on_stop") ?? usual.saveOnStop,
		revisionsToKeep: readNumber(attributes, "revisions_to_keep", -1) ?? usual.revisionsToKeep,
		ephemeral: readFlag(attributes, "ephemeral") ?? usual.ephemeral,
	};
}

/** The attributes of a volume (1.7), and behind them those that nobody understood when it was loaded. */
export function writeVolume(volume: Volume, extra: Attributes): Attributes {
	const { name, pool, vid, rw, saveOnStop, snapOnStart, ephemeral, size, source } = volume;
	const written: [string, string][] = [
		["name", name],
		["pool", pool.name],
		["vid", vid],
		["revisions_to_keep", String(volume.revisionsToKeep)],
		["rw", formatValue(rw)],
		["save_on_stop", formatValue(saveOnStop)],
		["snap_on_start", formatValue(snapOnStart)],
	];
	if (ephemeral !== undefined) written.push(["ephemeral", formatValue(ephemeral)]);
	// Without it a volatile volume would get the size of its class again; the others have that of their image.
	const isVolatile = rw && !saveOnStop && !snapOnStart;
	if (size !== 0 || isVolatile) written.push(["size", String(size)]);
	if (source !== null) written.push(["source", source.vid]);
	return new Map([...written, ...extra]);
}

/** Those of the attributes that are not ours. */
export function extraAttributes(attributes: Attributes): Attributes {
	for (const name of attributes.keys()) {
		if (!KNOWN.has(name)) return new Map([...attributes].filter(([one]) => !KNOWN.has(one)));
	}
	return NOTHING;
}

function readFlag(attributes: Attributes, name: string): boolean | undefined {
	const text = attributes.get(name);
	if (text === undefined || text === "") return undefined;
	const flag = readBoolean(text);
	if (flag !== null) return flag;
	throw new AdminError("QubesValueError", `${name}: want True or False, not '${text}'`);
}

function readNumber(attributes: Attributes, name: string, least: number): number | undefined {
	const text = attributes.get(name);
	if (text === undefined || text === "") return undefined;
	const number = Number(text);
	// More than 2^53-1 would be rounded, and a size that is not the one that was meant loses data.
	if (/^-?\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
	throw new AdminError("QubesValueError", `${name}: want a whole number from ${least} to 2^53-1, not '${text}'`);
}
