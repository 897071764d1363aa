import { afterPrefix, DISPVM_PREFIX, isDom0, UUID_PREFIX } from "./names.ts";
import type { Rule } from "./rule.ts";
import type { Qube, SystemInfo } from "./system-info.ts";
import type { Token } from "./token.ts";

/** A call as the rules see it: `target` normalised (spec 5.1), `source` the requested source where there is one (6.7). */
export interface Subject {
	readonly source: string;
	readonly target: string;
	readonly service: string;
	/** With its leading `+`. */
	readonly argument: string;
}

/** Whether a rule is about this call (spec 5.4). Throws DataError. */
export function matchesRule(rule: Rule, call: Subject, system: SystemInfo): boolean {
	return matchesButTarget(rule, call, system) && matchesTarget(rule.target, call, system);
}

/** Whether a rule is about this call, whatever its target (spec 5.4). */
export function matchesButTarget(rule: Rule, call: Subject, system: SystemInfo): boolean {
	return (
		(rule.service === null || rule.service === call.service) &&
		(rule.argument === null || rule.argument === call.argument) &&
		matchesSource(rule.source, call.source, system)
	);
}

/** The source column of the table in spec 5.2. */
function matchesSource(token: Token, source: string, system: SystemInfo): boolean {
	switch (token.kind) {
		case "any":
			return true;
		case "anyvm":
			return !isDom0(source);
		case "adminvm":
			return isDom0(source);
		case "name":
			return matchesName(token.text, source, system);
		case "type":
			return system.find(source)?.type() === token.value;
		case "tag":
			return system.find(source)?.hasTag(token.value) === true;
		case "default":
		case "dispvm":
		case "dispvm-of":
		case "dispvm-tag":
			return false;
	}
}

/** The target column of the table in spec 5.2, with the decisions Q1 to Q3. */
function matchesTarget(token: Token, call: Subject, system: SystemInfo): boolean {
	const { target } = call;
	switch (token.kind) {
		case "any":
			return true;
		case "anyvm":
			return !isDom0(target);
		case "adminvm":
			return isDom0(target);
		case "name":
			return matchesName(token.text, target, system);
		case "type":
			return system.find(target)?.type() === token.value;
		case "tag":
			return system.find(target)?.hasTag(token.value) === true;
		case "default":
		case "dispvm":
			return target === token.text;
		case "dispvm-of": {
			const base = disposableBase(call, system);
			return base !== null && sameName(token.value, base, system);
		}
		case "dispvm-tag": {
			const base = disposableBase(call, system);
			const template = base === null ? null : system.find(base);
			return template?.isDisposableTemplate() === true && template.hasTag(token.value);
		}
	}
}

/** The name after `@dispvm:` of the target, the source's default for plain `@dispvm`, or null. */
function disposableBase(call: Subject, system: SystemInfo): string | null {
	if (call.target === "@dispvm") return defaultDispvm(call.source, system)?.name ?? null;
	return afterPrefix(call.target, DISPVM_PREFIX);
}

/** The template that `@dispvm` means for a source; null where it has no default or a useless one (spec 5.5, Q2). */
export function defaultDispvm(source: string, system: SystemInfo): Qube | null {
	const name = system.find(source)?.defaultDispvm() ?? null;
	const template = name === null ? null : system.find(name);
	return template?.isDisposableTemplate() === true ? template : null;
}

function matchesName(wanted: string, name: string, system: SystemInfo): boolean {
	return isDom0(wanted) ? isDom0(name) : sameName(wanted, name, system);
}

/** Whether a name in the policy and another one mean the same qube, as name or as `uuid:` (spec 5.3). */
function sameName(wanted: string, name: string, system: SystemInfo): boolean {
	const wantedUuid = afterPrefix(wanted, UUID_PREFIX);
	const uuid = afterPrefix(name, UUID_PREFIX);
	if (wantedUuid !== null && uuid === null) return system.find(name)?.uuidOrNull() === wantedUuid;
	if (wantedUuid === null && uuid !== null) return system.find(wanted)?.uuidOrNull() === uuid;
	return wanted === name;
}
