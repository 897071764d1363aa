import { FieldError } from "./field-error.ts";
import type { SourceText } from "./files.ts";
import { columnOfField, splitFields, splitLines } from "./lines.ts";
import { type Item, parseColumnsLine, parseServiceLine, substituteLegacy } from "./parse-line.ts";
import { parseQuickly } from "./parse-quickly.ts";

/** The two formats of policy files: five columns (spec 1), or three columns for one service (spec 2.1). */
export type Format = "columns" | "service";

/** A policy file, and what its lines say up to the first error, which then is the last item. */
export interface ParsedFile {
	readonly source: SourceText;
	readonly format: Format;
	readonly items: readonly Item[];
}

/**
 * Parses a policy file; never throws for what is in it.
 *
 * `wanted` leaves out what a call of another service cannot meet: rules of other services, and `!include-service` for another service
 * of a path that was there before (it would say nothing but the same errors again). All is checked all the same. Null returns all.
 */
export function parsePolicy(source: SourceText, format: Format, wanted: string | null): ParsedFile {
	const quick = source.plain && format === "columns" ? parseQuickly(source.text, wanted) : null;
	return { source, format, items: quick ?? parseExactly(source, format, wanted) };
}

/** The text of a line, and the column (from 1) at which a field of it starts. */
export function locateField({ source, format }: ParsedFile, line: number, field: number): { text: string; column: number } {
	const text = splitLines(source)[line - 1] as string;
	return { text, column: columnOfField(format === "columns" ? text : substituteLegacy(text), field) };
}

function parseExactly(source: SourceText, format: Format, wanted: string | null): Item[] {
	const items: Item[] = [];
	const lines = splitLines(source);
	for (let i = 0; i < lines.length; i++) {
		const text = lines[i] as string;
		if (text.charCodeAt(0) === 0x23) continue;
		const line = i + 1;
		try {
			const item = format === "columns" ? parseColumnsLine(splitFields(text), line) : parseServiceLine(text, line);
			if (item !== null && isWanted(item, wanted)) items.push(item);
		} catch (error) {
			if (!(error instanceof FieldError)) throw error;
			const { field, offset, message } = error;
			items.push({ kind: "error", line, field, offset, message });
			break;
		}
	}
	return items;
}

function isWanted(item: Item, wanted: string | null): boolean {
	if (wanted === null || item.kind !== "rule" || item.of === null) return true;
	return item.of.service === null || item.of.service === wanted;
}
