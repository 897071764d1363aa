// Each call of the host that a complete run makes throws once: what policy-cli/core and policy-cli/exec make of it, on every host.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { run } from "../../../policy-cli/exec/main.ts";
import type { Host, HostError, RunResult } from "../../../policy-cli/host/host.ts";
import { CapturingHost } from "../../support/in-process.ts";
import { firstFew } from "../../support/parallel.ts";
import { type End, judge, linesOf, type Report } from "./judge.ts";
import { options, respond, SCENARIOS, type Scenario, writePolicy } from "./scenarios.ts";

const home = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-faults-"));
writePolicy(home);
test.after.always(() => fs.rmSync(home, { recursive: true, force: true }));

/** What is thrown; the last one is no HostError, so it is a defect of somebody. */
const THROWN: { readonly [name: string]: unknown } = {
	EIO: { code: "EIO", operation: "try", path: "/somewhere" } satisfies HostError,
	EACCES: { code: "EACCES", operation: "try", path: "/somewhere" } satisfies HostError,
	ETIMEDOUT: { code: "ETIMEDOUT", operation: "try", path: "/somewhere" } satisfies HostError,
	Error: new Error("a defect"),
};

/** What does not end in `denied`, the first row that fits. */
const EXCEPTIONS: readonly {
	readonly fits: (made: Made, scenario: Scenario) => boolean;
	readonly end: End | "thrown on";
	readonly why: string;
}[] = [
	{ fits: ({ call }) => call === "sendLog", end: "same", why: "what cannot be logged goes to standard error" },
	{
		fits: ({ call, first }) => call === "write" && first === 2,
		end: "same",
		why: "nobody is left to be told; the decision stands",
	},
	{
		fits: ({ call, number }) => call === "arm" && number === 1,
		end: "thrown on",
		why: "the hosts end the run with the words of before",
	},
	{
		fits: ({ call, number }, { name }) => name === "notify" && /Call$/.test(call) && number === 2,
		...{ end: "same, with an error line", why: "that the user cannot be told changes nothing" },
	},
	{
		fits: ({ call }, { name }) => name === "deny" && call === "write",
		end: "denied, with two lines and no answer",
		why: "a denial is logged before it is answered, and an answer that was begun is not followed by another",
	},
	{
		fits: ({ call }) => call === "write",
		end: "denied, without an answer",
		why: "an answer that was begun is not followed by another",
	},
];

/** A call of a function of the host; `first` is its first argument. */
interface Made {
	readonly call: string;
	readonly number: number;
	readonly first: unknown;
}

interface RunReport extends Report {
	/** Whether what the host threw went on to whoever started the program. */
	readonly isThrownOn: boolean;
	readonly calls: readonly Made[];
}

for (const scenario of SCENARIOS) {
	test(`${scenario.name}: whatever the host throws, it ends in a denial with one line, or in what the table of exceptions says`, (t) => {
		const { status, stdout, logged, calls } = runFaulty(scenario);
		t.deepEqual(
			{ status, stdout, logged },
			{ status: scenario.status, stdout: scenario.stdout, logged: linesOf(scenario, home) },
		);
		const wrong: string[] = [];
		for (const made of calls) {
			for (const kind of Object.keys(THROWN)) {
				const end = EXCEPTIONS.find(({ fits }) => fits(made, scenario))?.end ?? "denied";
				const report = runFaulty(scenario, made, THROWN[kind]);
				const problem = judgeRun(scenario, end, report);
				if (problem === null) continue;
				wrong.push(
					`${made.call}:${made.number}:${kind}: want ${end}, but ${problem}: ${JSON.stringify([report.stdout, report.logged])}`,
				);
			}
		}
		t.log(`${calls.length} calls of ${new Set(calls.map(({ call }) => call)).size} functions`);
		t.true(calls.length > 20, "these are too few calls for a complete run");
		t.is(firstFew(wrong, 20), "");
	});
}

test("each function of the host is called in some run, and each row of the table of exceptions is of use", (t) => {
	const made = SCENARIOS.flatMap((scenario) => runFaulty(scenario).calls.map((one) => [one, scenario] as const));
	const functions = Object.values(made).map(([{ call }]) => call);
	t.deepEqual([...new Set(functions)].sort(), [
		"arm",
		"finishCall",
		"listFiles",
		"parseJson",
		"readLink",
		"readRows",
		"readText",
		"run",
		"sendLog",
		"startCall",
		"write",
	]);
	t.deepEqual(
		EXCEPTIONS.filter(({ fits }) => !made.some(([one, scenario]) => fits(one, scenario))),
		[],
	);
});

test("standard input that cannot be read is a denial", (t) => {
	for (const thrown of Object.values(THROWN)) {
		const host = new CapturingHost([
			"--json",
			"--path",
			`${home}/etc`,
			"--legacy-dir",
			`${home}/old`,
			"--system-info",
			"-",
			"a",
			"b",
			"s",
		]);
		host.readInput = () => {
			throw thrown;
		};
		t.is(run(host), 1);
		t.is((JSON.parse(host.stdout) as { decision: string }).decision, "deny");
	}
});

/** Runs a scenario; the call `at` throws. */
function runFaulty(scenario: Scenario, at: Made | null = null, thrown: unknown = null): RunReport {
	const host: CapturingHost = new CapturingHost([...options(home, "/log"), "--", ...scenario.words], {
		log: true,
		call: (_path, request) => respond(request),
		run: (argv) => runClient(host, argv),
	});
	const calls: Made[] = [];
	const counts = new Map<string, number>();
	const faulty = new Proxy(host, {
		get(target, name: string) {
			const member = target[name as keyof CapturingHost];
			if (typeof member !== "function") return member;
			return (...args: unknown[]): unknown => {
				const number = (counts.get(name) ?? 0) + 1;
				counts.set(name, number);
				calls.push({ call: name, number, first: args[0] });
				if (at !== null && at.call === name && at.number === number) throw thrown;
				return (member as (...args: unknown[]) => unknown).apply(target, args);
			};
		},
	}) as Host;
	let status: number | null = null;
	try {
		status = run(faulty);
	} catch (error) {
		if (error !== thrown) throw error;
	}
	const errors = host.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("WARNING:root:"));
	const logged = [...host.logged.map((line) => line.replace(/^<\d+>/, "")), ...errors];
	return { status, isThrownOn: status === null, stdout: host.stdout, logged, calls };
}

function runClient(host: CapturingHost, argv: readonly string[]): RunResult {
	const words = argv.join(" ");
	if (words.includes("policy.Ask")) return { status: 0, output: "allow:b" };
	if (words.includes("policy.Notify")) return { status: 0, output: "" };
	host.stdout += "from the service\n";
	return { status: 7, output: "" };
}

function judgeRun(scenario: Scenario, end: End | "thrown on", report: RunReport): string | null {
	if (end !== "thrown on") return report.isThrownOn ? "it is thrown on" : judge(scenario, home, end, report);
	return report.isThrownOn && report.stdout === "" ? null : "it is not thrown on";
}
