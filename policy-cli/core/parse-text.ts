import { FieldError } from "./field-error.ts";
import { columnOfField, splitFields, splitLines } from "./lines.ts";
import { type Item, parseColumnsLine, parseServiceLine, substituteLegacy } from "./parse-line.ts";

/** The two formats of policy files: five columns (spec 1), or three columns for one service (spec 2.1). */
export type Format = "columns" | "service";

/**
 * What the lines of a policy file say, up to the first error, which then is the last item; never throws for what is in it.
 *
 * `wanted` leaves out what a call of another service cannot meet: rules of other services, and, when rows are parsed, `!include-service` for another
 * service of a path that was there before (it would say nothing but the same errors again). All is checked all the same. Null returns all.
 */
export function parseText(text: string, format: Format, wanted: string | null): Item[] {
	const items: Item[] = [];
	const lines = splitLines(text);
	for (let i = 0; i < lines.length; i++) {
		try {
			const item = parseLine(lines[i] as string, i + 1, format);
			if (item !== null && isWanted(item, wanted)) items.push(item);
		} catch (error) {
			if (!(error instanceof FieldError)) throw error;
			const { field, offset, message } = error;
			items.push({ kind: "error", line: i + 1, field, offset, message });
			break;
		}
	}
	return items;
}

/** The column (in UTF-16 units, from 1) at which a field of a line starts. */
export function locateField(line: string, format: Format, field: number): number {
	return columnOfField(format === "columns" ? line : substituteLegacy(line), field);
}

function parseLine(text: string, line: number, format: Format): Item | null {
	if (text.charAt(0) === "#") return null;
	return format === "columns" ? parseColumnsLine(splitFields(text), line) : parseServiceLine(text, line);
}

function isWanted(item: Item, wanted: string | null): boolean {
	if (wanted === null || item.kind !== "rule" || item.of === null) return true;
	return item.of.service === null || item.of.service === wanted;
}
