import fs from "node:fs/promises";
import path from "node:path";
import { readStore } from "./read-store.ts";
import { readText } from "./read-text.ts";
import { isSameStamp, stampOf } from "./replace-file.ts";

const INFIX = ".bak-";

/** Makes a copy beside a file, `FILE.bak-20260818T123456.789Z`, and returns its path. Throws what Node throws. */
export async function makeBackup(file: string): Promise<string> {
	for (let time = Date.now(); ; time++) {
		const backup = `${file}${INFIX}${new Date(time).toISOString().replace(/[-:]/g, "")}`;
		try {
			await linkOrCopy(file, backup);
			return backup;
		} catch (thrown) {
			if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
		}
	}
}

/** A link needs no room and is whole at once; the rename that follows makes a copy of it. */
async function linkOrCopy(file: string, backup: string): Promise<void> {
	try {
		await fs.link(file, backup);
	} catch (thrown) {
		// Some file systems have no links, and the kernel may forbid one to a file of somebody else.
		if (!["EPERM", "ENOTSUP", "EMLINK", "ENOSYS"].includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
		await fs.copyFile(file, backup, fs.constants.COPYFILE_EXCL);
		const handle = await fs.open(backup, "r");
		await handle.sync().finally(() => handle.close());
	}
}

/** Removes all but the newest backups. That there is one too many does no harm, so nothing is thrown. */
export async function pruneBackups(file: string, keep: number, newest: string): Promise<void> {
	const others = (await listBackups(file)).filter((backup) => backup !== newest);
	// The clock may have gone back: the newest one is not the last by name then.
	for (const backup of others.slice(Math.max(0, keep - 1))) await fs.rm(backup, { force: true }).catch(() => undefined);
}

/** Removes a backup that is the file itself: its maker was killed before the rename, and who edits the file would edit it too. */
export async function removeUnfinishedBackups(file: string): Promise<void> {
	const stamp = await stampOf(file);
	for (const backup of await listBackups(file)) {
		if (stamp !== null && isSameStamp(await stampOf(backup), stamp)) await fs.rm(backup);
	}
}

/** The newest backup that can be read, or null. */
export async function findGoodBackup(file: string): Promise<string | null> {
	for (const backup of await listBackups(file)) {
		try {
			readStore({ file: backup, text: await readText(backup) });
			return backup;
		} catch {
			// It is no good, whatever it has: look at an older one.
		}
	}
	return null;
}

/** The newest first. */
async function listBackups(file: string): Promise<string[]> {
	const prefix = path.basename(file) + INFIX;
	const names = await fs.readdir(path.dirname(file)).catch(() => []);
	const backups = names.filter(
		(name) => name.startsWith(prefix) && /^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z$/.test(name.slice(prefix.length)),
	);
	return backups
		.sort()
		.reverse()
		.map((name) => path.join(path.dirname(file), name));
}
