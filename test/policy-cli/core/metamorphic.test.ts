import test from "ava";
import { DataError } from "../../../policy-cli/core/errors.ts";
import { formatRule } from "../../../policy-cli/core/rule.ts";
import { house, judge, loadTree, systemOf } from "./fixtures.ts";
import type { Tree } from "./memory-files.ts";
import { chooseSeed, Random, randomCall, randomRule, randomRules } from "./random.ts";

/** What is done to a policy: its rules, one for each line, become files below `/p`. */
type Change = (rules: readonly string[], random: Random) => Tree;

const POLICIES = 500;
const SYSTEM = systemOf(house());

/** What comes of a call, without the places of rules; `decided` is false where no rule was about it. */
function outcome(tree: Tree, call: ReturnType<typeof randomCall>, wanted: string | null = null) {
	const { resolution, text, warnings } = judge(loadTree(tree, wanted), call, SYSTEM);
	if (resolution instanceof DataError) return { decided: true, text, warnings, message: resolution.message };
	const decided = resolution.decision !== "deny" || resolution.reason !== "no-matching-rule";
	const rule = resolution.rule === null ? null : formatRule(resolution.rule);
	const message = resolution.decision === "deny" ? resolution.message.replace(/\/p\/\S+:[0-9]+/, "PLACE") : null;
	return { ...resolution, decided, rule, message, text, warnings };
}

function file(lines: readonly string[]): Tree {
	return { "/p/50.policy": `${lines.join("\n")}\n` };
}

/** Puts each of `more` somewhere between the lines. */
function insert(lines: readonly string[], more: readonly string[], random: Random): string[] {
	const all = [...lines];
	for (const line of more) all.splice(random.int(all.length + 1), 0, line);
	return all;
}

/** The lines before, in, and after a part of them. */
function cut(lines: readonly string[], random: Random): [before: string[], part: string[], after: string[]] {
	const from = random.int(lines.length + 1);
	const to = from + random.int(lines.length + 1 - from);
	return [lines.slice(0, from), lines.slice(from, to), lines.slice(to)];
}

const BLANKS = ["\t", "  ", " \t ", "\u3000", "\u00a0", "\x85", "\x1f", "\v"];

const CHANGES: { readonly [what: string]: Change } = {
	"comments and blank lines between the rules": (rules, random) =>
		file(insert(rules, ["", "# * * * * deny", "  \t", " # x", "#", "##!include nothing"], random)),
	"rules of another service": (rules, random) => {
		const others = randomRules(random, 6).map((rule) => `s.Other * ${rule.split(" ").slice(2).join(" ")}`);
		return file(insert(rules, others, random));
	},
	"rules of another argument": (rules, random) => {
		const others = randomRules(random, 6).map((rule) => `s.S +other ${rule.split(" ").slice(2).join(" ")}`);
		return file(insert(rules, others, random));
	},
	"a file that is split in two": (rules, random) => {
		const at = random.int(rules.length + 1);
		return { "/p/50.policy": rules.slice(0, at).join("\n"), "/p/51.policy": rules.slice(at).join("\n") };
	},
	"rules that are moved to an included file": (rules, random) => {
		const [before, part, after] = cut(rules, random);
		return { ...file([...before, "!include include/part", ...after]), "/p/include/part": part.join("\n") };
	},
	"rules that are moved to files of an included directory": (rules, random) => {
		const [before, part, after] = cut(rules, random);
		const at = random.int(part.length + 1);
		return {
			...file([...before, "!include-dir include", ...after]),
			"/p/include/a.policy": part.slice(0, at).join("\n"),
			"/p/include/b.policy": part.slice(at).join("\n"),
		};
	},
	"a rule that is moved to a file for its service": (rules, random) => {
		const at = random.int(rules.length);
		const [service, argument, ...clause] = (rules[at] as string).split(" ");
		const lines = [...rules];
		lines[at] = `!include-service ${service} ${argument} one`;
		// In that file `$` is the old way to write `@`.
		return { ...file(lines), "/p/one": clause.join(" ").split("@").join("$") };
	},
	"tabs and more blanks between the fields": (rules, random) =>
		file(rules.map((rule) => ` ${rule.split(" ").join(random.pick(["\t", "  ", " \t "]))} `)),
	"other white space between the fields": (rules, random) =>
		file(rules.map((rule) => random.pick(BLANKS) + rule.split(" ").join(random.pick(BLANKS)))),
	"a comment that is not ASCII": (rules, random) => file(insert(rules, ["# — é"], random)),
	"line ends of other systems": (rules, random) => ({ "/p/50.policy": rules.join(random.pick(["\r\n", "\r"])) }),
	"each rule twice": (rules) => file(rules.flatMap((rule) => [rule, rule])),
	"a rule twice, the second time anywhere behind the first": (rules, random) => {
		const at = random.int(rules.length);
		// For what a rule is about its first copy has the last word, also on what an ask offers.
		return file([...rules.slice(0, at + 1), ...insert(rules.slice(at + 1), [rules[at] as string], random)]);
	},
	"rules for another source": (rules, random) => {
		const others = randomRules(random, 6).map((rule) => {
			const [service, argument, , ...rest] = rule.split(" ");
			return `${service} ${argument} nobody-calls ${rest.join(" ")}`;
		});
		return file(insert(rules, others, random));
	},
	"parameters that say what holds anyway": (rules) =>
		file(
			rules.map((rule) => {
				const isDeny = rule.split(" ")[4] === "deny";
				let longer = rule;
				if (!rule.includes("notify=")) longer += ` notify=${isDeny ? "yes" : "no"}`;
				if (!isDeny && !rule.includes("autostart=")) longer += " autostart=yes";
				if (!isDeny && !rule.includes("user=")) longer += " user=";
				return longer;
			}),
		),
};

for (const [what, change] of Object.entries(CHANGES)) {
	test(`what comes of a call is not changed by ${what}`, (t) => {
		const seed = chooseSeed();
		const random = new Random(seed);
		for (let i = 0; i < POLICIES; i++) {
			const rules = randomRules(random, 12);
			const call = randomCall(random);
			const tree = change(rules, random);
			const context = `QUBES_TEST_SEED=${seed}, policy ${i}: ${JSON.stringify({ call, rules, tree }, null, 1)}`;
			const wanted = random.oneIn(2) ? call.service : null;
			t.deepEqual(outcome(tree, call, wanted), outcome(file(rules), call), context);
		}
	});
}

test("a deny of all at the end decides only what no rule was about", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	let undecided = 0;
	for (let i = 0; i < POLICIES; i++) {
		const rules = randomRules(random, 6);
		const call = randomCall(random);
		const context = `QUBES_TEST_SEED=${seed}, policy ${i}: ${JSON.stringify({ call, rules }, null, 1)}`;
		const before = outcome(file(rules), call);
		const after = outcome(file([...rules, "* * * * deny"]), call);
		if (before.decided) {
			t.deepEqual(after, before, context);
			continue;
		}
		undecided++;
		t.like(after, { decision: "deny", reason: "denied-by-rule", rule: "* * * * deny" }, context);
	}
	t.true(undecided > 0 && undecided < POLICIES, `QUBES_TEST_SEED=${seed}: ${undecided} undecided`);
});

test("a deny of all at the start decides every call that is sound", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	for (let i = 0; i < POLICIES; i++) {
		const rules = ["* * * * deny", ...randomRules(random, 6)];
		const call = randomCall(random);
		const context = `QUBES_TEST_SEED=${seed}, policy ${i}: ${JSON.stringify({ call, rules }, null, 1)}`;
		const { text, rule, ...rest } = outcome(file(rules), call) as { text: string; rule?: string | null; reason?: string };
		t.is(text, "result=deny", context);
		if (rest.reason === "denied-by-rule") t.is(rule, "* * * * deny", context);
		else t.true(["unknown-source", "not-a-dispvm-template", "request-error"].includes(rest.reason ?? ""), context);
	}
});

test("clauses in a file for one service are what they are in five columns, however they are written", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	for (let i = 0; i < POLICIES; i++) {
		const clauses = randomRules(random, 8).map((rule) => rule.split(" ").slice(2).join(" "));
		const call = randomCall(random);
		const old = clauses.map((clause) =>
			clause
				.split(" ")
				.join(random.pick([" ", "\t", ",", " , "]))
				.split("@")
				.join("$"),
		);
		const context = `QUBES_TEST_SEED=${seed}, policy ${i}: ${JSON.stringify({ call, clauses, old }, null, 1)}`;
		const wanted = outcome(file(clauses.map((clause) => `s.S * ${clause}`)), call);
		for (const lines of [clauses, old, ["# \u2014", ...clauses], ["# \u2014", ...old], ["", "  # x,y", "#,", ...clauses]]) {
			const tree = { ...file(["!include-service s.S * one"]), "/p/one": lines.join("\n") };
			t.deepEqual(outcome(tree, call, random.oneIn(2) ? call.service : null), wanted, context);
		}
	}
});

for (const end of ["source", "target"] as const) {
	test(`a call is decided alike whether its ${end} is given by name or by uuid`, (t) => {
		const seed = chooseSeed();
		const random = new Random(seed);
		for (let i = 0; i < POLICIES; i++) {
			const rules = randomRules(random, 12);
			const call = { ...randomCall(random), requestedSource: null };
			const qube = SYSTEM.find(call[end]);
			if (qube === null) continue;
			const context = `QUBES_TEST_SEED=${seed}, policy ${i}: ${JSON.stringify({ call, rules }, null, 1)}`;
			const byName = outcome(file(rules), { ...call, [end]: qube.name });
			const byUuid = outcome(file(rules), { ...call, [end]: `uuid:${qube.uuid()}` });
			// Names stand in messages and in the text as they were given.
			const same = { message: null, text: end === "source" ? byUuid.text : null };
			const target = "target" in byName ? { target: end === "source" ? byName.target : null } : {};
			t.deepEqual(
				{ ...byUuid, ...same, ...target },
				{ ...byName, message: null, text: end === "source" ? byName.text : null, ...target },
				context,
			);
		}
	});
}

test("random policies come to every kind of end", (t) => {
	const random = new Random(1);
	const ends = new Set<string>();
	for (let i = 0; i < 20 * POLICIES; i++) {
		const { decision, reason } = outcome(file(randomRules(random, 12)), randomCall(random)) as {
			decision?: string;
			reason?: string;
		};
		ends.add(reason ?? decision ?? "data-error");
	}
	const wanted = ["allow", "ask", "no-matching-rule", "denied-by-rule", "no-target", "no-default-dispvm", "autostart"];
	for (const end of [...wanted, "ask-no-targets", "loopback", "relay-not-set", "transport-not-set", "unknown-source"])
		t.true(ends.has(end), end);
	for (const end of ["not-a-dispvm-template", "request-error"]) t.true(ends.has(end), end);
});

test("the same seed gives the same policy, another one another", (t) => {
	const rules = (seed: number) => {
		const random = new Random(seed);
		return Array.from({ length: 10 }, () => randomRule(random));
	};
	t.deepEqual(rules(7), rules(7));
	t.notDeepEqual(rules(7), rules(8));
});
