import { baseName, type Call } from "./call.ts";
import { compareCodePoints } from "./charset.ts";
import { defaultDispvm, matchesButTarget } from "./match.ts";
import { DISPVM_PREFIX } from "./names.ts";
import type { Rule } from "./rule.ts";
import type { Qube, SystemInfo } from "./system-info.ts";
import type { Token } from "./token.ts";

/**
 * What the user may choose from, sorted by code point (spec 6.5, with Q2, Q4 and Q7).
 *
 * All rules for this source and service are gone through backwards: allow and ask add what they name, deny takes it away, so that
 * the first rule has the last word. An example, for a call from `a`, whose default disposable is `@dispvm:dvm`:
 *
 *     rules, from first to last                    offered
 *     … b ask ; … c deny ; … @tag:t3 ask           b          c has t3, but the deny stands before it
 *     … @anyvm ask                                 every qube but a and dom0, @dispvm:dvm
 *     … b ask ; … @dispvm:dvm deny ; … @dispvm ask b          the deny means the same disposable
 */
export function collectTargets(rules: readonly Rule[], call: Call, system: SystemInfo): string[] {
	const own = system.find(call.source) as Qube;
	// Not needed, as names are offered only, but a caller without one is an error (spec 6.5).
	own.uuid();
	const offered = new Set<string>();
	for (let i = rules.length - 1; i >= 0; i--) {
		const rule = rules[i] as Rule;
		if (!matchesButTarget(rule, call, system)) continue;
		const isDeny = rule.action.type === "deny";
		for (const target of expand(rule.action.target ?? rule.target, system)) {
			if (!isDeny) {
				offered.add(target);
				continue;
			}
			offered.delete(target);
			if (target.startsWith(DISPVM_PREFIX) && offered.has("@dispvm") && target === ownDefault(call, system))
				offered.delete("@dispvm");
		}
	}
	if (offered.delete("@dispvm")) {
		const target = ownDefault(call, system);
		if (target !== null) offered.add(target);
	}
	offered.delete(own.name);
	const targets: string[] = [];
	offered.forEach((target) => {
		if (system.find(baseName(target))?.isInternal() !== true) targets.push(target);
	});
	return targets.sort(compareCodePoints);
}

/** What `@dispvm` means for the caller; looked at only where it matters, as not every qube has what is needed for it (Q57). */
function ownDefault({ source }: Call, system: SystemInfo): string | null {
	const template = defaultDispvm(source, system);
	return template === null ? null : DISPVM_PREFIX + template.name;
}

/** The targets that a token stands for: names, `@dispvm:NAME` and `@dispvm`. */
function expand(token: Token, system: SystemInfo): string[] {
	const names: string[] = [];
	switch (token.kind) {
		case "any":
		case "anyvm":
			for (const qube of system.qubes()) {
				if (token.kind === "any" || qube.name !== "dom0") names.push(qube.name);
				if (qube.isDisposableTemplate()) names.push(DISPVM_PREFIX + qube.name);
			}
			names.push("@dispvm");
			return names;
		case "adminvm":
			return ["dom0"];
		case "default":
			return [];
		case "dispvm":
			return ["@dispvm"];
		case "type":
			for (const qube of system.qubes()) if (qube.type() === token.value) names.push(qube.name);
			return names;
		case "tag":
			for (const qube of system.qubes()) if (qube.hasTag(token.value)) names.push(qube.name);
			return names;
		case "dispvm-tag":
			for (const qube of system.qubes()) {
				if (qube.isDisposableTemplate() && qube.hasTag(token.value)) names.push(DISPVM_PREFIX + qube.name);
			}
			return names;
		case "dispvm-of": {
			const template = system.find(token.value);
			return template?.isDisposableTemplate() === true ? [DISPVM_PREFIX + template.name] : [];
		}
		case "name": {
			const qube = system.find(token.text);
			return qube === null ? [] : [qube.name];
		}
	}
}
