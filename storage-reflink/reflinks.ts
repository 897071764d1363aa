import { constants } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { errnoOf, quote } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { temporaryName } from "./names.ts";

/** Not in Node's constants; the second part differs between machines. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const SAMPLE = "abc";

/** Whether files of a directory can share data. Throws what the file system says where that is neither yes nor no. */
export async function probeReflinks(directory: string): Promise<boolean> {
	try {
		return await probeUnnamed(directory);
	} catch (thrown) {
		// No unnamed files here.
		if (!["EOPNOTSUPP", "ENOTSUP", "EISDIR"].includes(errnoOf(thrown) ?? "")) throw thrown;
		return probeNamed(directory);
	}
}

async function probeUnnamed(directory: string): Promise<boolean> {
	const from = await fs.open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
	try {
		const to = await fs.open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
		try {
			await from.writeFile(SAMPLE);
			return await canClone(`/proc/self/fd/${from.fd}`, `/proc/self/fd/${to.fd}`, 0);
		} finally {
			await to.close();
		}
	} finally {
		await from.close();
	}
}

async function probeNamed(directory: string): Promise<boolean> {
	const from = temporaryName(path.join(directory, "setup-check.img"));
	const to = temporaryName(path.join(directory, "setup-check.img"));
	try {
		await fs.writeFile(from, SAMPLE, { flag: "wx", mode: 0o600 });
		return await canClone(from, to, constants.COPYFILE_EXCL);
	} finally {
		await fs.rm(from, { force: true });
		await fs.rm(to, { force: true });
	}
}

async function canClone(from: string, to: string, flags: number): Promise<boolean> {
	try {
		await fs.copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | flags);
		return true;
	} catch (thrown) {
		if (isRefusal(errnoOf(thrown))) return false;
		throw thrown;
	}
}

/** Whether the error of a clone means "not between these files" (spec section 5); every other one is real trouble, which a copy could hide. */
export function isRefusal(errno: string | null): boolean {
	return errno !== null && ["ENOTSUP", "EOPNOTSUPP", "EXDEV", "EINVAL", "EBADF"].includes(errno);
}

/** What a pool knows of its file system; a pool may have been made without the check, or been moved. */
export class Reflinks {
	readonly #directory: string;
	readonly #journal: Journal;
	#known: Promise<boolean | null> | undefined;

	constructor(directory: string, journal: Journal) {
		this.#directory = directory;
		this.#journal = journal;
	}

	/** Whether data can be shared; yes as long as it cannot be found out. Says no once in the log. */
	async work(): Promise<boolean> {
		this.#known ??= this.#probe();
		const known = await this.#known;
		if (known === null) this.#known = undefined;
		return known ?? true;
	}

	async #probe(): Promise<boolean | null> {
		const works = await probeReflinks(this.#directory).catch(() => null);
		if (works === false) {
			const slow = "each start copies whole images, and nothing is prepared for it";
			this.#journal.warn(`the file system of ${quote(this.#directory)} has no reflinks: ${slow}`);
		}
		return works;
	}
}
