import { FieldError } from "./field-error.ts";
import type { Action } from "./rule.ts";
import { parseToken, type Token } from "./token.ts";

type ActionType = Action["type"];
type Param = "target" | "default_target" | "user" | "notify" | "autostart";

const ALLOWED: { readonly [type in ActionType]: readonly Param[] } = {
	allow: ["target", "user", "notify", "autostart"],
	ask: ["target", "default_target", "user", "notify", "autostart"],
	deny: ["notify"],
};

/** The actions without parameters. */
export const PLAIN: { readonly [type in ActionType]: Action } = {
	allow: { type: "allow", target: null, defaultTarget: null, user: null, notify: false, autostart: true },
	ask: { type: "ask", target: null, defaultTarget: null, user: null, notify: false, autostart: true },
	deny: { type: "deny", target: null, defaultTarget: null, user: null, notify: true, autostart: true },
};

/** A parameter of a rule and the field it stands in. */
interface Given {
	readonly key: string;
	readonly value: string;
	readonly field: number;
}

/**
 * Parses `allow|ask|deny` and its parameters, which start at `fields[at]` (spec 1.3 steps 5 to 8, 1.5).
 * Throws a FieldError at the field that is wrong.
 */
export function parseAction(fields: readonly string[], at: number): Action {
	const name = fields[at];
	if (name !== "allow" && name !== "ask" && name !== "deny") {
		throw new FieldError(at, `invalid action "${name}": want allow, ask or deny`);
	}
	return fields.length === at + 1 ? PLAIN[name] : withParams(name, splitParams(fields, at + 1));
}

/** Step 6: `key=value`, split at the first `=`, each key once. */
function splitParams(fields: readonly string[], from: number): Given[] {
	const params: Given[] = [];
	const keys = new Set<string>();
	for (let field = from; field < fields.length; field++) {
		const text = fields[field] as string;
		const equals = text.indexOf("=");
		if (equals < 0) throw new FieldError(field, `invalid action parameter "${text}": want KEY=VALUE`);
		const key = text.slice(0, equals);
		if (keys.has(key)) throw new FieldError(field, `parameter "${key}" given twice: remove one`);
		keys.add(key);
		params.push({ key, value: text.slice(equals + 1), field });
	}
	return params;
}

/** Steps 7 and 8. */
function withParams(type: ActionType, params: readonly Given[]): Action {
	const notify = parseYesNo(find(params, "notify"));
	const autostart = parseYesNo(find(params, "autostart"));
	for (const param of params) {
		if (ALLOWED[type].some((known) => known === param.key)) continue;
		const hint = `${type} takes ${ALLOWED[type].join(", ")}`;
		throw new FieldError(param.field, `invalid parameters for ${type}: "${param.key}": ${hint}`);
	}
	return {
		type,
		target: parseRedirect(find(params, "target")),
		defaultTarget: parseRedirect(find(params, "default_target")),
		user: find(params, "user")?.value || null,
		notify: notify ?? PLAIN[type].notify,
		autostart: autostart ?? PLAIN[type].autostart,
	};
}

function find(params: readonly Given[], key: string): Given | null {
	for (const param of params) if (param.key === key) return param;
	return null;
}

function parseYesNo(param: Given | null): boolean | null {
	if (param === null) return null;
	if (param.value === "yes") return true;
	if (param.value === "no") return false;
	throw new FieldError(param.field, `invalid value "${param.value}" of "${param.key}": want yes or no`);
}

function parseRedirect(param: Given | null): Token | null {
	if (param === null) return null;
	const token = parseToken(param.value, "redirect");
	if (typeof token === "string") throw new FieldError(param.field, `${param.key}=: ${token}`, param.key.length + 1);
	return token;
}
