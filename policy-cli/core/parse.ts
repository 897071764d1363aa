import { findOutside, isRpcCode, isServiceCode } from "./charset.ts";
import { FieldError } from "./field-error.ts";
import type { SourceText } from "./files.ts";
import { columnOfField, splitFields, splitLines } from "./lines.ts";
import { parseAction } from "./parse-action.ts";
import type { Clause } from "./rule.ts";
import { parseToken, type Token } from "./token.ts";

/** The two formats of policy files: five columns (spec 1), or three columns for one service (spec 2.1). */
export type Format = "columns" | "service";

/** What a line of a policy file says. A file is parsed up to its first error, which then is its last item. */
export type Item =
	| ({ readonly kind: "rule"; readonly line: number; readonly of: ServiceColumns | null } & Clause)
	| ({ readonly kind: "include"; readonly path: string; readonly of: ServiceColumns | null } & DirectiveLine)
	| ({ readonly kind: "include-dir"; readonly path: string } & DirectiveLine)
	| ({ readonly kind: "compat" } & DirectiveLine)
	| { readonly kind: "error"; readonly line: number; readonly text: string; readonly column: number; readonly message: string };

/** The first two columns; null means any. In the per-service format they come from whoever includes the file. */
export interface ServiceColumns {
	readonly service: string | null;
	readonly argument: string | null;
}

/** A directive's line, kept so that what goes wrong when it is followed can be shown there. */
interface DirectiveLine {
	readonly line: number;
	readonly text: string;
	/** The field that names the file or directory. */
	readonly field: number;
}

/**
 * Parses a policy file; never throws for what is in it.
 * `wanted`: rules of other services are checked, but not returned; null returns all. Only for the five-column format.
 */
export function parsePolicy(source: SourceText, format: Format, wanted: string | null): Item[] {
	const items: Item[] = [];
	const lines = splitLines(source);
	for (let i = 0; i < lines.length; i++) {
		const text = lines[i] as string;
		if (text === "" || text.charCodeAt(0) === 0x23) continue;
		const readable = format === "columns" ? text : substituteLegacy(text);
		try {
			const item =
				format === "columns"
					? parseColumnsLine(text, i + 1, source.plain, wanted)
					: parseServiceLine(text, readable, i + 1, source.plain);
			if (item !== null) items.push(item);
		} catch (error) {
			if (!(error instanceof FieldError)) throw error;
			const column = columnOfField(readable, error.field) + error.offset;
			items.push({ kind: "error", line: i + 1, text, column, message: error.message });
			break;
		}
	}
	return items;
}

/** `SERVICE ARGUMENT SOURCE TARGET ACTION [KEY=VALUE…]`, or a directive, or a comment (null). */
function parseColumnsLine(text: string, line: number, plain: boolean, wanted: string | null): Item | null {
	const fields = splitFields(text, plain);
	const first = fields[0];
	if (first === undefined || first.charAt(0) === "#") return null;
	if (first.charAt(0) === "!") return parseDirective(fields, line, text);
	if (fields.length < 5) {
		throw new FieldError(fields.length, "wrong number of fields: want SERVICE ARGUMENT SOURCE TARGET ACTION");
	}
	const of = parseServiceColumns(fields, 0);
	const { source, target, action } = parseClause(fields, 2);
	if (wanted !== null && of.service !== null && of.service !== wanted) return null;
	return { kind: "rule", line, of, source, target, action };
}

/**
 * `SOURCE TARGET ACTION [KEY=VALUE…]`, or `!include PATH`, or a comment (null).
 * `readable` is `text` with the substitutions of spec 2.1, which say nothing about comments: those are told by `text`.
 */
function parseServiceLine(text: string, readable: string, line: number, plain: boolean): Item | null {
	const start = columnOfField(text, 0) - 1;
	if (start === text.length || text.charAt(start) === "#") return null;
	const fields = splitFields(readable, plain);
	if (readable.charAt(start) === "!") {
		const directive = fields[0] as string;
		if (directive !== "!include") {
			throw new FieldError(0, `invalid directive "${directive}" in a file for one service: want !include`);
		}
		wantParams(fields, 1, "PATH");
		return { kind: "include", path: fields[1] as string, of: null, field: 1, line, text: readable };
	}
	if (fields.length < 3) throw new FieldError(fields.length, "wrong number of fields: want SOURCE TARGET ACTION");
	const { source, target, action } = parseClause(fields, 0);
	return { kind: "rule", line, of: null, source, target, action };
}

/** `$include:` and `!include `, `$` and `@`, comma and blank: all of the same length, so that columns stay true. */
function substituteLegacy(text: string): string {
	return text.split("$include:").join("!include ").split("$").join("@").split(",").join(" ");
}

function parseDirective(fields: readonly string[], line: number, text: string): Item {
	switch (fields[0]) {
		case "!include":
			wantParams(fields, 1, "PATH");
			return { kind: "include", path: fields[1] as string, of: null, field: 1, line, text };
		case "!include-dir":
			wantParams(fields, 1, "PATH");
			return { kind: "include-dir", path: fields[1] as string, field: 1, line, text };
		case "!include-service":
			wantParams(fields, 3, "SERVICE ARGUMENT PATH");
			return { kind: "include", path: fields[3] as string, of: parseServiceColumns(fields, 1), field: 3, line, text };
		case "!compat-4.0":
			wantParams(fields, 0, "none");
			return { kind: "compat", field: 0, line, text };
		default:
			throw new FieldError(0, `invalid directive "${fields[0]}": want !include, !include-dir, !include-service or !compat-4.0`);
	}
}

function wantParams(fields: readonly string[], count: number, names: string): void {
	if (fields.length === count + 1) return;
	const field = Math.min(fields.length, count + 1);
	throw new FieldError(field, `invalid number of params of ${fields[0]}: ${fields.length - 1}, want ${names}`);
}

/** Steps 1 and 2 of spec 1.3. */
function parseServiceColumns(fields: readonly string[], at: number): ServiceColumns {
	const service = fields[at] as string;
	const argument = fields[at + 1] as string;
	if (service !== "*") checkCharacters(at, "service", service, isServiceCode);
	if (argument === "*") return { service: service === "*" ? null : service, argument: null };
	checkCharacters(at + 1, "argument", argument, isRpcCode);
	if (argument.charAt(0) !== "+") throw new FieldError(at + 1, `argument "${argument}" does not start with "+"`);
	if (service === "*") throw new FieldError(at + 1, `argument must be "*" where the service is "*"`);
	return { service, argument };
}

function checkCharacters(field: number, what: string, text: string, isInside: (code: number) => boolean): void {
	const bad = findOutside(text, isInside);
	if (bad >= 0) throw new FieldError(field, `${what} "${text}" contains invalid characters: "${text.charAt(bad)}"`, bad);
}

/** Steps 3 to 9 of spec 1.3. */
function parseClause(fields: readonly string[], at: number): Clause {
	const source = parseTokenField(fields, at, "source");
	const target = parseTokenField(fields, at + 1, "target");
	return { source, target, action: parseAction(fields, at + 2, target) };
}

function parseTokenField(fields: readonly string[], at: number, context: "source" | "target"): Token {
	const token = parseToken(fields[at] as string, context);
	if (typeof token === "string") throw new FieldError(at, token);
	return token;
}
