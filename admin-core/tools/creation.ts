/** What qvm-create and qvm-clone share: how a new qube is asked for (spec 8.7). */
import type { Qubesd } from "./client.ts";
import { UsageError } from "./errors.ts";
import { text, texts } from "./options.ts";
import { parsePairs } from "./pairs.ts";

/** The options that say in which pools the volumes of a new qube are made. */
export const POOL_OPTIONS = {
	P: text("pool for all volumes that are its own"),
	pool: texts("VOLUME=POOL: pool for one volume; repeat for more", "p"),
} as const;

/** A qube that is to be. */
export interface NewQube {
	readonly name: string;
	readonly klass: string;
	readonly label: string;
	/** Empty for that of the system, or for none. */
	readonly template: string;
	/** What `choosePools` returns. */
	readonly pools: string;
}

/** ` pool=POOL` or ` pool:VOLUME=POOL…`, empty for the pools of the system. Throws UsageError. */
export function choosePools(options: { readonly P?: string | undefined; readonly pool?: string[] | undefined }): string {
	const { P: one, pool: each = [] } = options;
	if (one !== undefined && each.length > 0) throw new UsageError("-P and --pool exclude each other");
	for (const word of one === undefined ? each : [one]) checkWord(word);
	if (one !== undefined) return ` pool=${one}`;
	return [...parsePairs("pool", each)]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([volume, pool]) => ` pool:${volume}=${pool}`)
		.join("");
}

/** Throws UsageError for a word that would be several to the daemon. */
export function checkWord(word: string): void {
	if (!/^[!-~]+$/.test(word)) throw new UsageError(`invalid name "${word}": want printable ASCII characters without spaces`);
}

/** Makes the qube, with nothing but a name and a label. */
export async function createQube(qubesd: Qubesd, { name, klass, label, template, pools }: NewQube): Promise<void> {
	const method = pools === "" ? "admin.vm.Create" : "admin.vm.CreateInPool";
	await qubesd.call("dom0", `${method}.${klass}`, template, `name=${name} label=${label}${pools}`);
}
