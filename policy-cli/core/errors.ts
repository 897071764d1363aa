import { BaseError } from "./base-error.ts";
import { isInnocent } from "./charset.ts";
import { isSecondHalf } from "./lines.ts";
import type { Reason } from "./reasons.ts";

/** A place in a policy file. `line` and `column` start at 1, columns count characters; `line` is null where the file as a whole is meant. */
export interface Location {
	readonly file: string;
	readonly line: number | null;
	readonly column: number | null;
	/** The text of the line, for the caret; null where there is no line. */
	readonly text: string | null;
}

/**
 * The policy could not be loaded, so every call is denied (spec 3.3).
 * `reason` tells what kind of failure: `syntax-error`, `invalid-filename` or `load-error`.
 */
export class PolicyLoadError extends BaseError {
	readonly reason: Reason;
	/** What is wrong, without the place. */
	readonly detail: string;
	readonly at: Location | null;

	constructor(reason: Reason, detail: string, at: Location | null) {
		super(at === null ? detail : `${formatPlace(at)}: ${detail}`);
		this.reason = reason;
		this.detail = detail;
		this.at = at;
	}
}

/** The system information lacks or garbles something that is needed (spec 4, Q57). */
export class DataError extends BaseError {}

/** `FILE:LINE:COLUMN`, or as much of it as is known; the original has no column (spec 1.3). */
export function formatPlace(at: Location): string {
	if (at.line === null) return at.file;
	return at.column === null ? `${at.file}:${at.line}` : `${at.file}:${at.line}:${at.column}`;
}

/** The line of a location with a caret under its column, indented by two; empty where there is no line. */
export function formatCaret(at: Location): string {
	if (at.text === null || at.column === null) return "";
	let margin = "";
	for (let i = 0, left = at.column - 1; left > 0 && i < at.text.length; i++) {
		if (isSecondHalf(at.text, i)) continue;
		margin += at.text.charAt(i) === "\t" ? "\t" : " ";
		left--;
	}
	return `  ${escapeControls(at.text, "\t")}\n  ${margin}^\n`;
}

/**
 * Writes control characters, line separators and direction marks as `\xNN` or `\uNNNN`, and a backslash twice, so that
 * no name can forge a line of a log or of the terminal. `keep` is a character that is left alone.
 */
export function escapeControls(text: string, keep = ""): string {
	if (isInnocent(text)) return text;
	let out = "";
	let from = 0;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code >= 0x20 && code < 0x7f && code !== 0x5c) continue;
		const escaped = escapeCode(code);
		if (escaped === null || text.charAt(i) === keep) continue;
		out += text.slice(from, i) + escaped;
		from = i + 1;
	}
	return out + text.slice(from);
}

function escapeCode(code: number): string | null {
	if (code === 0x5c) return "\\\\";
	if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return `\\x${hex(code, 2)}`;
	const hidden =
		(code >= 0x200b && code <= 0x200f) ||
		(code >= 0x2028 && code <= 0x202e) ||
		(code >= 0x2066 && code <= 0x2069) ||
		(code >= 0xd800 && code <= 0xdfff) ||
		code === 0x61c ||
		code === 0xfeff;
	return hidden ? `\\u${hex(code, 4)}` : null;
}

/** Lower-case hexadecimal digits of a code, filled up with zeros. */
export function hex(code: number, digits: number): string {
	let text = code.toString(16);
	while (text.length < digits) text = `0${text}`;
	return text;
}
