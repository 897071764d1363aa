import { randomBytes } from "node:crypto";
import fs, { type FileHandle } from "node:fs/promises";
import path from "node:path";
import { StoreError, systemError } from "./errors.ts";

/** What tells one state of a file from another; a file of the same name that was moved there has another inode. */
export interface Stamp {
	readonly dev: bigint;
	readonly ino: bigint;
	readonly size: bigint;
	readonly mtimeNs: bigint;
}

/** Of a file that is to be replaced. */
interface Owned extends Stamp {
	readonly mode: bigint;
	readonly uid: bigint;
	readonly gid: bigint;
}

/** What was written, or whatever is at a path now; null where there is nothing. */
export async function stampOf(file: string): Promise<Owned | null> {
	try {
		return await fs.stat(file, { bigint: true });
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw systemError(`cannot look at ${file}`, thrown);
	}
}

/** Whether two stamps are those of the same file with nothing written to it in between, or both of no file. */
export function isSameStamp(a: Stamp | null, b: Stamp | null): boolean {
	if (a === null || b === null) return a === b;
	return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

/** Of a replacement that is under way. */
export interface Replacing {
	/** Called when nothing but the rename can fail any more. */
	readonly beforeRename: () => Promise<void>;
	/** Called when the new file is in place; that it will be there after a power cut is known only at the end. */
	readonly renamed: (stamp: Stamp) => void;
}

/**
 * Replaces the content of a file: at every moment, also if the machine stops, there is the old one or the new one, whole (spec 5.5). `expected` is how it must
 * still look, null for a file that must not be there. Mode, owner and group stay; a new file gets 0660 and the group qubes if there is one.
 * Throws a StoreError; unless `renamed` was called, everything is as it was.
 */
export async function replaceFile(file: string, content: Buffer, expected: Stamp | null, step: Replacing): Promise<void> {
	const temporary = `${file}~${randomBytes(4).toString("hex")}`;
	let directory: FileHandle | null = null;
	try {
		directory = await fs.open(path.dirname(file), "r");
		const written = await writeTemporary(temporary, content, await unchanged(file, expected));
		await step.beforeRename();
		// Between this look and the rename, a few microseconds are left in which a change would be missed.
		await unchanged(file, expected);
		await fs.rename(temporary, file);
		step.renamed(written);
		await directory.sync();
	} catch (thrown) {
		await fs.rm(temporary, { force: true }).catch(() => undefined);
		throw systemError(`cannot write ${file}`, thrown);
	} finally {
		await directory?.close();
	}
}

async function unchanged(file: string, expected: Stamp | null): Promise<Owned | null> {
	const found = await stampOf(file);
	if (isSameStamp(found, expected)) return found;
	const what = found === null ? "is gone" : expected === null ? "is there now" : "was changed by somebody else";
	throw new StoreError("changed", `${file} ${what} since it was read: nothing is written, start again to read it`);
}

async function writeTemporary(temporary: string, content: Buffer, old: Owned | null): Promise<Stamp> {
	const handle = await fs.open(temporary, "wx", 0o600);
	try {
		await handle.writeFile(content);
		// The owner first: the kernel may take bits from the mode then.
		if (old === null) await giveToQubes(handle);
		else await giveTo(handle, old);
		await handle.chmod(old === null ? 0o660 : Number(old.mode & 0o7777n));
		await handle.sync();
		return await handle.stat({ bigint: true });
	} finally {
		await handle.close();
	}
}

async function giveTo(handle: FileHandle, { uid, gid }: Owned): Promise<void> {
	const now = await handle.stat({ bigint: true });
	if (now.uid !== uid || now.gid !== gid) await handle.chown(Number(uid), Number(gid));
}

/** Who may not give it away works on a store of their own. */
async function giveToQubes(handle: FileHandle): Promise<void> {
	const groups = await fs.readFile("/etc/group", "utf8").catch(() => "");
	const gid = /^qubes:[^:]*:([0-9]+):/m.exec(groups)?.[1];
	if (gid !== undefined) await handle.chown(process.geteuid?.() ?? -1, Number(gid)).catch(() => undefined);
}

/** Removes what a process that was killed while it wrote has left beside a file; who calls this holds the lock. */
export async function removeLeftovers(file: string): Promise<void> {
	const directory = path.dirname(file);
	// Those of the original have eight characters too; an editor's `qubes.xml~` is not ours.
	const isLeftover = (name: string): boolean =>
		name.startsWith(`${path.basename(file)}~`) && /^[a-z0-9_]{8}$/.test(name.slice(path.basename(file).length + 1));
	for (const name of await fs.readdir(directory)) {
		if (isLeftover(name)) await fs.rm(path.join(directory, name));
	}
}
