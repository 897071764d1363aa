import type {
	DriverContext,
	MakePool,
	Pool,
	PoolConfig,
	PoolSpace,
	PoolUsage,
	Stray,
	Volume,
	VolumeConfig,
	VolumeOwner,
} from "../admin-core/model/storage/contract.ts";
import type { Bench } from "./bench.ts";
import { asPoolError, poolError, quote } from "./errors.ts";
import { findSurrounding } from "./included-in.ts";
import { Journal } from "./journal.ts";
import { checkKeep, type PoolOptions, readOptions } from "./options.ts";
import { OriginVolume } from "./origin.ts";
import { Place } from "./place.ts";
import { Reflinks } from "./reflinks.ts";
import { setUp } from "./setup.ts";
import { SnapshotVolume } from "./snapshot.ts";
import { readSpace } from "./space.ts";
import { Steps } from "./steps.ts";
import { findStrays } from "./strays.ts";
import { Turns } from "./turns.ts";
import { readUsage } from "./usage.ts";
import { VolatileVolume } from "./volatile.ts";
import { ImageVolume } from "./volume.ts";
import { checkConfig } from "./volume-config.ts";

export const makePool: MakePool = (config, context) => new ReflinkPool(config, context);

/** A directory of images that share their data (spec section 2). */
export class ReflinkPool implements Pool {
	readonly name: string;
	readonly driver = "file-reflink";
	ephemeralVolatile: boolean;
	readonly #options: PoolOptions;
	readonly #bench: Bench;
	readonly #volumes = new Map<string, ImageVolume>();
	/** Of each volume, also of one that is being removed while another of its name is made. */
	readonly #turns = new Map<string, Turns>();
	/** The look that somebody takes at what is shared: who comes meanwhile is told the same. */
	#space: Promise<PoolSpace> | undefined;
	#keep: number;

	constructor({ name, options }: PoolConfig, context: DriverContext) {
		this.name = name;
		this.#options = readOptions(options);
		this.#keep = this.#options.revisionsToKeep;
		this.ephemeralVolatile = this.#options.ephemeralVolatile;
		const { dirPath } = this.#options;
		const journal = new Journal(context);
		const [steps, reflinks] = [new Steps(journal), new Reflinks(dirPath, journal)];
		this.#bench = { dirPath, place: new Place(dirPath), journal, steps, reflinks };
	}

	get revisionsToKeep(): number {
		return this.#keep;
	}

	set revisionsToKeep(keep: number) {
		this.#keep = checkKeep(keep);
	}

	toString(): string {
		return this.name;
	}

	config(): ReadonlyMap<string, string> {
		return new Map([
			["revisions_to_keep", `${this.#keep}`],
			["dir_path", this.#options.dirPath],
			["ephemeral_volatile", this.ephemeralVolatile ? "True" : "False"],
		]);
	}

	async setup(): Promise<void> {
		await setUp(this.#bench, this.#options.checksReflinks).finally(() => this.#bench.steps.closed());
	}

	async destroy(): Promise<void> {
		// All data stay where they are, and nothing of them stays open.
		await this.settled();
	}

	initVolume(owner: VolumeOwner, config: VolumeConfig): Volume {
		const vid = checkConfig(owner, config);
		const parts = { pool: this, vid, config, turns: this.#turns.get(vid) ?? new Turns(), bench: this.#bench };
		const volume = config.source !== undefined ? new SnapshotVolume(parts, this.#ownVolume(config.name, config.source)) : null;
		const made = volume ?? (config.saveOnStop === true ? new OriginVolume(parts) : new VolatileVolume(parts));
		this.#volumes.set(vid, made);
		this.#turns.set(vid, parts.turns);
		return made;
	}

	getVolume(vid: string): Volume {
		const volume = this.#volumes.get(vid);
		if (volume === undefined) throw poolError(`pool ${quote(this.name)} has no volume ${quote(vid)}`);
		return volume;
	}

	findVolume(vid: string): ImageVolume | undefined {
		return this.#volumes.get(vid);
	}

	volumes(): readonly Volume[] {
		return [...this.#volumes.values()];
	}

	usage(): Promise<PoolUsage> {
		return readUsage(this.#options.dirPath);
	}

	space(): Promise<PoolSpace> {
		this.#space ??= readSpace(this.#options.dirPath, [...this.#volumes.values()])
			.catch((thrown) => {
				throw asPoolError(`look at what is shared in pool ${quote(this.name)}`, thrown);
			})
			.finally(() => {
				this.#space = undefined;
			});
		return this.#space;
	}

	strays(): Promise<readonly Stray[]> {
		return findStrays(this.#options.dirPath, (place) => [...this.#turns.keys()].some((vid) => vid.startsWith(`${place}/`)));
	}

	includedIn(others: readonly Pool[]): Promise<Pool | null> {
		return findSurrounding(this.#options.dirPath, others);
	}

	async settled(): Promise<void> {
		while ([...this.#turns.values()].some((turns) => !turns.isIdle)) {
			await Promise.all([...this.#turns.values()].map((turns) => turns.settled()));
		}
	}

	/** When a volume is being removed; one that has taken its place stays. */
	unregister(volume: ImageVolume): void {
		if (this.#volumes.get(volume.vid) === volume) this.#volumes.delete(volume.vid);
		for (const [vid, turns] of this.#turns) if (turns.isIdle && !this.#volumes.has(vid)) this.#turns.delete(vid);
	}

	#ownVolume(name: string, source: Volume): ImageVolume {
		if (source instanceof ImageVolume && source.pool.name === this.name) return source;
		throw poolError(
			`the source of volume ${quote(name)} is in pool ${quote(source.pool.name)}: want one in pool ${quote(this.name)}`,
		);
	}
}
