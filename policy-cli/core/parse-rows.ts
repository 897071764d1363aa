import { FieldError } from "./field-error.ts";
import { parseAction } from "./parse-action.ts";
import { checkClause, type Item, parseArgument, parseColumnsLine, parseServiceFields, parseTokenField } from "./parse-line.ts";
import type { Rows } from "./rows.ts";
import type { Action, Clause } from "./rule.ts";
import type { Token } from "./token.ts";

/**
 * Parses the rows of plain texts, with the same result as `parseText` (parse-text.ts), or null where one is wrong, which that then finds.
 * This is what the time of a call is spent on. In QuickJS each call of a function is dear, so nothing is done twice:
 * a row is taken apart from the left, and each rest that was seen before is known.
 */
export class RowParser {
	private readonly rules = new Map<string, KnownRule>();
	private readonly clauses = new Map<string, Clause>();
	private readonly sources = new Map<string, Token>();
	private readonly targets = new Map<string, Token>();
	private readonly actions = new Map<string, Action>();

	/** The items of the five-column format; for `wanted` see `parseText`. */
	parseColumns({ lines, heads, rests, areServices }: Rows, wanted: string | null): Item[] | null {
		if (!areServices) return null;
		const items: Item[] = [];
		const paths = new Set<string>();
		try {
			for (let i = 0; i < lines.length; i++) {
				const line = lines[i] as number;
				const head = heads[i] as string;
				const rest = rests[i] as string;
				if (head === "!include-service") {
					const fields = rest.split(" ");
					const service = fields[0] as string;
					const path = fields[2] as string;
					if (fields.length === 3 && fields[1] === "*" && service !== "*") {
						if (service !== wanted && wanted !== null) {
							if (paths.has(path)) continue;
							paths.add(path);
						}
						items.push({ kind: "include", line, field: 3, path, of: { service, argument: null } });
						continue;
					}
				}
				// A directive, "*", or what is wrong: they come before all that a service starts with.
				if (head < "+") {
					items.push(parseColumnsLine(splitRow(head, rest), line) as Item);
					continue;
				}
				const { argument, clause } = this.rules.get(rest) ?? this.parseRule(rest);
				if (head !== wanted && wanted !== null) continue;
				const { source, target, action } = clause;
				items.push({ kind: "rule", line, of: { service: head, argument }, source, target, action });
			}
		} catch (error) {
			return nullForFieldError(error);
		}
		return items;
	}

	/** The items of the per-service format. */
	parseService({ lines, heads, rests }: Rows): Item[] | null {
		const items: Item[] = [];
		try {
			for (let i = 0; i < lines.length; i++) {
				const line = lines[i] as number;
				const head = heads[i] as string;
				const row = `${head} ${rests[i] as string}`;
				// The old spellings are left to the exact reading.
				if (row.split("$", 1)[0] !== row || row.split(",", 1)[0] !== row) return null;
				if (head.charAt(0) === "!") {
					items.push(parseServiceFields(splitRow(head, rests[i] as string), true, line));
					continue;
				}
				const { source, target, action } = this.clauses.get(row) ?? this.parseClause(row);
				items.push({ kind: "rule", line, of: null, source, target, action });
			}
		} catch (error) {
			return nullForFieldError(error);
		}
		return items;
	}

	/** `ARGUMENT SOURCE TARGET ACTION [KEY=VALUE…]` */
	private parseRule(text: string): KnownRule {
		const argument = text.split(" ", 1)[0] as string;
		const rest = text.slice(argument.length + 1);
		const clause = this.clauses.get(rest) ?? this.parseClause(rest);
		const rule = { argument: parseArgument([argument], 0), clause };
		this.rules.set(text, rule);
		return rule;
	}

	/** `SOURCE TARGET ACTION [KEY=VALUE…]` */
	private parseClause(text: string): Clause {
		const [sourceText, targetText] = text.split(" ", 2) as [string, string | undefined];
		if (targetText === undefined) throw new FieldError(1, "wrong number of fields");
		const actionText = text.slice(sourceText.length + targetText.length + 2);
		const clause = {
			source: this.sources.get(sourceText) ?? parseTokenField([sourceText], 0, "source"),
			target: this.targets.get(targetText) ?? parseTokenField([targetText], 0, "target"),
			action: this.actions.get(actionText) ?? parseAction(actionText.split(" "), 0),
		};
		checkClause(clause, 0);
		this.sources.set(sourceText, clause.source);
		this.targets.set(targetText, clause.target);
		this.actions.set(actionText, clause.action);
		this.clauses.set(text, clause);
		return clause;
	}
}

/** What follows the service in a rule. */
interface KnownRule {
	readonly argument: string | null;
	readonly clause: Clause;
}

function splitRow(head: string, rest: string): string[] {
	return rest === "" ? [head] : `${head} ${rest}`.split(" ");
}

function nullForFieldError(error: unknown): null {
	if (error instanceof FieldError) return null;
	throw error;
}
