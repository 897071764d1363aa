// Images whose content is one letter in their first 8 KiB and zeros after that; "∅" has no data.
import fs from "node:fs";

export const MIB = 1024 * 1024;
const LETTER_BYTES = 8192;

/** Writes a letter into an image as a guest would. */
export function write(image: string, letter: string): void {
	const file = fs.openSync(image, "r+");
	fs.writeSync(file, Buffer.alloc(LETTER_BYTES, letter), 0, LETTER_BYTES, 0);
	fs.closeSync(file);
}

/** The letter of an image; `A+B` where it has more than one, so that it is of no single state. */
export function read(image: string): string {
	return contentOf(fs.readFileSync(image));
}

export function contentOf(bytes: Buffer): string {
	const head = bytes.subarray(0, LETTER_BYTES);
	const letters = [...new Set(head)].map((byte) => (byte === 0 ? "∅" : String.fromCharCode(byte)));
	const rest = bytes.subarray(LETTER_BYTES);
	if (letters.length > 1 || !rest.equals(Buffer.alloc(rest.length))) return [...letters, "…"].join("+");
	return letters[0] ?? "∅";
}

/** Makes an image with a letter by other hands than the driver's. */
export function make(image: string, letter: string, size = MIB, mode = 0o600): void {
	fs.writeFileSync(image, "", { mode });
	fs.chmodSync(image, mode);
	fs.truncateSync(image, size);
	if (letter !== "∅") write(image, letter);
}

/** What this process has open at and below a directory. */
export function openFiles(directory: string): string[] {
	return fs.readdirSync("/proc/self/fd").flatMap((fd) => {
		try {
			return [fs.readlinkSync(`/proc/self/fd/${fd}`)].filter((file) => file.startsWith(directory));
		} catch {
			return [];
		}
	});
}
