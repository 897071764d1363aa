import { UsageError } from "./errors.ts";

/** The values of an option that is given as NAME=VALUE; of two with the same name the last one counts. Throws UsageError. */
export function parsePairs(option: string, pairs: readonly string[]): Map<string, string> {
	return new Map(pairs.map((pair) => parsePair(option, pair)));
}

/** One value of such an option. Throws UsageError. */
export function parsePair(option: string, pair: string): [name: string, value: string] {
	const at = pair.indexOf("=");
	if (at < 1) throw new UsageError(`invalid --${option} "${pair}": want NAME=VALUE`);
	return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Lines of KEY=VALUE, as the daemon tells of pools and volumes (spec 8.5, 8.6), in its order. */
export function parseLines(reply: string): Map<string, string> {
	const lines = reply.split("\n").filter((line) => line.includes("="));
	return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** What is a text, even if it looks like a number. */
const TEXTS = ["name", "driver", "dir_path", "included_in", "pool", "vid", "source", "path"];

/** Such lines in terms of JSON: whole numbers, truth values, null for nothing. */
export function decodeLines(lines: ReadonlyMap<string, string>): { [key: string]: string | number | boolean | null } {
	return Object.fromEntries([...lines].map(([key, text]) => [key, TEXTS.includes(key) ? text || null : decode(text)]));
}

function decode(text: string): string | number | boolean | null {
	if (text === "") return null;
	if (text === "True" || text === "False") return text === "True";
	return /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}
