import fs from "node:fs/promises";
import path from "node:path";
import { AdminError } from "../errors.ts";
import type { Volume } from "./contract.ts";

/** The file that tells other programs that a volume is in use: `volume-running-POOL:VID`, each `-` doubled, then each `/` a `-`. */
function markerFile(runDir: string, { pool, vid }: Volume): string {
	const escaped = `${pool.name}:${vid}`.replaceAll("-", "--").replaceAll("/", "-");
	return path.join(runDir, `volume-running-${escaped}`);
}

/** Throws a StoragePoolException. */
export async function markRunning(runDir: string, volume: Volume): Promise<void> {
	try {
		await fs.mkdir(runDir, { recursive: true });
		await fs.writeFile(markerFile(runDir, volume), "");
	} catch (error) {
		throw new AdminError("StoragePoolException", `cannot mark volume ${volume.vid} as running: ${(error as Error).message}`);
	}
}

/** Nothing happens if it is not marked. Throws a StoragePoolException. */
export async function unmarkRunning(runDir: string, volume: Volume): Promise<void> {
	try {
		await fs.rm(markerFile(runDir, volume), { force: true });
	} catch (error) {
		throw new AdminError("StoragePoolException", `cannot mark volume ${volume.vid} as stopped: ${(error as Error).message}`);
	}
}
