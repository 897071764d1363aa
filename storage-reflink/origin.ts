import type { BigIntStats } from "node:fs";
import type { OnProgress, Volume } from "../admin-core/model/storage/contract.ts";
import { commit, prepareStart, putInPlace } from "./commit.ts";
import { copy, copyInto } from "./copy.ts";
import { poolError, quote } from "./errors.ts";
import type { Found } from "./names.ts";
import { checkSize } from "./options.ts";
import { isStale, removePrecache } from "./precache.ts";
import { findRevision, preserveClean, readRevisions } from "./revisions.ts";
import { isUnwritten, statAtOnce, statOrNull } from "./stats.ts";
import { allToTheEnd } from "./steps.ts";
import { takeBack } from "./undo-start.ts";
import { ImageVolume } from "./volume.ts";

/** Keeps the state of each run: root of templates, private (spec 1.3). Its clean image is never written to, but replaced. */
export class OriginVolume extends ImageVolume {
	override readonly snapOnStart = false;
	override readonly saveOnStop = true;
	override readonly source = null;
	/** Of the import that is open; null if none is. */
	#importSize: number | null = null;
	/** The dirty image as the last start made it; null if that resumed one. */
	#started: BigIntStats | null = null;

	override get revisions(): ReadonlyMap<string, string> {
		return this.glance(() => new Map(readRevisions(this.names).map(({ id, time }) => [`${id}`, time])), new Map());
	}

	override isDirty(): boolean {
		return this.glance(() => this.#hasDirty(), true);
	}

	/** A dirty image that a crash has left is resumed. An open import is cancelled. */
	override start(): Promise<void> {
		return this.inTurn("start", async () => {
			this.#importSize = null;
			this.#started = null;
			if (!this.#isPrepared()) return this.#startUnprepared();
			await this.bench.steps.rename(this.names.precache, this.names.dirty);
			this.#started = statAtOnce(this.names.dirty);
			this.later("remove leftovers", async () => this.removeUnfinished(await this.look()));
		});
	}

	override stop(): Promise<void> {
		return this.inTurn("stop", () => this.#keepRun());
	}

	/** What was written to is kept as by a stop, and a run that was resumed stays as it was. */
	undoStart(): Promise<void> {
		return this.change("undo the start of", async (found) => {
			if (!found.dirty || this.#started === null) return;
			// Without a clean image, as where snapshots are disabled, a stop makes no revision.
			if (found.clean && isUnwritten(this.#started, statAtOnce(this.names.dirty))) await takeBack(this);
			else await this.#keepRun();
		});
	}

	override export(): Promise<string> {
		return this.orPoolError("read", async () => {
			await this.verify();
			if (statAtOnce(this.names.clean) !== null) return this.names.clean;
			throw poolError(
				`cannot read ${this.title}: it has no ${quote(this.names.clean)} while it is running with snapshots disabled`,
			);
		});
	}

	override importData(size: number): Promise<string> {
		return this.change("import data into", async (found) => {
			checkSize(size);
			this.#checkReplaceable("import data into", found);
			await this.removeUnfinished(found);
			const { importing, directory } = this.names;
			await this.#orRemoveImport(() =>
				this.bench.steps.inDirectory(directory, () => this.bench.steps.makeSparse(importing, size)),
			);
			this.#importSize = size;
			return importing;
		});
	}

	override async importDataEnd(isSuccess: boolean): Promise<void> {
		if (!isSuccess && this.#importSize === null) return;
		await this.inTurn("end the import into", async () => {
			const size = this.#importSize;
			// Whatever happens now, it is over.
			this.#importSize = null;
			if (size === null)
				throw poolError(`cannot end the import into ${this.title}: none is open; a start or a removal cancels it`);
			await this.#orRemoveImport(async () => {
				if (!isSuccess) return this.bench.steps.remove(this.names.importing);
				await this.#checkImport(size);
				const { importing } = this.names;
				await commit(this, importing, await this.look(), this.bench.steps.flush(importing));
			});
		});
	}

	/** Only this volume is locked, so that two can be cloned into one another. */
	override importVolume(source: Volume, onProgress?: OnProgress): Promise<void> {
		return this.change("clone into", async (found) => {
			this.#checkReplaceable("clone into", found);
			await this.removeUnfinished(found);
			await this.#orRemoveImport(async () => {
				await this.#copyFrom(source, onProgress);
				const { importing } = this.names;
				await commit(this, importing, found, this.bench.steps.complete(importing, {}));
			});
		});
	}

	override revert(revision?: string): Promise<void> {
		return this.change("revert", async (found) => {
			this.#checkReplaceable("revert", found);
			const { path } = findRevision(this, revision);
			await putInPlace(this, path, found, this.revisionsToKeep !== 0, this.bench.steps.flush(path));
			if (this.revisionsToKeep === 0)
				this.bench.journal.warn(`the state of ${this.title} before the revert is lost: it keeps no revisions`);
			prepareStart(this);
		});
	}

	protected override async createImage(): Promise<void> {
		const { steps } = this.bench;
		await steps.replace(this.names.clean, (temporary) => steps.makeSparse(temporary, this.nominalSize));
		prepareStart(this);
	}

	protected override missingImage(): string | null {
		return statAtOnce(this.names.clean) !== null || this.#hasDirty() ? null : this.names.clean;
	}

	/** What was before a shrink is kept as a revision: its end is lost otherwise. */
	protected override async resizeAtRest(size: number, found: Found): Promise<void> {
		this.#refuseBusy("resize", found);
		const clean = await statOrNull(this.names.clean);
		if (clean === null) throw poolError(`cannot resize ${this.title}: there is no ${quote(this.names.clean)}`);
		const before = Number(clean.size);
		if (size === before) return;
		await removePrecache(this, found);
		prepareStart(this);
		if (size < before && this.revisionsToKeep >= 1) await preserveClean(this, found);
		else await this.freeLater(this.names.clean);
		await copy(this.bench, this.names.clean, this.names.clean, { size });
		this.bench.journal.resized(this.names.clean, before, size);
	}

	protected override async removeImages(found: Found): Promise<void> {
		this.#importSize = null;
		await super.removeImages(found);
	}

	#hasDirty(): boolean {
		return statAtOnce(this.names.dirty) !== null;
	}

	/** Whether there is nothing to do but to rename the precache. */
	#isPrepared(): boolean {
		const { dirty, importing } = this.names;
		if (this.revisionsToKeep === -1 || isStale(this.names)) return false;
		return statAtOnce(dirty) === null && statAtOnce(importing) === null;
	}

	async #startUnprepared(): Promise<void> {
		const found = await this.look();
		await this.removeUnfinished(found);
		if (found.dirty) return;
		this.#refuseMissing("start", found);
		if (this.revisionsToKeep === -1) await this.#startWithoutSnapshots(found);
		else if (isStale(this.names)) await this.#startFromClean(found);
		else await this.bench.steps.rename(this.names.precache, this.names.dirty);
		this.#started = statAtOnce(this.names.dirty);
	}

	async #startFromClean(found: Found): Promise<void> {
		const { clean, dirty } = this.names;
		if (found.precache)
			this.bench.journal.warn(`${quote(clean)} has been changed by other hands: what was prepared for the next start is removed`);
		await removePrecache(this, found);
		await copy(this.bench, clean, dirty);
	}

	/** Revisions only go when it is certain that there is something to start with. */
	async #startWithoutSnapshots(found: Found): Promise<void> {
		await this.#runOnClean();
		const old = [...found.revisions.map(({ path }) => path), this.names.precache];
		for (const file of old) await this.freeLater(file);
		await this.bench.steps.remove(...old);
	}

	/** The clean image is what the run writes to, unless it has another name: a snapshot volume that was started from it must not change. */
	async #runOnClean(): Promise<void> {
		const { clean, dirty } = this.names;
		if (statAtOnce(clean)?.nlink === 1n) return this.bench.steps.rename(clean, dirty);
		await copy(this.bench, clean, dirty);
		await this.bench.steps.remove(clean);
	}

	/** The image is written down while it is looked what else there is. */
	async #keepRun(): Promise<void> {
		const written = this.#hasDirty() ? this.bench.steps.flush(this.names.dirty) : Promise.resolve();
		await allToTheEnd(written, this.#stopWhen(written));
	}

	/** An open import goes on. */
	async #stopWhen(written: Promise<void>): Promise<void> {
		const found = await this.look();
		await this.removeUnfinished(this.#importSize === null ? found : { ...found, importing: false });
		if (found.dirty) await commit(this, this.names.dirty, found, written);
	}

	#refuseBusy(operation: string, found: Found): void {
		if (found.dirty) throw poolError(`cannot ${operation} ${this.title}: it was not cleanly stopped`);
		if (this.#importSize !== null)
			throw poolError(
				`cannot ${operation} ${this.title}: an import into it is in progress; start and stop the qube if it was broken off`,
			);
	}

	/** Whether something can take the place of the clean image. Of one that was deleted, the precache is all that is left. */
	#checkReplaceable(operation: string, found: Found): void {
		this.#refuseBusy(operation, found);
		if (found.clean) return;
		const [lost, left] = [quote(this.names.clean), quote(this.names.precache)];
		if (found.precache)
			throw poolError(
				`cannot ${operation} ${this.title}: there is no ${lost}, but ${left}, which is the same: give it that name first`,
			);
		this.bench.place.requireSame();
	}

	#refuseMissing(operation: string, { clean }: Found): void {
		if (!clean) throw poolError(`cannot ${operation} ${this.title}: there is no ${quote(this.names.clean)}`);
	}

	async #checkImport(size: number): Promise<void> {
		const stat = await statOrNull(this.names.importing);
		if (stat === null) throw poolError(`cannot end the import into ${this.title}: there is no ${quote(this.names.importing)}`);
		if (stat.size !== BigInt(size))
			throw poolError(`cannot end the import into ${this.title}: it has ${stat.size} bytes: want ${size}`);
	}

	async #copyFrom(source: Volume, onProgress?: OnProgress): Promise<void> {
		const path = await source.export();
		try {
			const before = await statOrNull(path);
			await copyInto(this.bench, path, this.names.importing, onProgress);
			// Without snapshots the image does not stay as it was: what we have may be half of a run.
			const isWritten = source.isDirty() || !isUnwritten(before, await statOrNull(path));
			if (source.revisionsToKeep === -1 && isWritten)
				throw poolError(`cannot clone volume ${quote(source.vid)}: it was started meanwhile`);
		} finally {
			await source.exportEnd(path);
		}
	}

	/** Until a commit has taken it, an import that fails is removed. */
	async #orRemoveImport<T>(work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (thrown) {
			await this.bench.steps.remove(this.names.importing).catch(() => undefined);
			throw thrown;
		}
	}
}
