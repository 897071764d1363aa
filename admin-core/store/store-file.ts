// The way of a save: data → storeTree (elements) → render (text, with what we do not understand) → replaceFile (disk). That of a load is told in
// read-store.ts.
import { closeSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { findGoodBackup, makeBackup, pruneBackups, removeUnfinishedBackups } from "./backups.ts";
import type { StoreData } from "./data.ts";
import { StoreError, systemError } from "./errors.ts";
import { lockFile } from "./lock.ts";
import { readStore } from "./read-store.ts";
import { readStamped } from "./read-text.ts";
import { type Rendered, render } from "./render.ts";
import { removeLeftovers, replaceFile, type Stamp, stampOf } from "./replace-file.ts";
import type { Residue } from "./residue.ts";
import { storeTree } from "./store-tree.ts";

/** How a store is kept; every option has a default. */
export interface StoreOptions {
	/** How many backups are kept, at least 1; three without it. */
	readonly backups?: number;
}

/** What a load gives: the data, and lines for the log, each `FILE:LINE:COLUMN: what: what is done about it`. */
export interface LoadedStore {
	readonly data: StoreData;
	readonly warnings: readonly string[];
}

/** What is on the disk. */
interface OnDisk {
	/** Null where there is no file. */
	readonly stamp: Stamp | null;
	readonly residue: Residue;
}

/** A save that is not written yet. */
interface Waiting {
	readonly rendered: Rendered;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

const NOTHING: Residue = { attributes: null, content: null, children: new Map(), text: null };

/**
 * The file `qubes.xml`, locked for as long as the object is open (spec 5.4 to 5.6). All that is thrown is a StoreError, and then the file is as it
 * was, but for one case: where the directory cannot be synced after the rename, the new file is there (`isInPlace`). To make a new store, open a path where there is no file and save.
 */
export class StoreFile {
	/** Of the file itself, behind all links. */
	readonly path: string;
	private readonly keep: number;
	private lock: number | null;
	/** Null until it is clear what is there: after a load that failed, nothing may be saved. */
	private disk: OnDisk | null;
	/** The residue after the last save that was asked for, be it written or not. */
	private residue: Residue = NOTHING;
	private waiting: Waiting[] = [];
	/** Ends when nobody waits any more; null when nobody does. */
	private writing: Promise<void> | null = null;
	private hasBackup = false;

	private constructor(path: string, keep: number, lock: number, disk: OnDisk | null) {
		this.path = path;
		this.keep = keep;
		this.lock = lock;
		this.disk = disk;
	}

	/** Locks a store, which need not be there yet, and clears away what a crash has left. Throws `locked` at once, it does not wait. */
	static async open(file: string, { backups = 3 }: StoreOptions = {}): Promise<StoreFile> {
		const real = await resolveLinks(file);
		const lock = lockFile(`${real}.lock`);
		try {
			await removeLeftovers(real);
			await removeUnfinishedBackups(real);
			const isNew = (await stampOf(real)) === null;
			return new StoreFile(real, Math.max(1, backups), lock, isNew ? { stamp: null, residue: NOTHING } : null);
		} catch (thrown) {
			closeSync(lock);
			throw systemError(`cannot open ${file}`, thrown);
		}
	}

	/**
	 * Reads the file. Throws `missing`, `malformed`, `invalid` or `system`; the message names the newest backup that can be read, if there is one.
	 * Nothing is written.
	 */
	async load(): Promise<LoadedStore> {
		this.needLock();
		await this.settle();
		try {
			const { text, stamp } = await readStamped(this.path);
			const { data, warnings, residue } = readStore({ file: this.path, text });
			this.residue = residue;
			this.disk = { stamp, residue };
			return { data, warnings };
		} catch (thrown) {
			const error = systemError(`cannot load ${this.path}`, thrown);
			if (error.kind !== "missing") this.disk = null;
			throw await withBackup(error, this.path);
		}
	}

	/**
	 * Writes data, taken as it is at the call, and resolves when it is on the disk. Throws `unsavable` where it could not be read again, `changed`
	 * where the file is not the one that was loaded or saved last, `system` for a full disk and the like.
	 *
	 * Saves are written one after the other. Those that wait are written as one, the latest: it contains the others, and all are told how it went.
	 * When a save fails, those that wait fail as well, as they contain what the caller is about to take back.
	 */
	async save(data: StoreData): Promise<void> {
		this.needLock();
		if (this.disk === null) throw new StoreError("misused", `${this.path} is not loaded: load it before a save`);
		const rendered = render(storeTree(data), this.residue);
		this.residue = rendered.residue;
		return new Promise((resolve, reject) => {
			this.waiting.push({ rendered, resolve, reject });
			this.writing ??= this.writeAll();
		});
	}

	/** Waits for what is being saved and unlocks. May be called twice. */
	async close(): Promise<void> {
		await this.settle();
		if (this.lock !== null) closeSync(this.lock);
		this.lock = null;
	}

	private needLock(): void {
		if (this.lock === null) throw new StoreError("misused", `${this.path} is closed: open it again`);
	}

	private async settle(): Promise<void> {
		while (this.writing !== null) await this.writing;
	}

	private async writeAll(): Promise<void> {
		while (this.waiting.length > 0) {
			const batch = this.waiting.splice(0);
			try {
				await this.write((batch.at(-1) as Waiting).rendered);
				for (const { resolve } of batch) resolve();
			} catch (thrown) {
				this.residue = (this.disk as OnDisk).residue;
				for (const { reject } of [...batch, ...this.waiting.splice(0)]) reject(thrown);
			}
		}
		this.writing = null;
	}

	private async write({ bytes, residue }: Rendered): Promise<void> {
		const old = this.disk as OnDisk;
		let backup: string | null = null;
		try {
			await replaceFile(this.path, bytes, old.stamp, {
				beforeRename: async () => {
					if (!this.hasBackup && old.stamp !== null) backup = await makeBackup(this.path);
				},
				renamed: (stamp) => {
					this.disk = { stamp, residue };
				},
			});
		} catch (thrown) {
			// Without the rename it is the file itself, and no copy of it.
			if (backup !== null && this.disk === old) await fs.rm(backup, { force: true }).catch(() => undefined);
			throw this.disk === old ? thrown : inPlace(thrown);
		}
		this.hasBackup = true;
		if (backup !== null) await pruneBackups(this.path, this.keep, backup);
	}
}

function inPlace(thrown: unknown): StoreError {
	const { kind, detail, at } = systemError("cannot sync the directory", thrown);
	return new StoreError(kind, `${detail}; the new file is there, but may be gone after a power cut`, at, true);
}

/** Of the file that a path leads to, or would be at. */
async function resolveLinks(file: string): Promise<string> {
	try {
		return await fs.realpath(file).catch(async () => path.join(await fs.realpath(path.dirname(file)), path.basename(file)));
	} catch (thrown) {
		throw systemError(`cannot open ${file}`, thrown);
	}
}

async function withBackup(error: StoreError, file: string): Promise<StoreError> {
	if (!["missing", "malformed", "invalid"].includes(error.kind)) return error;
	const backup = await findGoodBackup(file);
	const hint =
		backup === null ? "there is no backup that can be read" : `to go back to the newest good backup: cp -p ${backup} ${file}`;
	return new StoreError(error.kind, `${error.detail}; ${hint}`, error.at);
}
