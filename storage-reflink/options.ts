import path from "node:path";
import { quote, valueError } from "./errors.ts";

/** What a pool is told (spec section 2). */
export interface PoolOptions {
	/** Absolute and normalised; links in it are kept. */
	readonly dirPath: string;
	readonly revisionsToKeep: number;
	readonly ephemeralVolatile: boolean;
	/** Whether `setup` refuses a file system without reflinks. */
	readonly checksReflinks: boolean;
}

const TRUE = ["1", "yes", "true", "on"];
const FALSE = ["0", "no", "false", "off"];

/** Reads the options as they stand in qubes.xml or in `admin.pool.Add`. Throws a QubesValueError that names the option. */
export function readOptions(options: ReadonlyMap<string, string>): PoolOptions {
	const keep = options.get("revisions_to_keep");
	const ephemeral = options.get("ephemeral_volatile");
	return {
		dirPath: readDirPath(options.get("dir_path") ?? ""),
		revisionsToKeep: keep === undefined ? 1 : readKeep(keep),
		// The original takes no text for false here.
		ephemeralVolatile: ephemeral === undefined || ephemeral === "" ? false : readBoolean("ephemeral_volatile", ephemeral),
		checksReflinks: readBoolean("setup_check", options.get("setup_check") ?? "yes"),
	};
}

/** Returns a number of revisions that can be kept: whole, -1 or more. */
export function checkKeep(keep: number): number {
	if (Number.isSafeInteger(keep) && keep >= -1) return keep;
	throw valueError(`invalid revisions_to_keep ${keep}: want a whole number from -1`);
}

/** Returns a size that a volume can have. */
export function checkSize(size: number): number {
	if (Number.isSafeInteger(size) && size >= 0) return size;
	throw valueError(`invalid size ${size}: want a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}`);
}

function readKeep(text: string): number {
	if (!/^-?[0-9]{1,19}$/.test(text)) throw valueError(`invalid revisions_to_keep ${quote(text)}: want a whole number from -1`);
	return checkKeep(Number(text));
}

function readBoolean(name: string, text: string): boolean {
	const word = text.toLowerCase();
	if (TRUE.includes(word)) return true;
	if (FALSE.includes(word)) return false;
	throw valueError(`invalid ${name} ${quote(text)}: want one of ${[...TRUE, ...FALSE].join(", ")}`);
}

/** A relative path would mean another place with each working directory of the daemon. */
function readDirPath(text: string): string {
	if (!path.isAbsolute(text) || text.includes("\0")) throw valueError(`invalid dir_path ${quote(text)}: want an absolute path`);
	return path.resolve(text);
}
