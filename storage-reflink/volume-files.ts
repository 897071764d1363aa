import type { Bench } from "./bench.ts";
import { asPoolError, errnoOf, poolError, quote } from "./errors.ts";
import { longClones } from "./lanes.ts";
import { type Found, ImageNames } from "./names.ts";
import { listOrEmpty } from "./stats.ts";
import { holdOpen } from "./steps.ts";
import type { Turns } from "./turns.ts";
import type { VolumeParts } from "./volume.ts";

/**
 * The files of one volume, and how an operation goes about them: it takes its turn, looks at the directory, throws StoragePoolExceptions only, and leaves
 * for later what nobody has to wait for.
 */
export abstract class VolumeFiles {
	readonly vid: string;
	readonly names: ImageNames;
	readonly bench: Bench;
	/** As it is named in messages. */
	readonly title: string;
	protected isRemoved = false;
	readonly #turns: Turns;
	readonly #toldOf = new Set<string>();

	constructor({ pool, vid, turns, bench }: VolumeParts) {
		this.vid = vid;
		this.names = new ImageNames(bench.dirPath, vid);
		this.bench = bench;
		this.title = `volume ${quote(vid)} of pool ${quote(pool.name)}`;
		this.#turns = turns;
	}

	/** An operation in its turn, with what there is of the volume. */
	protected change<T>(operation: string, work: (found: Found) => Promise<T>): Promise<T> {
		return this.inTurn(operation, async () => work(await this.look()));
	}

	protected inTurn<T>(operation: string, work: () => Promise<T>): Promise<T> {
		return this.#turns.take(async () => {
			if (this.isRemoved) throw poolError(`cannot ${operation} ${this.title}: it has been removed`);
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
}
