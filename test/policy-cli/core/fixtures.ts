import { checkConnection, refuseText } from "../../../policy-cli/core/answer.ts";
import { type Request, readCall } from "../../../policy-cli/core/call.ts";
import { DataError } from "../../../policy-cli/core/errors.ts";
import { evaluate } from "../../../policy-cli/core/evaluate.ts";
import { loadPolicy } from "../../../policy-cli/core/load.ts";
import type { Resolution } from "../../../policy-cli/core/resolution.ts";
import type { Rule } from "../../../policy-cli/core/rule.ts";
import { SystemInfo } from "../../../policy-cli/core/system-info.ts";
import { MemoryFiles, type Tree } from "./memory-files.ts";

/** What qubesd says of one qube. */
export type Entry = { readonly [field: string]: unknown };
export type Domains = { readonly [name: string]: Entry };

export const DOM0_UUID = "00000000-0000-0000-0000-000000000000";

/** The uuid of a qube of the house. */
export function uuidOf(name: string): string {
	if (name === "dom0") return DOM0_UUID;
	return `00000000-0000-4000-8000-${Buffer.from(name).toString("hex").padStart(12, "0")}`;
}

/** An entry with nothing special in it: a halted AppVM with a default disposable. */
export function entry(name: string, changes: Entry = {}): Entry {
	return {
		type: "AppVM",
		tags: [],
		template_for_dispvms: false,
		default_dispvm: "dvm",
		power_state: "Halted",
		uuid: uuidOf(name),
		guivm: "dom0",
		icon: "appvm-red",
		label: "0xcc0000",
		internal: null,
		relayvm: null,
		transport_rpc: null,
		...changes,
	};
}

const RUNNING = { power_state: "Running" };
const TEMPLATE = { template_for_dispvms: true };
const REMOTE = { type: "RemoteVM", default_dispvm: null };

/** The qubes of appendix A of the specification, with changes to single ones; `null` takes one away. */
export function house(changes: { readonly [name: string]: Entry | null } = {}): Domains {
	const base: { readonly [name: string]: Entry } = {
		dom0: { type: "AdminVM", tags: ["ta"], guivm: null, ...RUNNING },
		a: { tags: ["t1", "t2"], ...RUNNING },
		b: { tags: ["t2"], ...RUNNING },
		c: { tags: ["t3"], ...TEMPLATE },
		dvm: TEMPLATE,
		nod: { tags: ["t1"], default_dispvm: null },
		bad: { default_dispvm: "a" },
		gone: { default_dispvm: "zzz" },
		int: { internal: "1" },
		intd: { internal: "1", ...TEMPLATE },
		tpl: { type: "TemplateVM", tags: ["t1"] },
		rel: { default_dispvm: null, ...RUNNING },
		rem: { ...REMOTE, relayvm: "rel", transport_rpc: "x.T", ...RUNNING },
		rem2: { ...REMOTE, relayvm: "rel" },
		rem3: { ...REMOTE, transport_rpc: "x.T" },
	};
	const domains: { [name: string]: Entry } = {};
	for (const name of new Set([...Object.keys(base), ...Object.keys(changes)])) {
		if (changes[name] !== null) domains[name] = entry(name, { ...base[name], ...changes[name] });
	}
	return domains;
}

export function systemOf(domains: Domains): SystemInfo {
	return SystemInfo.from(structuredClone({ domains }));
}

/**
 * Policy text of rules separated by ` ; `. `…` stands for `* * *`: any service, argument and source; a rule that does not start with
 * `…` or a service `s.…` is for any service and argument.
 */
export function policyText(rules: string): string {
	const lines = rules.split(" ; ").map((rule) => {
		if (rule.startsWith("…")) return `* * *${rule.slice(1)}`;
		return rule.startsWith("s.") ? rule : `* * ${rule}`;
	});
	return `${lines.join("\n")}\n`;
}

export function rulesOf(text: string): readonly Rule[] {
	return loadTree({ "/p/50.policy": text }, null);
}

/** Loads `/p`, with the legacy directory `/old`. */
export function loadTree(tree: Tree, wanted: string | null): readonly Rule[] {
	return loadPolicy(new MemoryFiles({ "/p": "<dir>", ...tree }), { dirs: ["/p"], legacyDir: "/old" }, wanted).rules;
}

/** A call of `s.S+x`, from `a` if nothing else is said. */
export function request(words: string, more: Partial<Request> = {}): Request {
	const [source = "a", target = ""] = words.split("→");
	return { source, target, service: "s.S", argument: "+x", requestedSource: null, ...more };
}

/** What comes of a call: `resolution` as the rules say it, `text` as qrexec is told, and the warnings. */
export interface Judgement {
	readonly resolution: Resolution | DataError;
	readonly text: string | null;
	readonly warnings: readonly string[];
}

/** The whole way through the core, as policy-cli/exec goes it. */
export function judge(rules: readonly Rule[], call: Request, system: SystemInfo): Judgement {
	const warnings: string[] = [];
	try {
		const checked = readCall(call, system, warnings);
		if ("decision" in checked) return { resolution: checked, text: "result=deny", warnings };
		const resolution = evaluate(rules, checked, system, warnings);
		if (resolution.decision !== "allow") {
			return { resolution, text: resolution.decision === "deny" ? "result=deny" : null, warnings };
		}
		const connection = checkConnection(resolution, checked, system, warnings);
		const denial = "decision" in connection ? connection : refuseText(connection, resolution);
		if (denial !== null) return { resolution: denial, text: "result=deny", warnings };
		return { resolution, text: "text" in connection ? connection.text : null, warnings };
	} catch (error) {
		if (!(error instanceof DataError)) throw error;
		return { resolution: error, text: "result=deny", warnings };
	}
}

/** A judgement in one line: `allow TARGET…`, `ask TARGETS…`, `deny REASON`; words are added for what is not usual. */
export function sum({ resolution, text }: Judgement): string {
	if (resolution instanceof DataError) return "deny data-error quiet";
	const words: string[] = [resolution.decision];
	if (resolution.decision === "deny") {
		words.push(resolution.reason);
		if (!resolution.notify) words.push("quiet");
		return words.join(" ");
	}
	if (resolution.decision === "allow") {
		for (const line of (text ?? "").split("\n")) {
			const [key, value] = [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)];
			if (key === "target") words.splice(1, 0, value);
			if (key === "user" && value !== "DEFAULT") words.push(line);
			if (key === "autostart" && value !== "True") words.push(line);
			if (key === "service" || key === "policy_source") words.push(line);
		}
	} else {
		words.push(resolution.targets.join(","));
		if (resolution.defaultTarget !== null) words.push(`default=${resolution.defaultTarget}`);
		if (resolution.user !== null) words.push(`user=${resolution.user}`);
		if (!resolution.autostart) words.push("autostart=False");
	}
	if (resolution.notify) words.push("notify");
	return words.join(" ");
}

/** The most used way in: rules as in `policyText`, a call `source→target`, one line out. */
export function decide(rules: string, call: string, more: Partial<Request> = {}, domains = house()): string {
	return sum(judge(rulesOf(policyText(rules)), request(call, more), systemOf(domains)));
}
