import type { DriverContext } from "../admin-core/model/storage/contract.ts";
import { quote } from "./errors.ts";

const LOGGER = "qubes.storage.reflink";

/** The log of all that changes in the tree, a line for each change after it has happened (spec section 8). Paths are quoted: no name forges a line. */
export class Journal {
	readonly #log: DriverContext["log"];

	constructor({ log }: DriverContext) {
		this.#log = log;
	}

	madeDirectory(directory: string): void {
		this.#info(`created directory ${quote(directory)}`);
	}

	removedDirectory(directory: string): void {
		this.#info(`removed empty directory ${quote(directory)}`);
	}

	madeSparse(file: string, size: number): void {
		this.#info(`created sparse file ${quote(file)} of ${size} bytes`);
	}

	reflinked(from: string, to: string, size: number, milliseconds: number): void {
		this.#info(`reflinked ${quote(from)} to ${quote(to)}: ${size} bytes in ${Math.round(milliseconds)} ms`);
	}

	/** `reason` is what prevented the reflink: the errno. */
	copying(from: string, to: string, size: number, reason: string): void {
		this.#info(`copying ${quote(from)} to ${quote(to)}: ${size} bytes, as they cannot be shared: ${reason}`);
	}

	progress(from: string, to: string, done: number, size: number): void {
		this.#info(`still copying ${quote(from)} to ${quote(to)}: at ${done} of ${size} bytes`);
	}

	copied(from: string, to: string, size: number, milliseconds: number, reason: string): void {
		this.#info(`copied ${quote(from)} to ${quote(to)}: ${size} bytes in ${Math.round(milliseconds)} ms (${reason})`);
	}

	linked(from: string, to: string): void {
		this.#info(`hard-linked ${quote(from)} to ${quote(to)}`);
	}

	renamed(from: string, to: string): void {
		this.#info(`renamed ${quote(from)} to ${quote(to)}`);
	}

	removed(file: string): void {
		this.#info(`removed ${quote(file)}`);
	}

	resized(file: string, before: number, after: number): void {
		this.#info(`resized ${quote(file)} from ${before} to ${after} bytes`);
	}

	setCapacity(device: string): void {
		this.#info(`set the capacity of ${device} to that of its image`);
	}

	warn(line: string): void {
		this.#log("warning", `${LOGGER}: ${line}`);
	}

	#info(line: string): void {
		this.#log("info", `${LOGGER}: ${line}`);
	}
}
