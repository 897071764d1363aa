import { statOrNull } from "./stats.ts";
import { ImageVolume } from "./volume.ts";

/** Scratch space: empty at each start, nothing at rest (spec 1.3). */
export class VolatileVolume extends ImageVolume {
	override readonly snapOnStart = false;
	override readonly saveOnStop = false;
	override readonly source = null;

	override start(): Promise<void> {
		return this.change("start", async (found) => {
			await this.removeUnfinished(found);
			const size = this.readSize();
			if (found.dirty) await this.freeLater(this.names.dirty);
			await this.bench.steps.replace(this.names.dirty, (temporary) => this.bench.steps.makeSparse(temporary, size));
		});
	}

	/** A size that it was given while it ran stays. A clean image is a leftover of the `file` driver. */
	override stop(): Promise<void> {
		return this.change("stop", async (found) => {
			const dirty = found.dirty ? await statOrNull(this.names.dirty) : null;
			if (dirty !== null) this.nominalSize = Number(dirty.size);
			await this.removeUnfinished(found);
			await this.removeRun(found);
		});
	}

	protected override async resizeAtRest(): Promise<void> {
		// The next start makes it of that size.
	}
}
