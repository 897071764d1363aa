// The reasons that only policy-cli/exec gives, most of which no report shows: what is asked there, nobody sees.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { splitService } from "../../../policy-cli/core/call.ts";
import type { Resolution } from "../../../policy-cli/core/resolution.ts";
import { decide } from "../../../policy-cli/exec/decide.ts";
import { run } from "../../../policy-cli/exec/main.ts";
import { parseArguments } from "../../../policy-cli/exec/options.ts";
import { settle } from "../../../policy-cli/exec/settle.ts";
import { CapturingHost, runInProcess } from "../../support/in-process.ts";
import { respond, SYSTEM_INFO, writePolicy } from "./scenarios.ts";

const home = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-reasons-"));
writePolicy(home);
fs.writeFileSync(`${home}/system-info.json`, SYSTEM_INFO);
test.after.always(() => fs.rmSync(home, { recursive: true, force: true }));

const SOUND = ["--path", `${home}/etc`, "--legacy-dir", `${home}/old`];

/** What becomes of a call from `a` of `s.Ask` when the agent replies so; null for no agent. */
function settleCall(reply: string | null, args: readonly string[], target: string): Resolution {
	const invocation = parseArguments([...SOUND, ...args, "a", target, "s.Ask"]);
	if (invocation.kind !== "evaluate") throw new Error(invocation.kind);
	const host = new CapturingHost([], {
		log: true,
		call: (socketPath, request) => {
			if (!socketPath.endsWith("policy.Ask")) return respond(request);
			if (reply === null) throw { code: "ENOENT", operation: "connect", path: socketPath };
			return reply;
		},
	});
	const request = { source: "a", target, requestedSource: null, ...splitService("s.Ask") };
	return settle(host, invocation.options, decide(host, invocation.options, request), [], (wait) => wait()).resolution;
}

for (const [title, reply, args, target, reason] of [
	["the user may refuse", "deny", [], "b", "denied-by-user"],
	["no agent is an error", null, [], "b", "agent-error"],
	["an empty reply is an error", "", [], "b", "agent-error"],
	["a reply with a line end is an error", "deny\n", [], "b", "agent-error"],
	["what was not offered cannot be chosen", "allow:nosuch", [], "b", "not-a-valid-choice"],
	["the caller itself cannot be chosen", "allow:a", [], "b", "not-a-valid-choice"],
	["nothing is not a choice", "allow:", [], "b", "not-a-valid-choice"],
	[
		"with --assume-yes-for-ask the target has to be one of those offered",
		null,
		["--assume-yes-for-ask"],
		"@dispvm",
		"not-a-valid-choice",
	],
	["with --just-evaluate nobody is asked", null, ["--just-evaluate"], "b", "ask-not-possible"],
] as const) {
	test(`${title}: ${reason}`, (t) => {
		const resolution = settleCall(reply, args, target);
		t.is(resolution.decision, "deny");
		t.is(resolution.decision === "deny" ? resolution.reason : null, reason);
	});
}

test("what the user chooses is allowed, so that the denials above are no accident", (t) => {
	const resolution = settleCall("allow:b", [], "@default");
	t.is(resolution.decision === "allow" ? resolution.target : null, "b");
});

test("no system information: system-info-error", (t) => {
	t.is(reasonOf([...SOUND, "--json", "a", "b", "s.Allow"]), "system-info-error");
	t.is(reasonOf([...SOUND, "--json", "--system-info", `${home}/none`, "a", "b", "s.Allow"]), "system-info-error");
});

test("a defect is a denial, and so are the words of a run that is cut off: internal-error", (t) => {
	const host = new CapturingHost([...SOUND, "--json", "--system-info", `${home}/system-info.json`, "a", "b", "s.Allow"]);
	host.readLink = () => {
		throw new TypeError("a defect");
	};
	t.is(run(host), 1);
	for (const text of [host.stdout, host.armed?.lastWords.answer]) {
		t.like(JSON.parse(text ?? ""), { decision: "deny", result: "result=deny", reason: "internal-error" });
	}
});

function reasonOf(args: readonly string[]): string {
	return (JSON.parse(runInProcess(args).stdout) as { reason: string }).reason;
}
