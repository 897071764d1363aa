// The stage of the scenarios of spec section 11: each runs on the file systems it is for, in a pool of its own, and is followed by the checks that are
// common to all.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Pool, Volume, VolumeConfig } from "../../admin-core/model/storage/contract.ts";
import { storageDrivers } from "../../storage-reflink/index.ts";
import { call, isRoot, type Kind, type Mounted, makeFileSystem } from "./file-systems.ts";
import { MIB, read, write } from "./images.ts";
import { changesBelow } from "./watch-changes.ts";

export const KIND_OF: { readonly [letter: string]: Kind } = { B: "btrfs", X: "xfs", E: "ext4", T: "tmpfs" };
export const ALL = "BXET";
export const APPVM = { name: "work", dirPrefix: "appvms" };
export const TEMPLATE = { name: "deb", dirPrefix: "vm-templates" };

export interface LogLine {
	readonly level: string;
	readonly line: string;
}

type Body = (t: ExecutionContext, scene: Scene) => Promise<void>;

const mounts = new Map<Kind, Mounted>();
let count = 0;

/** A scenario on some file systems, by their letters: btrfs, XFS, ext4, tmpfs. */
export function scenario(title: string, letters: string, body: Body): void {
	for (const letter of letters) {
		const kind = KIND_OF[letter] as Kind;
		onFileSystem(`${title} (${kind})`, async (t) => {
			const scene = new Scene(t, mountedOnce(kind));
			await scene.pool.setup();
			await body(t, scene);
			await scene.check();
		});
	}
}

/** A test that needs file systems. Without root the run says that it was not run, and fails in CI. */
export function onFileSystem(title: string, body: (t: ExecutionContext) => Promise<void>): void {
	test.serial(title, async (t) => {
		if (isRoot) return body(t);
		t.log("NOT RUN: want root, to mount file systems");
		t.is(process.env["CI"], undefined, "this part needs root");
	});
}

export function mountedOnce(kind: Kind): Mounted {
	const mounted = mounts.get(kind) ?? makeFileSystem(kind);
	mounts.set(kind, mounted);
	return mounted;
}

export class Scene {
	readonly t: ExecutionContext;
	readonly kind: Kind;
	readonly root: string;
	/** Where the pool is. */
	readonly dir: string;
	readonly hasReflinks: boolean;
	readonly log: LogLine[] = [];
	/** Further options of the pool. */
	options: { readonly [name: string]: string } = {};
	pool: Pool;
	readonly #inits: { readonly owner: typeof APPVM; readonly config: VolumeConfig }[] = [];

	constructor(t: ExecutionContext, { kind, root }: Mounted) {
		this.t = t;
		this.kind = kind;
		this.root = path.join(root, `${++count}`);
		this.dir = path.join(this.root, "pool");
		this.hasReflinks = kind === "btrfs" || kind === "xfs";
		fs.mkdirSync(this.root);
		this.pool = this.makePool();
	}

	/** Another pool object, as of a daemon that has just been started. */
	makePool(dir = this.dir, name = "pool"): Pool {
		const options = new Map(Object.entries({ dir_path: dir, setup_check: this.hasReflinks ? "yes" : "no", ...this.options }));
		const make = storageDrivers["file-reflink"];
		if (make === undefined) throw new Error("no driver");
		return make({ name, options }, { log: (level, line) => void this.log.push({ level, line }) });
	}

	origin(config: Partial<VolumeConfig> = {}, owner = APPVM): Volume {
		return this.init(owner, { name: "private", rw: true, saveOnStop: true, size: MIB, revisionsToKeep: 1, ...config });
	}

	/** A private volume that has had a run for each letter. */
	async originAfter(...letters: readonly string[]): Promise<Volume> {
		const volume = this.origin();
		await volume.create();
		await this.run(volume, ...letters);
		return volume;
	}

	snapshot(source: Volume, owner = APPVM): Volume {
		return this.init(owner, { name: "root", rw: true, snapOnStart: true, source, size: source.size });
	}

	/** A volume without snapshots in the state A, and a snapshot volume that runs on it. */
	async withoutSnapshots(): Promise<{ volume: Volume; snapshot: Volume }> {
		const volume = this.origin({ revisionsToKeep: -1 });
		const snapshot = this.snapshot(volume, { name: "dvm", dirPrefix: "appvms" });
		await volume.create();
		await this.run(volume, "A");
		await snapshot.start();
		return { volume, snapshot };
	}

	volatile(config: Partial<VolumeConfig> = {}): Volume {
		return this.init(APPVM, { name: "volatile", rw: true, size: MIB, ...config });
	}

	init(owner: typeof APPVM, config: VolumeConfig): Volume {
		const volume = this.pool.initVolume(owner, config);
		this.#inits.push({ owner, config: { ...config, vid: volume.vid } });
		return volume;
	}

	/** A volume of somebody else that is a pipe, so that a clone of it takes as long as one wants. */
	pipe(): { source: Volume; file: string } {
		const file = path.join(this.root, "pipe");
		call("mkfifo", file);
		const reading = { export: async () => file, exportEnd: async () => undefined };
		return { source: { vid: "x", revisionsToKeep: 0, isDirty: () => false, ...reading } as unknown as Volume, file };
	}

	/** A new daemon: all objects are new, those of volumes that were not removed. Returns the one that the given one has become. */
	async restart(wanted: Volume): Promise<Volume> {
		await this.pool.settled();
		const old = this.pool;
		const alive = old.volumes().map(({ vid }) => vid);
		this.pool = this.makePool();
		for (const { owner, config } of this.#inits) {
			if (!alive.includes(config.vid as string)) continue;
			const { revisionsToKeep } = old.getVolume(config.vid as string);
			const source = config.source === undefined ? undefined : this.pool.getVolume(config.source.vid);
			this.pool.initVolume(owner, { ...config, revisionsToKeep, source });
		}
		return this.pool.getVolume(wanted.vid);
	}

	/** P-…: the path of one of a volume's files, or of its clean image. */
	file(volume: Volume, suffix = ".img"): string {
		return path.join(this.dir, `${volume.vid}${suffix}`);
	}

	clean(volume: Volume): string {
		return read(this.file(volume));
	}

	/** Start, write a letter, stop. */
	async run(volume: Volume, ...letters: readonly string[]): Promise<void> {
		for (const letter of letters) {
			await volume.start();
			write(volume.path, letter);
			await volume.stop();
			await this.pool.settled();
		}
	}

	/** Revisions with their contents: `{ "1": "∅", "2": "A" }`. */
	revisions(volume: Volume): { [id: string]: string } {
		const entries = [...volume.revisions].map(([id, time]) => [id, read(this.file(volume, `.img.${id}@${time}Z`))]);
		return Object.fromEntries(entries);
	}

	/** Names below a directory of the pool, sorted. */
	names(directory = ""): string[] {
		return fs.readdirSync(path.join(this.dir, directory)).sort();
	}

	/** Names, inode numbers, sizes and times of all that there is: equal if nothing was changed. */
	snapshotOfTree(): string[] {
		const names = fs.readdirSync(this.dir, { recursive: true, encoding: "utf8" }).sort();
		return names.map((name) => {
			const { ino, size, mtimeNs, nlink } = fs.statSync(path.join(this.dir, name), { bigint: true });
			return `${name} ${ino} ${fs.statSync(path.join(this.dir, name)).isFile() ? `${size} ${mtimeNs} ${nlink}` : ""}`;
		});
	}

	lines(pattern: RegExp, level = "info"): string[] {
		return this.log.filter((one) => one.level === level && pattern.test(one.line)).map(({ line }) => line);
	}

	/** Whether an operation is refused with an error of a kind and a text. */
	async refused(call: Promise<unknown>, message: string | RegExp = /./, kind = "StoragePoolException"): Promise<void> {
		const error = await this.t.throwsAsync(call, { message });
		this.t.is((error as { kind?: string } | undefined)?.kind, kind, error?.stack);
	}

	/** What is checked after every scenario. */
	async check(): Promise<void> {
		await this.pool.settled();
		if (!fs.existsSync(this.dir)) return;
		this.#checkNames();
		for (const volume of this.pool.volumes()) this.#checkVolume(volume);
		this.#checkLog();
	}

	#checkNames(): void {
		const names = fs.readdirSync(this.dir, { recursive: true, encoding: "utf8" });
		this.t.deepEqual(
			names.filter((name) => /img.*~[a-z0-9_]{8}$|-import\.img$/.test(name) && !/private2/.test(name)),
			[],
			"nothing unfinished is left",
		);
	}

	#checkVolume(volume: Volume): void {
		const [clean, dirty, precache] = [".img", "-dirty.img", "-precache.img"].map((suffix) => this.file(volume, suffix)) as [
			string,
			string,
			string,
		];
		if (volume.saveOnStop && volume.revisionsToKeep === -1) {
			this.t.false(fs.existsSync(clean) && fs.existsSync(dirty), `${volume.vid}: one of clean and dirty`);
		}
		if (fs.existsSync(precache) && fs.existsSync(clean)) {
			this.t.is(spawnSync("cmp", [clean, precache]).status, 0, `${volume.vid}: precache equals clean`);
			this.t.is(fs.statSync(clean, { bigint: true }).mtimeNs, fs.statSync(precache, { bigint: true }).mtimeNs);
		}
		const own = [clean, dirty, precache, ...[...volume.revisions].map(([id, time]) => this.file(volume, `.img.${id}@${time}Z`))];
		for (const file of own.filter((one) => fs.existsSync(one))) {
			this.t.is(
				fs.statSync(file).mode & 0o777,
				this.foreign.has(fs.statSync(file).ino) ? fs.statSync(file).mode & 0o777 : 0o600,
				file,
			);
		}
	}

	/** Inodes of files that were not made by the driver and may have another mode. */
	readonly foreign = new Set<number>();

	/** One line for each change: as many of each sort. */
	#checkLog(): void {
		const changes = changesBelow(this.root);
		const made = (...calls: string[]): number => changes.filter(({ call }) => calls.includes(call)).length;
		const said = (pattern: RegExp): number => this.lines(pattern).length;
		this.t.deepEqual(
			{
				renamed: said(/: renamed "/),
				linked: said(/: hard-linked "/),
				reflinked: said(/: reflinked "/),
				removed: said(/: removed "/),
				directories: said(/: created directory "/) + said(/: removed empty directory "/),
				files: said(/: created sparse file "/) + said(/: copying "/),
			},
			{
				renamed: made("rename"),
				linked: made("link"),
				reflinked: made("copyFile"),
				removed: made("unlink"),
				directories: made("mkdir", "rmdir"),
				files: made("open"),
			},
			"one line for each change",
		);
	}
}
