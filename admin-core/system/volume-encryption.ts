import { execFile } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { AdminError } from "../model/errors.ts";
import type { VolumeEncryption } from "../model/storage/ephemeral.ts";

/** In milliseconds. */
const TIME_LIMIT = 60_000;
/** What a file system or a partition table could be recognised by lies in the first 64 KiB. */
const ZEROS = Buffer.alloc(64 * 1024);

/** Encrypts volumes by dm-crypt with a key that nobody ever sees (spec/storage-reflink.md 1.6). */
export function cryptsetup(program = "cryptsetup", mapperDir = "/dev/mapper"): VolumeEncryption {
	return {
		open: async (volume, name) => {
			const how = ["--key-file=/dev/urandom", "--cipher=aes-xts-plain64", "--type=plain"];
			await run(program, [...how, "--", "open", volume, name]);
			try {
				await beginWithZeros(path.join(mapperDir, name));
			} catch (error) {
				throw new AdminError("StoragePoolException", `cannot write to the encrypted ${volume}: ${(error as Error).message}`);
			}
		},
		close: async (name) => {
			if (await isThere(path.join(mapperDir, name))) await run(program, ["--", "close", name]);
		},
	};
}

async function beginWithZeros(device: string): Promise<void> {
	const handle = await fs.open(device, "r+");
	try {
		await handle.write(ZEROS, 0, ZEROS.length, 0);
	} finally {
		await handle.close();
	}
}

function isThere(device: string): Promise<boolean> {
	return fs.access(device).then(
		() => true,
		() => false,
	);
}

function run(program: string, args: readonly string[]): Promise<void> {
	return new Promise((resolve, reject) => {
		execFile(program, args, { timeout: TIME_LIMIT }, (error, _stdout, stderr) => {
			if (error === null) return resolve();
			const why = error.code === "ENOENT" ? "it is not installed, and ephemeral volumes need it" : stderr.trim() || error.message;
			reject(new AdminError("StoragePoolException", `${program}: ${oneLine(why)}`));
		});
	});
}

/** A message is one line, whatever a program has written. */
function oneLine(text: string): string {
	return text.trim().replace(/\s*[\r\n]\s*/g, "; ");
}
