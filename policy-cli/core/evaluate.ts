import { collectTargets } from "./ask-targets.ts";
import { baseName, type Call, normaliseTarget } from "./call.ts";
import { hasControl } from "./charset.ts";
import { defaultDispvm, matchesRule } from "./match.ts";
import { DISPVM_PREFIX, isDom0 } from "./names.ts";
import { type Allowance, type Denial, deny, type Question, type Resolution } from "./resolution.ts";
import { formatRulePlace, type Rule } from "./rule.ts";
import type { SystemInfo } from "./system-info.ts";
import type { Token } from "./token.ts";

/**
 * What the policy says to a call: the first rule that matches decides (spec 6.1). An allowance still has to pass
 * `checkConnection`. Warnings are added to the list. Throws DataError.
 */
export function evaluate(rules: readonly Rule[], call: Call, system: SystemInfo, warnings: string[]): Resolution {
	const rule = findRule(rules, call, system);
	if (rule === null) return deny("no-matching-rule", "no matching rule found");
	const { type, user } = rule.action;
	if (type === "deny") {
		const message = `denied by policy ${formatRulePlace(rule)}`;
		return deny("denied-by-rule", message, { rule, notify: rule.action.notify });
	}
	if (user !== null && (hasControl(user) || user.indexOf(":") >= 0)) {
		const message = `${formatRulePlace(rule)}: user= has a colon or a control character`;
		return deny("bad-user", message, { rule });
	}
	return type === "allow" ? allow(rule, call, system, warnings) : ask(rules, rule, call, system, warnings);
}

function findRule(rules: readonly Rule[], call: Call, system: SystemInfo): Rule | null {
	for (let i = 0; i < rules.length; i++) {
		const rule = rules[i] as Rule;
		if (matchesRule(rule, call, system)) return rule;
	}
	return null;
}

/** Spec 6.3. */
function allow(rule: Rule, call: Call, system: SystemInfo, warnings: string[]): Allowance | Denial {
	const target = resolveTarget(rule, call, system, warnings);
	if (typeof target !== "string") return target;
	const { user, autostart, notify } = rule.action;
	if (!autostart && !isRunning(target, system)) {
		return deny("autostart", `target ${target} is not running and autostart=no`, { rule, notify });
	}
	return { decision: "allow", rule, target, user, autostart, notify };
}

/** Spec 6.4 with Q5 and Q6. */
function ask(rules: readonly Rule[], rule: Rule, call: Call, system: SystemInfo, warnings: string[]): Question | Denial {
	const { user, autostart, notify } = rule.action;
	let targets: readonly string[];
	if (rule.action.target === null) {
		targets = collectTargets(rules, call, system);
	} else {
		const target = resolveTarget(rule, call, system, warnings);
		if (typeof target !== "string") return target;
		targets = [qubeName(target, system)];
	}
	if (!autostart) targets = targets.filter((target) => isRunning(target, system));
	if (targets.length === 0) return deny("ask-no-targets", "no target available to choose from", { rule });
	const defaultTarget = chooseDefault(rule.action.defaultTarget, targets, call, system, warnings);
	return { decision: "ask", rule, targets, defaultTarget, user, autostart, notify };
}

/** The rule's redirect or else the caller's target, made definite (spec 6.3 steps 1 to 3). */
function resolveTarget(rule: Rule, call: Call, system: SystemInfo, warnings: string[]): string | Denial {
	const redirect = rule.action.target;
	const target = redirect === null ? call.target : normaliseTarget(redirect.text, system, warnings);
	if (typeof target !== "string") return { ...target, rule };
	if (target === "@default") return deny("no-target", "no target specified", { rule });
	if (target === "@adminvm") return "dom0";
	if (target !== "@dispvm") return target;
	const template = defaultDispvm(call.source, system);
	if (template !== null) return DISPVM_PREFIX + template.name;
	return deny("no-default-dispvm", `${call.source} has no usable default_dispvm`, { rule });
}

function chooseDefault(
	token: Token | null,
	targets: readonly string[],
	call: Call,
	system: SystemInfo,
	warnings: string[],
): string | null {
	if (token === null) return null;
	let wanted = qubeName(token.text, system);
	if (token.kind === "dispvm") {
		const template = defaultDispvm(call.source, system);
		if (template === null) return null;
		wanted = DISPVM_PREFIX + template.name;
	}
	if (targets.includes(wanted)) return wanted;
	warnings.push(`default_target=${token.text} is not among the targets to choose from, ignoring it`);
	return null;
}

/** A target with `uuid:` replaced by the qube's name, also behind `@dispvm:`; dom0 for all its spellings. */
function qubeName(target: string, system: SystemInfo): string {
	if (isDom0(target)) return "dom0";
	const base = baseName(target);
	const name = system.find(base)?.name ?? base;
	return base === target ? name : DISPVM_PREFIX + name;
}

/** Whether a call can be made without starting anything (spec 6.3). */
function isRunning(target: string, system: SystemInfo): boolean {
	if (isDom0(target)) return true;
	return !target.startsWith(DISPVM_PREFIX) && system.find(target)?.isRunning() === true;
}
