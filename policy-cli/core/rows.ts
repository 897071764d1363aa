import { isServiceText } from "./charset.ts";
import { splitFields } from "./lines.ts";

/**
 * What a plain text says, line by line, without its comments and empty lines: three lists of the same length. `lines` are the
 * numbers of the lines, from 1; `heads` their first fields; `rests` all other fields of each, with one blank between two.
 */
export interface Rows {
	readonly lines: readonly number[];
	readonly heads: readonly string[];
	readonly rests: readonly string[];
	/**
	 * Whether what stands for a service is one or `*`: what follows `!include-service`, and each head from `+` on (before that are directives,
	 * `*`, and what is wrong anyway). It is found out here because in QuickJS it would take as long as all the rest.
	 */
	readonly areServices: boolean;
}

/** Whether text is printable ASCII, tabs and line feeds only. */
export function isPlain(text: string): boolean {
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if ((code < 0x20 && code !== 0x09 && code !== 0x0a) || code > 0x7e) return false;
	}
	return true;
}

/** The rows of a text, null if it is not plain; `../native/rows.c` is the same in C. */
export function splitRows(text: string): Rows | null {
	if (!isPlain(text)) return null;
	const lines: number[] = [];
	const heads: string[] = [];
	const rests: string[] = [];
	let areServices = true;
	text.split("\n").forEach((line, index) => {
		const [head, ...rest] = splitFields(line);
		if (head === undefined || head.charAt(0) === "#") return;
		if (!hasService(head, rest[0])) areServices = false;
		lines.push(index + 1);
		heads.push(head);
		rests.push(rest.join(" "));
	});
	return { lines, heads, rests, areServices };
}

function hasService(head: string, next: string | undefined): boolean {
	if (head >= "+") return isServiceText(head);
	return head !== "!include-service" || next === undefined || next === "*" || isServiceText(next);
}
