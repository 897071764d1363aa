import nodeFs from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { errnoOf, poolError, quote, withPath } from "./errors.ts";
import type { Journal } from "./journal.ts";
import { LONG_BYTES, longFlushes, viaLane } from "./lanes.ts";
import { temporaryName } from "./names.ts";
import { run } from "./run.ts";
import { allocatedBytes, isSameFile, statAtOnce, statOrNull } from "./stats.ts";

/** Given explicitly, as the umask is one for the whole process. */
export const IMAGE_MODE = 0o600;
/** How often a directory is made again that the removal of another volume of the qube took away meanwhile. */
const DIRECTORY_TRIES = 20;

/** How a file is completed before it gets its name. */
export interface Completion {
	readonly size?: number | undefined;
	/** The file whose times it is to have, to the nanosecond. */
	readonly timesOf?: string | undefined;
}

/** All changes of the tree go through here (spec 3.2); what they return from is logged, and durable where nothing else is said. */
export class Steps {
	readonly #journal: Journal;
	/** Closes the files of steps that are over; not at once, as starts and stops would take longer. Nor can a failure of it matter after a sync. */
	readonly #toClose: (() => Promise<void>)[] = [];
	#closed = Promise.resolve();

	constructor(journal: Journal) {
		this.#journal = journal;
	}

	/** Closes the files of the steps that are over. */
	closed(): Promise<void> {
		const closing = this.#toClose.splice(0).map((close) => close());
		this.#closed = Promise.allSettled([this.#closed, ...closing]).then(() => undefined);
		return this.#closed;
	}

	/** Puts a file in place of `target`, whole or not at all. `make` makes it under the temporary name it is given, which must not exist before. */
	async replace(target: string, make: (temporary: string) => Promise<void>, completion: Completion = {}): Promise<void> {
		await this.inDirectory(path.dirname(target), async () => {
			const temporary = temporaryName(target);
			try {
				await make(temporary);
				await this.complete(temporary, completion);
				await fs.rename(temporary, target);
			} catch (thrown) {
				// What cannot be removed either is left to the next start.
				if (errnoOf(thrown) !== "EEXIST") await this.#drop(temporary).catch(() => undefined);
				throw thrown;
			}
			this.#journal.renamed(temporary, target);
		});
		await this.#syncDirectory(path.dirname(target));
	}

	/** Makes a file without data under a name that does not exist; not durable until it is completed. */
	async makeSparse(file: string, size: number): Promise<void> {
		await this.#withFile(file, "wx", async (handle) => {
			await handle.chmod(IMAGE_MODE);
			if (size > 0) await handle.truncate(size);
		});
		this.#journal.madeSparse(file, size);
	}

	/** Gives a file its mode, size and times, and writes it down. */
	async complete(file: string, { size, timesOf }: Completion): Promise<void> {
		await this.#withFile(file, "r+", async (handle) => {
			await handle.chmod(IMAGE_MODE);
			if (size !== undefined) await handle.truncate(size);
			// Node sets times to the microsecond only.
			if (timesOf !== undefined) await run("touch", ["--no-create", `--reference=${timesOf}`, "--", file]);
			await flush(handle.fd);
		});
	}

	/** Writes down what a guest has written. */
	async flush(file: string): Promise<void> {
		await this.#withOpened(file, flush);
	}

	/** Both are in one directory. Where they are names of one file, one of them goes. */
	async rename(from: string, to: string): Promise<void> {
		const replaced = statAtOnce(to);
		const moved = replaced === null ? null : statAtOnce(from);
		await fs.rename(from, to);
		this.#journal.renamed(from, to);
		// The system has left both.
		if (moved !== null && replaced !== null && isSameFile(moved, replaced)) await this.#drop(from);
		await this.#syncDirectory(path.dirname(to));
	}

	/** Durable with the next step that syncs the directory of `to`. */
	async link(from: string, to: string): Promise<void> {
		await fs.link(from, to);
		this.#journal.linked(from, to);
	}

	/** Removes files of one directory, in this order; what is not there is fine. */
	async remove(...files: readonly string[]): Promise<void> {
		const removed: string[] = [];
		for (const file of files) if (await this.#drop(file)) removed.push(file);
		if (removed[0] !== undefined) await this.#syncDirectory(path.dirname(removed[0]));
	}

	/** Makes one directory, whose parent has to exist; one that is there is fine. Returns whether it made one. */
	async makeDirectory(directory: string): Promise<boolean> {
		try {
			await fs.mkdir(directory);
		} catch (thrown) {
			if (errnoOf(thrown) === "ENOENT")
				throw poolError(`cannot create ${quote(directory)}: there is no ${quote(path.dirname(directory))}`);
			if (errnoOf(thrown) !== "EEXIST") throw thrown;
			const stat = await statOrNull(directory);
			if (stat === null) throw poolError(`${quote(directory)} is a link to nowhere`);
			if (!stat.isDirectory()) throw poolError(`${quote(directory)} is not a directory`);
			return false;
		}
		this.#journal.madeDirectory(directory);
		await this.#syncDirectory(path.dirname(directory));
		return true;
	}

	/** Removes a directory if nothing is left in it; makes durable what was removed from it in any case. */
	async removeDirectory(directory: string): Promise<void> {
		try {
			if (!(await ifThere(fs.rmdir(directory)))) return void (await ifThere(this.#syncDirectory(path.dirname(directory))));
		} catch (thrown) {
			if (errnoOf(thrown) !== "ENOTEMPTY" && errnoOf(thrown) !== "EEXIST") throw thrown;
			return this.#syncDirectory(directory);
		}
		this.#journal.removedDirectory(directory);
		await this.#syncDirectory(path.dirname(directory));
	}

	/** Cuts or extends a file that is not shared, as a dirty image. */
	async truncate(file: string, size: number): Promise<void> {
		const before = await this.#withFile(file, "r+", async (handle) => {
			const { size: before } = await handle.stat();
			await handle.truncate(size);
			await flush(handle.fd);
			return before;
		});
		this.#journal.resized(file, before, size);
	}

	/** Does work that makes a file in a directory, which is made where it is missing. */
	async inDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
		for (let tries = 1; ; tries++) {
			try {
				return await work();
			} catch (thrown) {
				if (errnoOf(thrown) !== "ENOENT" || tries === DIRECTORY_TRIES) throw thrown;
			}
			await this.makeDirectory(directory);
		}
	}

	/** Removes a name, which is not durable yet; returns whether it was there. */
	async #drop(file: string): Promise<boolean> {
		if (!(await ifThere(fs.unlink(file)))) return false;
		this.#journal.removed(file);
		return true;
	}

	/** Writes down the names in a directory. Where it is gone, another volume of the qube was removed, and its parent says so. */
	async #syncDirectory(directory: string): Promise<void> {
		try {
			await this.#withOpened(directory, sync);
		} catch (thrown) {
			if (errnoOf(thrown) !== "ENOENT") throw thrown;
			await this.#withOpened(path.dirname(directory), sync);
		}
	}

	async #withFile<T>(file: string, flags: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
		const handle = await fs.open(file, flags, IMAGE_MODE);
		try {
			return await work(handle);
		} catch (thrown) {
			throw withPath(thrown, file);
		} finally {
			this.#toClose.push(() => handle.close());
		}
	}

	/** The same for what is there, and opened at once: it has just been looked at, and the way to a worker and back takes longer than opening it. */
	async #withOpened(file: string, work: (fd: number) => Promise<void>): Promise<void> {
		const fd = nodeFs.openSync(file, "r");
		try {
			await work(fd);
		} catch (thrown) {
			throw withPath(thrown, file);
		} finally {
			this.#toClose.push(() => promisify(nodeFs.close)(fd));
		}
	}
}

/**
 * Holds a long file open so that removing or replacing it takes no time: what it occupies is freed when it is closed, or by the kernel if we die. Null
 * if it is short or absent, or if it cannot be opened.
 */
export async function holdOpen(file: string): Promise<FileHandle | null> {
	const stat = await statOrNull(file).catch(() => null);
	if (stat === null || allocatedBytes(stat) < LONG_BYTES) return null;
	return fs.open(file, "r").catch(() => null);
}

/** Waits for all work that is under way, then throws what the first that failed, in this order, failed with. Two syncs at once take less time than in turn. */
export async function allToTheEnd(...work: readonly Promise<void>[]): Promise<void> {
	for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

async function flush(fd: number): Promise<void> {
	const stat = nodeFs.fstatSync(fd, { bigint: true });
	await viaLane(longFlushes, allocatedBytes(stat), () => sync(fd));
}

function sync(fd: number): Promise<void> {
	return promisify(nodeFs.fsync)(fd);
}

/** Whether what the call is about was there. */
async function ifThere(call: Promise<void>): Promise<boolean> {
	try {
		await call;
		return true;
	} catch (thrown) {
		if (errnoOf(thrown) === "ENOENT") return false;
		throw thrown;
	}
}
