import type { BigIntStats } from "node:fs";
import path from "node:path";
import type { Volume, VolumeConfig } from "../admin-core/model/storage/contract.ts";
import type { Bench } from "./bench.ts";
import { asPoolError, errnoOf, notImplemented, poolError, quote } from "./errors.ts";
import { longClones } from "./lanes.ts";
import { refreshLoopDevices } from "./loop.ts";
import { type Found, ImageNames } from "./names.ts";
import { checkKeep, checkSize } from "./options.ts";
import type { ReflinkPool } from "./pool.ts";
import { allocatedBytes, listOrEmpty, statAtOnce } from "./stats.ts";
import { holdOpen } from "./steps.ts";
import type { Turns } from "./turns.ts";

/** What a volume is made of. */
export interface VolumeParts {
	readonly pool: ReflinkPool;
	readonly vid: string;
	readonly config: VolumeConfig;
	/** Shared with the object that this one takes the place of. */
	readonly turns: Turns;
	readonly bench: Bench;
}

/** What the kinds of volumes have in common: their attributes, one operation at a time, and a look at the directory at the beginning of each. */
export abstract class ImageVolume implements Volume {
	readonly name: string;
	readonly pool: ReflinkPool;
	readonly vid: string;
	rw: boolean;
	ephemeral: boolean | undefined;
	readonly names: ImageNames;
	readonly bench: Bench;
	/** The size that it has where there is no image. */
	protected nominalSize: number;
	readonly #turns: Turns;
	readonly #toldOf = new Set<string>();
	#keep: number;
	#isRemoved = false;

	abstract readonly snapOnStart: boolean;
	abstract readonly saveOnStop: boolean;
	abstract readonly source: ImageVolume | null;

	constructor({ pool, vid, config, turns, bench }: VolumeParts) {
		this.pool = pool;
		this.vid = vid;
		this.name = config.name;
		this.rw = config.rw ?? false;
		this.ephemeral = config.ephemeral;
		this.nominalSize = checkSize(config.size ?? 0);
		this.#keep = checkKeep(config.revisionsToKeep ?? pool.revisionsToKeep);
		this.names = new ImageNames(bench.dirPath, vid);
		this.bench = bench;
		this.#turns = turns;
	}

	get revisionsToKeep(): number {
		return this.#keep;
	}

	set revisionsToKeep(keep: number) {
		this.#keep = checkKeep(keep);
	}

	get path(): string {
		return this.names.dirty;
	}

	/** Kept in one place only, the file, for files also change by other hands. */
	get size(): number {
		return this.glance(() => this.readSize(), this.nominalSize);
	}

	get usage(): number {
		return this.glance(() => {
			const image = this.#image();
			return image === null ? 0 : allocatedBytes(image);
		}, 0);
	}

	get revisions(): ReadonlyMap<string, string> {
		return new Map();
	}

	isDirty(): boolean {
		return false;
	}

	isOutdated(): boolean | null {
		return false;
	}

	create(): Promise<void> {
		return this.change("create", async (found) => {
			await this.removeImages(found);
			await this.createImage();
		});
	}

	async remove(): Promise<void> {
		const removal = this.change("remove", async (found) => {
			this.#warnWhereMissing();
			await this.removeImages(found);
			await this.bench.steps.removeDirectory(this.names.directory);
			this.#isRemoved = true;
		});
		// Not before it has asked for its turn, so that a volume that is made in its place waits for it.
		this.pool.unregister(this);
		await removal;
	}

	verify(): Promise<void> {
		return this.orPoolError("verify", async () => {
			if (this.#isRemoved) throw poolError(`${this.title} has been removed`);
			const missing = this.missingImage();
			if (missing !== null) throw poolError(`${this.title} cannot be started: there is no ${quote(missing)}`);
		});
	}

	abstract start(): Promise<void>;
	abstract stop(): Promise<void>;

	async export(): Promise<string> {
		throw notImplemented("export", `${this.title}, which keeps no state`);
	}

	async exportEnd(_path: string): Promise<void> {
		// A reader holds the file itself: nothing was made for it.
	}

	async importData(_size: number): Promise<string> {
		throw notImplemented("import", `${this.title}, which keeps no state`);
	}

	async importDataEnd(_isSuccess: boolean): Promise<void> {
		throw notImplemented("import", `${this.title}, which keeps no state`);
	}

	async importVolume(_source: Volume): Promise<void> {
		// So that all volumes of a qube can be cloned alike.
	}

	/** Shrinking is for the client to forbid. */
	resize(size: number): Promise<void> {
		return this.change("resize", async (found) => {
			checkSize(size);
			if (!this.rw) throw poolError(`cannot resize ${this.title}: it is read-only`);
			if (found.dirty) {
				await this.bench.steps.truncate(this.names.dirty, size);
				await refreshLoopDevices(this.bench.journal, this.names.dirty);
			} else await this.resizeAtRest(size, found);
			this.nominalSize = size;
		});
	}

	async revert(_revision?: string): Promise<void> {
		throw poolError(`${this.title} has no revisions`);
	}

	/** As it is named in messages. */
	get title(): string {
		return `volume ${quote(this.vid)} of pool ${quote(this.pool.name)}`;
	}

	toString(): string {
		return this.vid;
	}

	/** Makes what there is of the volume while it is at rest; everything of it was removed before. */
	protected async createImage(): Promise<void> {
		// Most kinds have no image at rest.
	}

	/** The path of the image without which it cannot start; null if there is none or none is wanted. */
	protected missingImage(): string | null {
		return null;
	}

	protected abstract resizeAtRest(size: number, found: Found): Promise<void>;

	/** An operation in its turn, with what there is of the volume. */
	protected change<T>(operation: string, work: (found: Found) => Promise<T>): Promise<T> {
		return this.inTurn(operation, async () => work(await this.look()));
	}

	protected inTurn<T>(operation: string, work: () => Promise<T>): Promise<T> {
		return this.#turns.take(async () => {
			if (this.#isRemoved) throw poolError(`cannot ${operation} ${this.title}: it has been removed`);
			this.#turns.last(async () => {
				// So that a pool without reflinks says so though it never shares data.
				await this.bench.reflinks.work();
				await this.bench.steps.closed();
			});
			return this.orPoolError(operation, () => {
				this.bench.place.remember();
				return work();
			});
		});
	}

	/** What the system refuses becomes a StoragePoolException, which names the path. */
	protected async orPoolError<T>(operation: string, work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (thrown) {
			throw asPoolError(`${operation} ${this.title}`, thrown);
		}
	}

	/** For getters, which never throw: `otherwise` where the disk cannot be looked at, with a warning for each errno. No operation may go by that. */
	protected glance<T>(look: () => T, otherwise: T): T {
		try {
			return look();
		} catch (thrown) {
			this.#warnOnce(`${errnoOf(thrown)}`, `cannot look at ${this.title}: ${(thrown as Error).message}`);
			return otherwise;
		}
	}

	/** The size as it is now; throws what the system says where that cannot be seen. */
	protected readSize(): number {
		const image = this.#image();
		return image === null ? this.nominalSize : Number(image.size);
	}

	/** Within an operation: what is done after it, in the background. Where it fails, the log says so. */
	later(doing: string, work: () => Promise<void>): void {
		this.#turns.later(() => this.#orWarn(doing, work));
	}

	/**
	 * Makes the removal or replacement of a file quick, however long it is: what it occupies is freed in the background, after all else, as that slows
	 * down clones.
	 */
	async freeLater(file: string): Promise<void> {
		const handle = await holdOpen(file);
		if (handle !== null) this.#turns.last(() => this.#orWarn(`free ${quote(file)}`, () => longClones(() => handle.close())));
	}

	/** What there is of the volume now. */
	async look(): Promise<Found> {
		const found = this.names.sort(await listOrEmpty(this.names.directory));
		for (const name of found.alien)
			this.#warnOnce(name, `${quote(name)} in ${quote(this.names.directory)} is not a file of this driver, and is left alone`);
		return found;
	}

	/** Removes what operations that were broken off have left. */
	protected async removeUnfinished(found: Found): Promise<void> {
		await this.bench.steps.remove(...found.temporaries, ...(found.importing ? [this.names.importing] : []));
	}

	/** Removes what there is of a run that is not kept. */
	protected async removeRun(found: Found): Promise<void> {
		if (found.dirty) await this.freeLater(this.names.dirty);
		if (found.clean) await this.freeLater(this.names.clean);
		if (found.dirty || found.clean) await this.bench.steps.remove(this.names.dirty, this.names.clean);
	}

	/** Removes all that there is of the volume. */
	protected async removeImages(found: Found): Promise<void> {
		const { clean, precache, dirty, importing } = this.names;
		const images = [...found.revisions.map((revision) => revision.path), clean, precache, dirty];
		const files = [...found.temporaries, importing, ...images];
		for (const file of images) await this.freeLater(file);
		await this.bench.steps.remove(...files);
	}

	/** Where the pool is not mounted, nothing is there to remove, and all comes back with it. */
	#warnWhereMissing(): void {
		const parent = path.dirname(this.names.directory);
		if (statAtOnce(parent) === null)
			this.bench.journal.warn(`nothing of ${this.title} is removed, as there is no ${quote(parent)}: is the pool mounted?`);
	}

	#warnOnce(of: string, line: string): void {
		if (this.#toldOf.has(of)) return;
		this.#toldOf.add(of);
		this.bench.journal.warn(line);
	}

	async #orWarn(doing: string, work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (thrown) {
			this.bench.journal.warn(`cannot ${doing} of ${this.title}: ${(thrown as Error).message}`);
		}
	}

	#image(): BigIntStats | null {
		return statAtOnce(this.names.dirty) ?? statAtOnce(this.names.clean);
	}
}
