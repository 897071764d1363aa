import type { Token } from "./token.ts";

/** What a rule says is to be done; parameters of spec 1.5 with their defaults filled in. */
export interface Action {
	readonly type: "allow" | "ask" | "deny";
	/** `target=`: where the call goes instead. */
	readonly target: Token | null;
	/** `default_target=`: what is preselected when the user is asked. */
	readonly defaultTarget: Token | null;
	/** `user=`: as whom the service runs; null is the default user. */
	readonly user: string | null;
	readonly notify: boolean;
	readonly autostart: boolean;
}

/** Who may do what: the part of a rule that does not depend on the service. */
export interface Clause {
	readonly source: Token;
	readonly target: Token;
	readonly action: Action;
}

/** One rule in force. `service` and `argument` null mean any; `line` null is an implicit rule of the legacy directory. */
export interface Rule extends Clause {
	readonly service: string | null;
	/** With its leading `+`; `+` alone is the empty argument. */
	readonly argument: string | null;
	readonly file: string;
	readonly line: number | null;
}

/** The five columns and parameters of a rule, blank-separated, with defaults left out (spec 1.7, Q29: nothing is lost). */
export function formatRule(rule: Rule): string {
	const { type, target, defaultTarget, user, notify, autostart } = rule.action;
	let text = `${rule.service ?? "*"} ${rule.argument ?? "*"} ${rule.source.text} ${rule.target.text} ${type}`;
	if (target !== null) text += ` target=${target.text}`;
	if (defaultTarget !== null) text += ` default_target=${defaultTarget.text}`;
	if (user !== null) text += ` user=${user}`;
	if (notify !== (type === "deny")) text += ` notify=${notify ? "yes" : "no"}`;
	if (!autostart) text += " autostart=no";
	return text;
}

/** `FILE:LINE` of a rule, or `FILE` for an implicit one. */
export function formatRulePlace(rule: Rule): string {
	return rule.line === null ? rule.file : `${rule.file}:${rule.line}`;
}
