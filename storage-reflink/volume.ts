import type { BigIntStats } from "node:fs";
import path from "node:path";
import type { Volume, VolumeConfig } from "../admin-core/model/storage/contract.ts";
import type { Bench } from "./bench.ts";
import { notImplemented, poolError, quote } from "./errors.ts";
import { refreshLoopDevices } from "./loop.ts";
import type { Found } from "./names.ts";
import { checkKeep, checkSize } from "./options.ts";
import type { ReflinkPool } from "./pool.ts";
import { allocatedBytes, statAtOnce } from "./stats.ts";
import type { Turns } from "./turns.ts";
import { VolumeFiles } from "./volume-files.ts";

/** What a volume is made of. */
export interface VolumeParts {
	readonly pool: ReflinkPool;
	readonly vid: string;
	readonly config: VolumeConfig;
	/** Shared with the object that this one takes the place of. */
	readonly turns: Turns;
	readonly bench: Bench;
}

/** What the kinds of volumes have in common: their attributes, and the operations that are the same for all. */
export abstract class ImageVolume extends VolumeFiles implements Volume {
	readonly name: string;
	readonly pool: ReflinkPool;
	rw: boolean;
	ephemeral: boolean | undefined;
	/** The size that it has where there is no image. */
	protected nominalSize: number;
	#keep: number;

	abstract readonly snapOnStart: boolean;
	abstract readonly saveOnStop: boolean;
	abstract readonly source: ImageVolume | null;

	constructor(parts: VolumeParts) {
		super(parts);
		const { pool, config } = parts;
		this.pool = pool;
		this.name = config.name;
		this.rw = config.rw ?? false;
		this.ephemeral = config.ephemeral;
		this.nominalSize = checkSize(config.size ?? 0);
		this.#keep = checkKeep(config.revisionsToKeep ?? pool.revisionsToKeep);
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
			this.isRemoved = true;
		});
		// Not before it has asked for its turn, so that a volume that is made in its place waits for it.
		this.pool.unregister(this);
		await removal;
	}

	verify(): Promise<void> {
		return this.orPoolError("verify", async () => {
			if (this.isRemoved) throw poolError(`${this.title} has been removed`);
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

	override toString(): string {
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

	/** The size as it is now; throws what the system says where that cannot be seen. */
	protected readSize(): number {
		const image = this.#image();
		return image === null ? this.nominalSize : Number(image.size);
	}

	/** Where the pool is not mounted, nothing is there to remove, and all comes back with it. */
	#warnWhereMissing(): void {
		const parent = path.dirname(this.names.directory);
		if (statAtOnce(parent) === null)
			this.bench.journal.warn(`nothing of ${this.title} is removed, as there is no ${quote(parent)}: is the pool mounted?`);
	}

	#image(): BigIntStats | null {
		return statAtOnce(this.names.dirty) ?? statAtOnce(this.names.clean);
	}
}
