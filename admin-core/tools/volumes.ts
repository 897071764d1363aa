import type { Qubesd } from "./client.ts";
import { UsageError } from "./errors.ts";
import { parseLines } from "./pairs.ts";
import { findQube, qubeNames } from "./qubes.ts";

/** A volume of a qube. */
export interface Volume {
	readonly qube: string;
	readonly volume: string;
}

/** `VMNAME:VOLUME`. Throws UsageError. */
export function parseVolume(word: string | undefined): Volume {
	const [whole, qube, volume] = /^([^:]+):([^:]+)$/.exec(word ?? "") ?? [];
	if (whole === undefined || qube === undefined || volume === undefined) {
		throw new UsageError(`invalid volume "${word}": want VMNAME:VOLUME`);
	}
	return { qube, volume };
}

/** The volume that a word names. Throws UsageError if there is no such qube or it has no such volume. */
export async function findVolume(qubesd: Qubesd, word: string | undefined): Promise<Volume> {
	const found = parseVolume(word);
	await findQube(qubesd, found.qube);
	await checkVolume(qubesd, found);
	return found;
}

/** Throws UsageError if the qube, which is there, has no such volume. */
export async function checkVolume(qubesd: Qubesd, { qube, volume }: Volume): Promise<void> {
	if (!(await listVolumes(qubesd, qube)).includes(volume)) throw new UsageError(`no such volume: '${qube}:${volume}'`);
}

/** The names of the volumes of a qube. */
export function listVolumes(qubesd: Qubesd, qube: string): Promise<string[]> {
	return qubesd.list(qube, "admin.vm.volume.List");
}

/** What is to be known of a volume: `pool`, `vid`, `size` and so on (spec 8.6). */
export async function volumeInfo(qubesd: Qubesd, { qube, volume }: Volume): Promise<Map<string, string>> {
	return parseLines(await qubesd.call(qube, "admin.vm.volume.Info", volume));
}

/** The revisions of a volume, the one that a revert takes by itself last. */
export async function listRevisions(qubesd: Qubesd, { qube, volume }: Volume): Promise<string[]> {
	return qubesd.list(qube, "admin.vm.volume.ListSnapshots", volume);
}

/** Volumes that begin as an unfinished word does: qubes first, then what they have. */
export async function completeVolume(qubesd: Qubesd): Promise<string[]> {
	const found: string[] = [];
	for (const name of await qubeNames(qubesd)) {
		for (const volume of await listVolumes(qubesd, name)) found.push(`${name}:${volume}`);
	}
	return found;
}
