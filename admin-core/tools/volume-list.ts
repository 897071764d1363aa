import { unlessRemote } from "./errors.ts";
import { findPool } from "./pools.ts";
import { listQubes, selectQubes } from "./qubes.ts";
import { renderJson, renderTable } from "./table.ts";
import type { VolumeCall } from "./volume-options.ts";
import { listRevisions, listVolumes, volumeInfo } from "./volumes.ts";

interface Row {
	readonly pool: string;
	readonly vid: string;
	readonly qube: string;
	readonly volume: string;
	readonly revisions: readonly string[];
}

/** `qvm-volume list`: all volumes, or those of some qubes or of one pool, by pool and vid. */
export async function list({ options, qubesd, io }: VolumeCall, words: readonly string[]): Promise<number> {
	if (options.pool !== undefined) await findPool(qubesd, options.pool);
	const qubes = selectQubes(await listQubes(qubesd), { words, all: words.length === 0, exclude: [] });
	const rows: Row[] = [];
	// A qube that is gone meanwhile has no volumes.
	for (const { name } of qubes) {
		rows.push(...((await unlessRemote(rowsOf({ options, qubesd }, name), "QubesVMNotFoundError")) ?? []));
	}
	rows.sort((a, b) => compare(a.pool, b.pool) || compare(a.vid, b.vid));
	io.stdout.write(options.json === true ? renderJson(rows) : renderTable([HEAD, ...rows.map(cells)]));
	return 0;
}

async function rowsOf({ options, qubesd }: Pick<VolumeCall, "options" | "qubesd">, qube: string): Promise<Row[]> {
	const rows: Row[] = [];
	for (const volume of await listVolumes(qubesd, qube)) {
		const info = await volumeInfo(qubesd, { qube, volume });
		const pool = info.get("pool") ?? "";
		if (options.pool !== undefined && pool !== options.pool) continue;
		const revisions = await listRevisions(qubesd, { qube, volume });
		rows.push({ pool, vid: info.get("vid") ?? "", qube, volume, revisions });
	}
	return rows;
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

const HEAD = ["POOL:VOLUME", "VMNAME", "VOLUME_NAME", "REVERT_POSSIBLE"];

function cells({ pool, vid, qube, volume, revisions }: Row): string[] {
	return [`${pool}:${vid}`, qube, volume, revisions.length > 0 ? "Yes" : "No"];
}
