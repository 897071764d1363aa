import type { BigIntStats } from "node:fs";
import { copy, linkOrCopy } from "./copy.ts";
import { poolError, quote } from "./errors.ts";
import { isSameFile, isSameTime, isUnwritten, statAtOnce } from "./stats.ts";
import { ImageVolume, type VolumeParts } from "./volume.ts";

/** Begins each run as the committed state of its source, and forgets the run (spec 1.3). Its clean image is that of the source as of the start. */
export class SnapshotVolume extends ImageVolume {
	override readonly snapOnStart = true;
	override readonly saveOnStop = false;
	readonly #source: ImageVolume;

	constructor(parts: VolumeParts, source: ImageVolume) {
		super(parts);
		this.#source = source;
	}

	/** Its settings are those of the object that is registered now. */
	override get source(): ImageVolume {
		return this.pool.findVolume(this.#source.vid) ?? this.#source;
	}

	/**
	 * By the file, not by its time: a revert goes back in time (spec section 4). Where the file could not be linked, size and time tell, to the
	 * microsecond, for the original driver is not more exact.
	 */
	override isOutdated(): boolean | null {
		return this.glance(() => {
			const own = statAtOnce(this.names.clean);
			const source = statAtOnce(this.source.names.clean);
			if (own === null || source === null) return false;
			if (isSameFile(own, source)) return false;
			return own.nlink > 1n || own.size !== source.size || !isSameTime(own.mtimeNs, source.mtimeNs);
		}, null);
	}

	override start(): Promise<void> {
		return this.change("start", async (found) => {
			const missing = this.missingImage();
			if (missing !== null) throw poolError(`cannot start ${this.title}: there is no ${quote(missing)}`);
			await this.removeUnfinished(found);
			await this.removeRun(found);
			const before = statAtOnce(this.source.names.clean);
			try {
				await this.#takeSource();
				// Of our own image, so that both are of one moment, whatever the source commits meanwhile.
				await copy(this.bench, this.names.clean, this.names.dirty);
				this.#refuseWrittenSource(before);
			} catch (thrown) {
				await this.bench.steps.remove(this.names.dirty, this.names.clean).catch(() => undefined);
				throw thrown;
			}
			this.nominalSize = this.size;
		});
	}

	override stop(): Promise<void> {
		return this.change("stop", async (found) => {
			await this.removeUnfinished(found);
			await this.removeRun(found);
		});
	}

	protected override missingImage(): string | null {
		const { clean } = this.source.names;
		return statAtOnce(clean) === null ? clean : null;
	}

	protected override async resizeAtRest(): Promise<void> {
		throw poolError(`cannot resize ${this.title}: it begins each run as ${this.source.title}, which is what has to be resized`);
	}

	async #takeSource(): Promise<void> {
		const from = this.source.names.clean;
		const { clean, directory } = this.names;
		await this.bench.steps.inDirectory(directory, () => linkOrCopy(this.bench, from, clean));
	}

	/** A source without snapshots has no committed state while it runs: what we have may be half of its run. */
	#refuseWrittenSource(before: BigIntStats | null): void {
		if (this.source.revisionsToKeep !== -1) return;
		if (!isUnwritten(before, statAtOnce(this.source.names.clean)))
			throw poolError(`cannot start ${this.title}: ${this.source.title} was started meanwhile, with snapshots disabled`);
	}
}
