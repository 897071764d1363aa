import type { VolumeConfig, VolumeOwner } from "../admin-core/model/storage/contract.ts";
import { notImplemented, poolError, quote } from "./errors.ts";

/** The only directories whose images a udev rule keeps from being offered as disks of dom0. */
export const DIRECTORIES: readonly string[] = ["appvms", "vm-templates"];

/** Returns the vid of a volume that is to be; throws for what makes no sense or could name the files of another volume (spec 1.5 and section 2). */
export function checkConfig(owner: VolumeOwner, config: VolumeConfig): string {
	const { name } = config;
	if (!DIRECTORIES.includes(owner.dirPrefix))
		throw poolError(
			`no place for volumes of ${quote(owner.name)} in ${quote(owner.dirPrefix)}: want ${DIRECTORIES.join(" or ")}`,
		);
	if (config.snapOnStart === true && config.saveOnStop === true) {
		throw notImplemented("way to keep the state", `volume ${quote(name)}, which begins anew with each start`);
	}
	if (config.snapOnStart === true && config.source === undefined)
		throw poolError(`volume ${quote(name)} has snap_on_start: want a source`);
	if (config.snapOnStart !== true && config.source !== undefined) {
		throw poolError(`volume ${quote(name)} has a source, but not snap_on_start`);
	}
	const vid = config.vid ?? `${owner.dirPrefix}/${owner.name}/${name}`;
	checkVid(vid);
	checkName(name);
	return vid;
}

function checkVid(vid: string): void {
	const parts = vid.split("/");
	const isPlain = parts.every((part) => part !== "" && part !== "." && part !== ".." && !HARMFUL.test(part));
	if (!isPlain || parts.length !== 3 || !DIRECTORIES.includes(parts[0] as string)) {
		throw poolError(`invalid volume id ${quote(vid)}: want DIRECTORY/QUBE/VOLUME with a directory ${DIRECTORIES.join(" or ")}`);
	}
	checkName(parts[2] as string);
}

/** Whether a volume can be called so. */
export function isVolumeName(name: string): boolean {
	return name !== "" && !name.includes("/") && !HARMFUL.test(name) && !SPECIAL.test(name);
}

function checkName(name: string): void {
	if (isVolumeName(name)) return;
	const why = SPECIAL.test(name) ? ": its files would be those of another volume" : "";
	throw poolError(`invalid volume name ${quote(name)}${why}`);
}

/** The suffixes of the special files: the image of "private-dirty" would be the dirty image of "private". */
const SPECIAL = /-(dirty|precache|import|cow)$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant.
const HARMFUL = /[~\x00-\x1f\x7f]/;
