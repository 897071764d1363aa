import type { Request } from "../../../policy-cli/core/call.ts";
import { DOM0_UUID, uuidOf } from "./fixtures.ts";

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
	private state: number;

	constructor(seed: number) {
		this.state = seed >>> 0;
	}

	/** From 0 to below `limit`. */
	int(limit: number): number {
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let x = this.state;
		x = Math.imul(x ^ (x >>> 15), x | 1);
		x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
		return ((((x ^ (x >>> 14)) >>> 0) * limit) / 2 ** 32) | 0;
	}

	pick<T>(list: readonly T[]): T {
		return list[this.int(list.length)] as T;
	}

	/** True once in `n` times. */
	oneIn(n: number): boolean {
		return this.int(n) === 0;
	}
}

/** The seed of a run: a new one each time, or the one that QUBES_TEST_SEED says. */
export function chooseSeed(): number {
	return Number(process.env["QUBES_TEST_SEED"] ?? Date.now() % 1_000_000);
}

const NAMES = ["a", "b", "c", "dvm", "nod", "bad", "gone", "int", "intd", "tpl", "rel", "rem", "rem2", "rem3", "dom0", "nosuch"];
const UUIDS = [`uuid:${uuidOf("a")}`, `uuid:${uuidOf("c")}`, `uuid:${DOM0_UUID}`, "uuid:nosuch"];
const DISPOSABLES = ["@dispvm", "@dispvm:c", "@dispvm:dvm", "@dispvm:b", "@dispvm:nosuch", `@dispvm:uuid:${uuidOf("c")}`];
const GROUPS = ["*", "@anyvm", "@adminvm", "@type:AppVM", "@type:AdminVM", "@tag:t1", "@tag:t2", "@tag:none"];
const TARGETS = [...GROUPS, ...GROUPS, ...DISPOSABLES, "@default", "@default", "@dispvm:@tag:t3", ...NAMES, ...UUIDS];
const REDIRECTS = [...NAMES, ...UUIDS, ...DISPOSABLES, "@adminvm"];

/** A rule of the five-column format without errors. */
export function randomRule(random: Random): string {
	const service = random.pick(["*", "*", "s.S", "s.S", "s.T"]);
	const argument = service === "*" ? "*" : random.pick(["*", "*", "+", "+x", "+y"]);
	const source = random.pick(["*", "*", "a", "a", ...GROUPS, ...NAMES, ...UUIDS, "@dispvm:c"]);
	return `${service} ${argument} ${source} ${randomEnd(random)}`;
}

/** Target, action and parameters. */
function randomEnd(random: Random): string {
	const target = random.pick(TARGETS);
	const action = random.pick(["allow", "ask", "ask", "deny"]);
	const params: string[] = [];
	if (random.oneIn(4)) params.push(`notify=${random.pick(["yes", "no"])}`);
	if (action !== "deny") {
		if (random.oneIn(4) || (action === "allow" && target === "@default")) params.push(`target=${random.pick(REDIRECTS)}`);
		if (random.oneIn(4)) params.push(`user=${random.pick(["root", "u", ""])}`);
		if (random.oneIn(4)) params.push(`autostart=${random.pick(["yes", "no"])}`);
		if (action === "ask" && random.oneIn(3)) params.push(`default_target=${random.pick(REDIRECTS)}`);
	}
	return [target, action, ...params].join(" ");
}

/** Up to `most` rules. */
export function randomRules(random: Random, most: number): string[] {
	const rules: string[] = [];
	for (let count = 1 + random.int(most); count > 0; count--) rules.push(randomRule(random));
	return rules;
}

/** A call of `s.S` or another service, mostly of qubes that exist. */
export function randomCall(random: Random): Request {
	const relayed = random.oneIn(10);
	return {
		source: relayed ? "rel" : random.pick(["a", "a", "b", ...NAMES, ...UUIDS]),
		target: random.pick(["b", "", "@default", "@adminvm", ...DISPOSABLES, ...NAMES, ...UUIDS]),
		service: random.pick(["s.S", "s.S", "s.T", "s.U"]),
		argument: random.pick(["+", "+x"]),
		requestedSource: relayed ? random.pick(["rem", "rem2", "a"]) : null,
	};
}
