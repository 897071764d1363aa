import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { AdminError } from "../../../../../admin-core/model/errors.ts";
import type { Pool, Volume, VolumeConfig } from "../../../../../admin-core/model/storage/contract.ts";

const run = promisify(execFile);

/** P.img at rest, P-dirty.img while started, P.img.N before that; with revisions_to_keep -1 only one of the first two. */
export class FilesVolume implements Volume {
	readonly name: string;
	readonly pool: Pool;
	readonly vid: string;
	readonly snapOnStart: boolean;
	readonly saveOnStop: boolean;
	readonly source: Volume | null;
	rw: boolean;
	revisionsToKeep: number;
	ephemeral: boolean | undefined;
	private readonly base: string;
	private nominal: number;
	private readonly forget: () => void;
	private isRemoved = false;
	private startedAs: number | null = null;

	constructor(pool: Pool, base: string, config: VolumeConfig & { readonly vid: string }, forget: () => void) {
		this.pool = pool;
		this.base = base;
		this.forget = forget;
		this.name = config.name;
		this.vid = config.vid;
		this.rw = config.rw ?? false;
		this.snapOnStart = config.snapOnStart ?? false;
		this.saveOnStop = config.saveOnStop ?? false;
		this.source = config.source ?? null;
		this.revisionsToKeep = config.revisionsToKeep ?? pool.revisionsToKeep;
		this.ephemeral = config.ephemeral;
		this.nominal = config.size ?? 0;
	}

	private get clean(): string {
		return `${this.base}.img`;
	}

	get path(): string {
		return `${this.base}-dirty.img`;
	}

	private get isOrigin(): boolean {
		return this.saveOnStop && !this.snapOnStart;
	}

	get size(): number {
		return (stat(this.path) ?? stat(this.clean))?.size ?? this.nominal;
	}

	get usage(): number {
		return ((stat(this.path) ?? stat(this.clean))?.blocks ?? 0) * 512;
	}

	get revisions(): ReadonlyMap<string, string> {
		const prefix = `${path.basename(this.base)}.img.`;
		const names = fs.existsSync(path.dirname(this.base)) ? fs.readdirSync(path.dirname(this.base)) : [];
		const ids = names.filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length)));
		return new Map(ids.sort((a, b) => a - b).map((id) => [String(id), "2026-01-01T00:00:00"]));
	}

	isDirty(): boolean {
		return this.isOrigin && fs.existsSync(this.path);
	}

	isOutdated(): boolean | null {
		return (
			this.snapOnStart && this.startedAs !== null && stat(`${(this.source as FilesVolume).base}.img`)?.ino !== this.startedAs
		);
	}

	async create(): Promise<void> {
		this.clear();
		if (!this.isOrigin) return;
		fs.mkdirSync(path.dirname(this.base), { recursive: true });
		makeSparse(this.clean, this.nominal);
	}

	async remove(): Promise<void> {
		this.forget();
		this.isRemoved = true;
		this.clear();
	}

	private clear(): void {
		for (const id of this.revisions.keys()) fs.rmSync(`${this.clean}.${id}`);
		for (const file of [this.clean, this.path, `${this.base}-import.img`]) fs.rmSync(file, { force: true });
		if (fs.existsSync(path.dirname(this.base)) && fs.readdirSync(path.dirname(this.base)).length === 0) {
			fs.rmdirSync(path.dirname(this.base));
		}
	}

	async verify(): Promise<void> {
		const needed = this.snapOnStart ? `${(this.source as FilesVolume).base}.img` : this.isOrigin ? this.clean : null;
		if (needed === null || fs.existsSync(needed) || this.isDirty()) return;
		throw new AdminError("StoragePoolException", `missing ${needed}`);
	}

	async start(): Promise<void> {
		this.check();
		fs.mkdirSync(path.dirname(this.base), { recursive: true });
		if (this.isDirty()) return;
		if (!this.isOrigin && !this.snapOnStart) return makeSparse(this.path, this.nominal);
		const from = this.snapOnStart ? `${(this.source as FilesVolume).base}.img` : this.clean;
		this.startedAs = stat(from)?.ino ?? null;
		if (this.revisionsToKeep === -1 && this.isOrigin) fs.renameSync(from, this.path);
		else await copy(from, this.path);
	}

	async stop(): Promise<void> {
		this.startedAs = null;
		if (this.isDirty()) this.commit(this.path);
		else fs.rmSync(this.path, { force: true });
	}

	async export(): Promise<string> {
		this.needOrigin("export");
		return this.clean;
	}

	async exportEnd(): Promise<void> {}

	async importData(size: number): Promise<string> {
		this.needOrigin("import");
		makeSparse(`${this.base}-import.img`, size);
		return `${this.base}-import.img`;
	}

	async importDataEnd(isSuccess: boolean): Promise<void> {
		if (!isSuccess) fs.rmSync(`${this.base}-import.img`, { force: true });
		else if (fs.existsSync(`${this.base}-import.img`)) this.commit(`${this.base}-import.img`);
		else throw new AdminError("StoragePoolException", `no import of ${this.vid}`);
	}

	async importVolume(source: Volume): Promise<void> {
		if (!this.isOrigin) return;
		const from = await source.export();
		try {
			await copy(from, `${this.base}-import.img`);
		} finally {
			await source.exportEnd(from);
		}
		this.commit(`${this.base}-import.img`);
	}

	async resize(size: number): Promise<void> {
		this.check();
		this.nominal = size;
		for (const file of [this.path, this.clean].slice(0, fs.existsSync(this.path) ? 1 : 2)) {
			if (fs.existsSync(file)) fs.truncateSync(file, size);
		}
	}

	async revert(revision?: string): Promise<void> {
		this.check();
		const id = revision ?? [...this.revisions.keys()].at(-1);
		await copy(`${this.clean}.${id}`, this.clean);
	}

	toString(): string {
		return this.vid;
	}

	private commit(from: string): void {
		const id = Number([...this.revisions.keys()].at(-1) ?? "0") + 1;
		if (this.revisionsToKeep > 0 && fs.existsSync(this.clean)) fs.renameSync(this.clean, `${this.clean}.${id}`);
		fs.renameSync(from, this.clean);
		const ids = [...this.revisions.keys()];
		for (const old of ids.slice(0, Math.max(0, ids.length - this.revisionsToKeep))) fs.rmSync(`${this.clean}.${old}`);
	}

	private needOrigin(what: string): void {
		this.check();
		if (!this.isOrigin) throw new AdminError("QubesNotImplementedError", `test-files has no ${what} of ${this.name}`);
	}

	private check(): void {
		if (this.isRemoved) throw new AdminError("StoragePoolException", `${this.vid} was removed`);
	}
}

function stat(file: string): fs.Stats | undefined {
	return fs.statSync(file, { throwIfNoEntry: false });
}

function makeSparse(file: string, size: number): void {
	fs.writeFileSync(file, "");
	fs.truncateSync(file, size);
}

async function copy(from: string, to: string): Promise<void> {
	try {
		await run("cp", ["-T", "--sparse=always", "--reflink=auto", "--", from, to]);
	} catch (error) {
		throw new AdminError("StoragePoolException", String((error as { stderr?: string }).stderr));
	}
}
