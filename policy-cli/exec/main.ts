/**
 * qrexec-policy-exec: decides one qrexec call and ends (spec 7).
 *
 * The way of a call: `run` reads the command line (options.ts), `decide` reads the policy and asks qubesd (decide.ts, core/load.ts,
 * core/evaluate.ts), `settle` asks the user and checks the connection (settle.ts, core/answer.ts), `Teller` logs and notifies
 * (tell.ts), then it is answered (evaluation.ts). Whatever is thrown on this way ends in `denyDefect` there.
 */
import { describeFileError, isFileError } from "../core/files.ts";
import type { Host } from "../host/host.ts";
import { Evaluation } from "./evaluation.ts";
import { complain } from "./log.ts";
import { helpText, type Invocation, parseArguments, usageError } from "./options.ts";

declare const QUBES_CORE_VERSION: string;

/** How long a text about the usage may take to be written, in seconds. */
const USAGE_SECONDS = 5;

/** Runs the program; returns its exit status. Never throws for what comes from outside. */
export function run(host: Host): number {
	const invocation = parseArguments(host.args);
	if (invocation.kind === "evaluate") return new Evaluation(host, invocation.options, invocation.words).run();
	host.arm(USAGE_SECONDS, { answer: "", logText: "", logSocket: "" });
	try {
		return instruct(host, invocation);
	} catch (error) {
		if (!isFileError(error)) throw error;
		complain(host, `qrexec-policy-exec: ${describeFileError(error)}`);
		return 1;
	}
}

/** Says what the program is or wants. */
function instruct(host: Host, invocation: Exclude<Invocation, { kind: "evaluate" }>): number {
	switch (invocation.kind) {
		case "help":
			host.write(1, helpText());
			return 0;
		case "version":
			host.write(1, `qrexec-policy-exec ${QUBES_CORE_VERSION}\n`);
			return 0;
		case "usage-error":
			host.write(2, usageError(invocation.message));
			return 2;
	}
}
