import type { CallChanges } from "../api/dispatch.ts";
import { log } from "../log.ts";
import { AdminError } from "../model/errors.ts";
import { StoreError } from "../store/errors.ts";
import type { StoreFile } from "../store/store-file.ts";
import type { Loaded } from "./load-app.ts";
import { type Picture, takePicture } from "./picture.ts";
import { restoreApp } from "./restore-app.ts";

/** A call that has begun and not ended. */
interface RunningCall {
	/** Why what it has changed was taken back; null where it was not. */
	failure: unknown;
}

/** A call that waits for its changes to be in the file. */
interface Waiting {
	readonly call: RunningCall;
	readonly resolve: () => void;
	readonly reject: (failure: unknown) => void;
}

/**
 * Saves what calls change, and when that fails, brings the app back to what the file says (docs/store.md, "When a save fails").
 *
 * Calls run at the same time, so one file has the changes of several: those that come while it is written wait for the next one. When a save fails,
 * all that was changed since the last good one is taken back, and every call that was under way fails, as some of it may have been its own.
 */
export class Saver {
	private readonly store: StoreFile;
	private readonly loaded: Loaded;
	/** The app as it is in the file. */
	private saved: Picture;
	/** Those that may change something. */
	private readonly calls = new Set<RunningCall>();
	private waiting: Waiting[] = [];
	/** Ends when nobody waits any more; null when nobody does. */
	private writing: Promise<void> | null = null;

	/** `loaded` is what was loaded from the store. */
	constructor(store: StoreFile, loaded: Loaded) {
		this.store = store;
		this.loaded = loaded;
		this.saved = takePicture(loaded);
	}

	/** To be called before a call changes anything. */
	begin(): CallChanges {
		const call: RunningCall = { failure: null };
		this.calls.add(call);
		return { save: () => this.save(call), end: () => void this.calls.delete(call) };
	}

	/** Saves what was changed beside all calls, if there is something, and waits for what is being saved. Never rejects. */
	async close(): Promise<void> {
		if (this.loaded.app.isUnsaved)
			await this.begin()
				.save()
				.catch((error) => log("error", String(error)));
		while (this.writing !== null) await this.writing;
	}

	private async save(call: RunningCall): Promise<void> {
		if (call.failure !== null) {
			// What it has changed since is taken back too, unless that of others would be as well.
			if (this.calls.size === 1 && this.writing === null) await restoreApp(this.loaded, this.saved);
			throw call.failure;
		}
		await new Promise<void>((resolve, reject) => {
			this.waiting.push({ call, resolve, reject });
			this.writing ??= this.writeAll();
		});
	}

	private async writeAll(): Promise<void> {
		while (this.waiting.length > 0) {
			const batch = this.waiting.splice(0);
			try {
				await this.write();
				for (const { resolve } of batch) resolve();
			} catch (error) {
				this.fail(batch, error);
			}
		}
		this.writing = null;
	}

	private async write(): Promise<void> {
		const picture = takePicture(this.loaded);
		try {
			await this.store.save(picture.data);
			this.saved = picture;
		} catch (error) {
			if (isInPlace(error)) this.saved = picture;
			throw error;
		}
	}

	/** Who waits is told when all handlers know of it, which nobody else has to wait for. */
	private fail(batch: readonly Waiting[], error: unknown): void {
		if (isInPlace(error)) {
			for (const { reject } of batch) reject(failureOf(error));
			return;
		}
		const failure = failureOf(error);
		const losers = [...batch, ...this.waiting.splice(0)];
		for (const call of this.calls) call.failure ??= failure;
		void restoreApp(this.loaded, this.saved)
			.catch((thrown) => log("error", `what could not be saved cannot be taken back: ${String(thrown)}`))
			.then(() => {
				for (const { reject } of losers) reject(failure);
			});
	}
}

/** The one case in which a save fails and the new file is there. */
function isInPlace(error: unknown): error is StoreError {
	return error instanceof StoreError && error.isInPlace;
}

/** What the clients are told; a defect stays what it is. */
function failureOf(error: unknown): unknown {
	if (!(error instanceof StoreError)) return error;
	const what = error.isInPlace ? "changed, but it may not last" : "not changed, as it cannot be saved";
	return new AdminError("QubesException", `${what}: ${error.message}`);
}
