import fs from "node:fs";
import path from "node:path";
import { readVectors, VECTORS_DIR, writeVector } from "../support/vectors.ts";

/** A policy and a system to measure a call on. */
export interface Scenario {
	readonly name: string;
	readonly dirs: readonly string[];
	readonly systemInfo: string;
	/** Source, target and service. */
	readonly call: readonly [string, string, string];
}

/** What Qubes OS comes with: the policy of the conformance vectors, of examples/ where these are not there. */
export function stockPolicy(work: string, qubes: number): Scenario {
	const root = path.join(work, "stock");
	const [vector] = fs.existsSync(path.join(VECTORS_DIR, "real/real.jsonl")) ? readVectors("real/real.jsonl") : [];
	if (!fs.existsSync(root) && vector !== undefined) writeVector(root, vector);
	const dirs = vector === undefined ? [path.resolve("examples/policy.d")] : [`${root}/run/policy.d`, `${root}/policy.d`];
	return {
		name: `stock policy, ${qubes} qubes`,
		dirs,
		systemInfo: writeSystem(work, qubes),
		call: ["vm0", "@dispvm", "qubes.VMShell"],
	};
}

/** Rules for services of their own in 20 files, and one at the end for the call. */
export function manyRules(work: string, rules: number): Scenario {
	const dir = path.join(work, `rules-${rules}`);
	fs.mkdirSync(dir);
	for (let file = 0; file < 20; file++) {
		let text = "# SERVICE  ARGUMENT  SOURCE  TARGET  ACTION\n";
		for (let i = file; i < rules; i += 20) {
			text += `custom.Service${i}    *    vm${i % 30}    @tag:created-by-vm${i % 7}    ${["deny", "ask", "allow"][i % 3]}\n`;
		}
		if (file === 19) text += "qubes.VMShell  *  @anyvm  @dispvm  allow\n";
		fs.writeFileSync(path.join(dir, `${file + 10}-generated.policy`), text);
	}
	return { name: `${rules} rules`, dirs: [dir], systemInfo: writeSystem(work, 33), call: ["vm0", "@dispvm", "qubes.VMShell"] };
}

/** A file with what qubesd answers for dom0, a template for disposables and as many qubes as are missing. */
export function writeSystem(work: string, qubes: number): string {
	const file = path.join(work, `system-${qubes}.json`);
	const common = { tags: ["created-by-dom0", "guivm-dom0"], internal: null, relayvm: null, transport_rpc: null };
	const more = { default_dispvm: "default-dvm", power_state: "Halted", guivm: "dom0", icon: "appvm-green", label: "green" };
	const domains: { [name: string]: object } = {};
	for (let i = -2; i < qubes - 2; i++) {
		const name = i === -2 ? "dom0" : i === -1 ? "default-dvm" : `vm${i}`;
		const uuid = i === -2 ? "00000000-0000-0000-0000-000000000000" : `0018193a-8725-5a30-bd4b-${String(i + 2).padStart(12, "0")}`;
		const guivm = i === -2 ? null : "dom0";
		domains[name] = { ...common, ...more, type: i === -2 ? "AdminVM" : "AppVM", template_for_dispvms: i === -1, uuid, guivm };
	}
	fs.writeFileSync(file, JSON.stringify({ domains }));
	return file;
}
