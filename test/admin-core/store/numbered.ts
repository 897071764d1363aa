import type { StoreData } from "../../../admin-core/store/data.ts";

/** A store whose global property `n` tells it from others. */
export function numbered(n: number, filler = ""): StoreData {
	const properties = [
		["n", String(n)],
		["filler", filler],
	] as const;
	return { labels: [], pools: [], properties, domains: [] };
}

export function numberOf(data: StoreData): number {
	return Number(data.properties.find(([name]) => name === "n")?.[1]);
}
