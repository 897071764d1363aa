import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { AdminError } from "./errors.ts";
import { canBeStarted, dirPrefixOf } from "./qubes/kinds.ts";
import type { Qube } from "./qubes/qube.ts";

/**
 * Where a file of a qube is that is not in the store, such as `notes.txt` (spec 5.1); its directory is made by `writeWhole`.
 * Throws a QubesVMError for qubes that have no directory here: dom0 and RemoteVMs (spec 12, 16).
 */
export function qubeFile(qube: Qube, file: string): string {
	const { app, klass, name } = qube;
	if (!canBeStarted(qube)) {
		throw new AdminError("QubesVMError", `${name}: a qube of class ${klass} has no ${file}`);
	}
	return path.join(app.surroundings.baseDir, dirPrefixOf(qube), name, file);
}

/** The content of a file, null if it is not there. Throws a QubesException. */
export async function readIfThere(file: string): Promise<Buffer | null> {
	try {
		return await fs.readFile(file);
	} catch (thrown) {
		if (codeOf(thrown) === "ENOENT") return null;
		throw failure("read", file, thrown);
	}
}

/** Writes a file and the directories to it; at every moment, also if the machine stops, there is what was or what is written, whole. Throws a QubesException. */
export async function writeWhole(file: string, text: string): Promise<void> {
	const temporary = `${file}~${randomBytes(4).toString("hex")}`;
	try {
		await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o770 });
		await writeSynced(temporary, text);
		await fs.rename(temporary, file);
		await syncDirectory(path.dirname(file));
	} catch (thrown) {
		await fs.rm(temporary, { force: true }).catch(() => undefined);
		throw failure("write", file, thrown);
	}
}

/** Removes a file, and what a write of it has left behind that was cut short. Throws a QubesException. */
export async function removeFile(file: string): Promise<void> {
	const directory = path.dirname(file);
	try {
		const names = (await fs.readdir(directory)).filter((name) => name.split("~")[0] === path.basename(file));
		for (const name of names) await fs.rm(path.join(directory, name), { force: true });
	} catch (thrown) {
		if (codeOf(thrown) !== "ENOENT") throw failure("remove", file, thrown);
	}
}

/**
 * Removes a file of a qube that has just been made or removed, so that no qube ever has what was another's of the same name; of one that was
 * removed also the directory, if nothing else is in there. Throws a QubesException.
 */
export async function forgetQubeFile(qube: Qube, event: string, name: string): Promise<void> {
	const file = qubeFile(qube, name);
	await removeFile(file);
	if (event !== "domain-remove-from-disk") return;
	try {
		await fs.rmdir(path.dirname(file));
	} catch (thrown) {
		if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(codeOf(thrown))) throw failure("remove the directory of", file, thrown);
	}
}

async function writeSynced(file: string, text: string): Promise<void> {
	const handle = await fs.open(file, "wx", 0o600);
	try {
		await handle.writeFile(text);
		await handle.chmod(0o660);
		await handle.sync();
	} finally {
		await handle.close();
	}
}

async function syncDirectory(directory: string): Promise<void> {
	const handle = await fs.open(directory, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

function codeOf(thrown: unknown): string {
	return (thrown as NodeJS.ErrnoException).code ?? "";
}

function failure(action: string, file: string, thrown: unknown): AdminError {
	return new AdminError("QubesException", `cannot ${action} ${file}: ${(thrown as Error).message}`);
}
