import { escapeControls } from "./escape.ts";

/** A table for people: columns as wide as their widest cell, two spaces between them; the empty text if there are no rows. */
export function renderTable(rows: readonly (readonly string[])[]): string {
	const shown = rows.map((row) => row.map(escapeControls));
	const widths: number[] = [];
	for (const row of shown) {
		row.forEach((cell, index) => {
			widths[index] = Math.max(widths[index] ?? 0, cell.length);
		});
	}
	return shown.map((row) => `${renderRow(row, widths)}\n`).join("");
}

function renderRow(row: readonly string[], widths: readonly number[]): string {
	return row
		.map((cell, index) => cell.padEnd(widths[index] ?? 0))
		.join("  ")
		.trimEnd();
}

/** A value as JSON for programs, with a line end. */
export function renderJson(value: unknown): string {
	return `${JSON.stringify(value, null, 2)}\n`;
}
