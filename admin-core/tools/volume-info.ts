import { UsageError } from "./errors.ts";
import { decodeLines } from "./pairs.ts";
import { renderJson, renderTable } from "./table.ts";
import type { VolumeCall } from "./volume-options.ts";
import { findVolume, listRevisions, volumeInfo } from "./volumes.ts";

/** What is shown, in this order, as far as the daemon tells it. */
export const VOLUME_PROPERTIES = [
	...["pool", "vid", "rw", "source", "save_on_stop", "snap_on_start", "size", "usage", "revisions_to_keep"],
	...["ephemeral", "is_outdated"],
];

/** `qvm-volume info`: all about a volume, or the value of one property. */
export async function info(call: VolumeCall, [word, property]: readonly string[]): Promise<number> {
	if (property !== undefined && property !== "revisions" && !VOLUME_PROPERTIES.includes(property)) {
		throw new UsageError(`no such property: '${property}': want ${[...VOLUME_PROPERTIES, "revisions"].join(", ")}`);
	}
	const volume = await findVolume(call.qubesd, word);
	const known = property === "revisions" ? new Map<string, string>() : await volumeInfo(call.qubesd, volume);
	const shown = new Map(VOLUME_PROPERTIES.flatMap((name) => pair(known, name)));
	const isAboutRevisions = property === undefined || property === "revisions";
	const revisions = isAboutRevisions ? await listRevisions(call.qubesd, volume) : [];
	if (property === undefined) showAll(call, shown, revisions);
	else showOne(call, property, shown, revisions);
	return 0;
}

function pair(known: ReadonlyMap<string, string>, name: string): [string, string][] {
	const value = known.get(name);
	return value === undefined ? [] : [[name, value]];
}

function showAll({ options, io }: VolumeCall, shown: ReadonlyMap<string, string>, revisions: readonly string[]): void {
	if (options.json === true) {
		io.stdout.write(renderJson({ ...decodeLines(shown), revisions }));
		return;
	}
	io.stdout.write(renderTable([...shown].map(([name, value]) => [name, describe(name, value)])));
	if (revisions.length === 0) io.stdout.write("Available revisions (for revert): none\n");
	else io.stdout.write(`Available revisions (for revert):\n${renderTable(revisions.map((one) => ["", one]))}`);
}

function describe(name: string, value: string): string {
	return name === "revisions_to_keep" && value === "-1" ? "-1 (snapshot disabled)" : value;
}

/** The value and nothing else, as scripts want it. */
function showOne(
	{ options, io, print }: VolumeCall,
	property: string,
	shown: ReadonlyMap<string, string>,
	revisions: readonly string[],
): void {
	if (options.json === true)
		io.stdout.write(renderJson(property === "revisions" ? revisions : (decodeLines(shown)[property] ?? null)));
	else if (property === "revisions") io.stdout.write(revisions.map((one) => `${one}\n`).join(""));
	else print(shown.get(property) ?? "");
}
