import { poolError, quote } from "./errors.ts";
import { statAtOnce } from "./stats.ts";

/** On which file system the directory of a pool is: it may be unmounted, or a link that leads elsewhere than before. */
export class Place {
	readonly #directory: string;
	/** Of the first operation of the pool. */
	#device: bigint | null = null;

	constructor(directory: string) {
		this.#directory = directory;
	}

	/** At each operation. What is found is used wherever it is, as a device may get another number when it is mounted anew. */
	remember(): void {
		this.#device ??= statAtOnce(this.#directory)?.dev ?? null;
	}

	/** Before something is put where nothing is. Throws a StoragePoolException where the file system is another one than before. */
	requireSame(): void {
		const device = statAtOnce(this.#directory)?.dev;
		if (device !== undefined && device !== this.#device)
			throw poolError(`${quote(this.#directory)} is on another file system than before: is the pool mounted?`);
	}
}
