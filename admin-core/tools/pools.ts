import type { Qubesd } from "./client.ts";
import { UsageError } from "./errors.ts";
import { parseLines } from "./pairs.ts";

/** The names of all pools. */
export function listPools(qubesd: Qubesd): Promise<string[]> {
	return qubesd.list("dom0", "admin.pool.List");
}

/** Throws UsageError if there is no pool of this name. */
export async function findPool(qubesd: Qubesd, name: string): Promise<void> {
	if (!(await listPools(qubesd)).includes(name)) throw new UsageError(`no such pool: '${name}'`);
}

/** What is to be known of a pool: its configuration, then its size, usage, and the pool that it lies in, as far as these are known. */
export async function poolInfo(qubesd: Qubesd, name: string): Promise<Map<string, string>> {
	return parseLines(await qubesd.call("dom0", "admin.pool.Info", name));
}

/** Further figures of a pool, in bytes; none where its driver knows none. */
export async function poolDetails(qubesd: Qubesd, name: string): Promise<Map<string, string>> {
	return parseLines(await qubesd.call("dom0", "admin.pool.UsageDetails", name));
}

/** A storage driver, and what its pools can be told. */
interface Driver {
	readonly name: string;
	readonly options: readonly string[];
}

/** The storage drivers there are, by name, their options sorted. */
export async function listDrivers(qubesd: Qubesd): Promise<Driver[]> {
	const lines = await qubesd.list("dom0", "admin.pool.ListDrivers");
	return lines.sort().map((line) => {
		const [name = "", ...options] = line.split(" ").filter((word) => word !== "");
		return { name, options: options.sort() };
	});
}
