import fs from "node:fs/promises";
import type { PoolUsage } from "../admin-core/model/storage/contract.ts";

/** How full a file system is, of one look at it; nothing is known where the directory is missing, as when the pool is not mounted. */
export async function readUsage(directory: string): Promise<PoolUsage> {
	try {
		const { bsize, blocks, bfree } = await fs.statfs(directory);
		const size = bsize * blocks;
		const usage = bsize * (blocks - bfree);
		return {
			size,
			usage,
			details: new Map([
				["data_size", size],
				["data_usage", usage],
			]),
		};
	} catch {
		return { size: null, usage: null, details: new Map() };
	}
}
