/** How much a line of the log matters. */
export type Level = "error" | "warning" | "info";

/** With what the journal tells them apart when it reads our standard error. */
const PREFIXES: { readonly [level in Level]: string } = { error: "<3>", warning: "<4>", info: "<6>" };

/** Writes a line to standard error, where the journal or a terminal takes it; line ends and control characters are escaped. */
export function log(level: Level, text: string): void {
	const prefix = process.env["JOURNAL_STREAM"] === undefined ? "" : PREFIXES[level];
	process.stderr.write(`${prefix}${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')}\n`);
}
