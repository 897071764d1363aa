import { findOutside, isRpcCode, isServiceCode, isServiceText } from "./charset.ts";
import { FieldError } from "./field-error.ts";
import { columnOfField, isSecondHalf, splitFields } from "./lines.ts";
import { parseAction } from "./parse-action.ts";
import type { Clause } from "./rule.ts";
import { parseToken, type Token, type TokenContext } from "./token.ts";

/** What a line of a policy file says; `line` counts from 1, `field` is the one an error of this line would be about, from 0. */
export type Item =
	| ({ readonly kind: "rule"; readonly line: number; readonly of: ServiceColumns | null } & Clause)
	| {
			readonly kind: "include";
			readonly line: number;
			readonly field: number;
			readonly path: string;
			readonly of: ServiceColumns | null;
	  }
	| { readonly kind: "include-dir"; readonly line: number; readonly field: number; readonly path: string }
	| { readonly kind: "compat"; readonly line: number; readonly field: number }
	| { readonly kind: "error"; readonly line: number; readonly field: number; readonly offset: number; readonly message: string };

/** The first two columns; null means any. In the per-service format they come from whoever includes the file. */
export interface ServiceColumns {
	readonly service: string | null;
	readonly argument: string | null;
}

/**
 * Parses the fields of a line of the five-column format (spec 1.2, 1.3, 1.6):
 * `SERVICE ARGUMENT SOURCE TARGET ACTION [KEY=VALUE…]`, or a directive, or a comment (null). Throws FieldError.
 */
export function parseColumnsLine(fields: readonly string[], line: number): Item | null {
	const first = fields[0];
	if (first === undefined || first.charAt(0) === "#") return null;
	if (first.charAt(0) === "!") return parseDirective(fields, line);
	if (fields.length < 5) {
		throw new FieldError(fields.length, "wrong number of fields: want SERVICE ARGUMENT SOURCE TARGET ACTION");
	}
	const of = parseServiceColumns(fields, 0);
	const { source, target, action } = parseClause(fields, 2);
	return { kind: "rule", line, of, source, target, action };
}

/**
 * Parses a line of the per-service format (spec 2.1): `SOURCE TARGET ACTION [KEY=VALUE…]`, or `!include PATH`, or a comment (null).
 * Throws FieldError.
 */
export function parseServiceLine(text: string, line: number): Item | null {
	// Comments are told before the substitutions, which could make one.
	const start = columnOfField(text, 0) - 1;
	if (start === text.length || text.charAt(start) === "#") return null;
	const readable = substituteLegacy(text);
	return parseServiceFields(splitFields(readable), readable.charAt(start) === "!", line);
}

/** Parses the fields of a line of the per-service format that is no comment. Throws FieldError. */
export function parseServiceFields(fields: readonly string[], isDirective: boolean, line: number): Item {
	if (isDirective) {
		if (fields[0] !== "!include") {
			throw new FieldError(0, `invalid directive "${fields[0]}" in a file for one service: want !include`);
		}
		wantParams(fields, 1, "PATH");
		return { kind: "include", line, field: 1, path: fields[1] as string, of: null };
	}
	if (fields.length < 3) throw new FieldError(fields.length, "wrong number of fields: want SOURCE TARGET ACTION");
	const { source, target, action } = parseClause(fields, 0);
	return { kind: "rule", line, of: null, source, target, action };
}

/** `$include:` and `!include `, `$` and `@`, comma and blank: all of the same length, so that columns stay true (spec 2.1). */
export function substituteLegacy(text: string): string {
	return text.split("$include:").join("!include ").split("$").join("@").split(",").join(" ");
}

function parseDirective(fields: readonly string[], line: number): Item {
	switch (fields[0]) {
		case "!include":
			wantParams(fields, 1, "PATH");
			return { kind: "include", line, field: 1, path: fields[1] as string, of: null };
		case "!include-dir":
			wantParams(fields, 1, "PATH");
			return { kind: "include-dir", line, field: 1, path: fields[1] as string };
		case "!include-service":
			wantParams(fields, 3, "SERVICE ARGUMENT PATH");
			return { kind: "include", line, field: 3, path: fields[3] as string, of: parseServiceColumns(fields, 1) };
		case "!compat-4.0":
			wantParams(fields, 0, "none");
			return { kind: "compat", line, field: 0 };
		default: {
			const hint = "want !include, !include-dir, !include-service or !compat-4.0";
			throw new FieldError(0, `invalid directive "${fields[0]}": ${hint}`);
		}
	}
}

function wantParams(fields: readonly string[], count: number, names: string): void {
	if (fields.length === count + 1) return;
	const field = Math.min(fields.length, count + 1);
	throw new FieldError(field, `invalid number of params of ${fields[0]}: ${fields.length - 1}, want ${names}`);
}

/** Steps 1 and 2 of spec 1.3; those below are of there, too. */
function parseServiceColumns(fields: readonly string[], at: number): ServiceColumns {
	const service = fields[at] as string;
	if (service !== "*" && !isServiceText(service)) refuseOutside("service", service, isServiceCode, at);
	const argument = parseArgument(fields, at + 1);
	if (service !== "*") return { service, argument };
	if (argument !== null) throw new FieldError(at + 1, 'argument must be "*" where the service is "*"');
	return { service: null, argument };
}

/** Step 2: the argument with its `+`, or null for any. Throws FieldError. */
export function parseArgument(fields: readonly string[], at: number): string | null {
	const argument = fields[at] as string;
	if (argument === "*") return null;
	refuseOutside("argument", argument, isRpcCode, at);
	if (argument.charAt(0) !== "+") throw new FieldError(at, `argument "${argument}" does not start with "+"`);
	return argument;
}

/** More of the bad characters tell nothing more. */
const MAX_SHOWN = 8;

function refuseOutside(what: string, text: string, isInside: (code: number) => boolean, field: number): void {
	const first = findOutside(text, isInside);
	if (first < 0) return;
	const bad: string[] = [];
	for (let i = first; i < text.length && bad.length < MAX_SHOWN; i++) {
		if (isInside(text.charCodeAt(i)) || isSecondHalf(text, i)) continue;
		const character = `"${text.slice(i, isSecondHalf(text, i + 1) ? i + 2 : i + 1)}"`;
		if (!bad.includes(character)) bad.push(character);
	}
	throw new FieldError(field, `${what} "${text}" contains invalid characters: ${bad.join(", ")}`, first);
}

/** Steps 3 to 9. */
function parseClause(fields: readonly string[], at: number): Clause {
	const source = parseTokenField(fields, at, "source");
	const target = parseTokenField(fields, at + 1, "target");
	const clause = { source, target, action: parseAction(fields, at + 2) };
	checkClause(clause, at + 2);
	return clause;
}

/** Step 9; `field` is that of the action. Throws FieldError. */
export function checkClause({ target, action }: Clause, field: number): void {
	if (target.kind === "default" && action.type === "allow" && action.target === null) {
		throw new FieldError(field, "allow for @default goes nowhere: add target=QUBE");
	}
}

/** Steps 3 and 4. Throws FieldError. */
export function parseTokenField(fields: readonly string[], at: number, context: TokenContext): Token {
	const token = parseToken(fields[at] as string, context);
	if (typeof token === "string") throw new FieldError(at, token);
	return token;
}
