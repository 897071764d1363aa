import { type Connection, checkConnection, refuseText } from "../core/answer.ts";
import type { Call } from "../core/call.ts";
import { afterPrefix } from "../core/names.ts";
import { type Allowance, type Denial, deny, type Question, type Resolution } from "../core/resolution.ts";
import type { SystemInfo } from "../core/system-info.ts";
import type { Host } from "../host/host.ts";
import { AgentError, askAgent } from "./agent.ts";
import { type Decision, denyForData } from "./decide.ts";
import { ERROR, log } from "./log.ts";
import type { Options } from "./options.ts";

/** What comes of a decision in the end. A question is left only where nobody is to be asked. */
export type Outcome =
	| { readonly resolution: Denial | Question; readonly connection: null }
	/** `connection` is null with `--just-evaluate`, which looks no further than the rules (Q16). */
	| { readonly resolution: Allowance; readonly connection: Connection | null };

/** Does what waits for the user, who takes the time it takes. */
type WaitForUser = (wait: () => string) => string;

/** Gets the answer to a question and does the last checks of an allowance (spec 6.6). Warnings are added to the list. */
export function settle(host: Host, options: Options, decision: Decision, warnings: string[], waitForUser: WaitForUser): Outcome {
	if (decision.call === null) return { resolution: decision.resolution, connection: null };
	const { call, system } = decision;
	try {
		const resolution = settleQuestion(host, options, decision.resolution, call, system, waitForUser);
		if (resolution.decision !== "allow") return { resolution, connection: null };
		if (options.justEvaluate) return { resolution, connection: null };
		const connection = checkConnection(resolution, call, system, warnings);
		if ("decision" in connection) return { resolution: connection, connection: null };
		const refusal = refuseText(connection, resolution);
		if (refusal === null) return { resolution, connection };
		if (!options.json && !options.explain) return { resolution: refusal, connection: null };
		// What the policy says is still worth knowing.
		warnings.push(`qrexec could not take it: ${refusal.message}`);
		return { resolution, connection };
	} catch (error) {
		return { resolution: denyForData(error), connection: null };
	}
}

function settleQuestion(
	host: Host,
	options: Options,
	resolution: Resolution,
	call: Call,
	system: SystemInfo,
	waitForUser: WaitForUser,
): Resolution {
	if (resolution.decision !== "ask") return resolution;
	const { rule } = resolution;
	if (options.assumeYes) {
		if (resolution.targets.includes(call.target)) return allowChosen(resolution, call.target);
		return deny("not-a-valid-choice", `target ${call.target} is not a valid choice`, { rule });
	}
	if (options.justEvaluate) {
		return deny("ask-not-possible", "the user would have to be asked", { rule, notify: resolution.notify });
	}
	if (options.json || options.explain) return resolution;
	return askUser(host, options, resolution, call, system, waitForUser);
}

function askUser(
	host: Host,
	options: Options,
	question: Question,
	call: Call,
	system: SystemInfo,
	waitForUser: WaitForUser,
): Allowance | Denial {
	const { rule, notify } = question;
	const service = call.service + call.argument;
	const guivm = system.find(call.source)?.guivm() ?? null;
	if (guivm === null) {
		log(
			host,
			options.logSocket,
			ERROR,
			`${service} not allowed from ${call.source}: nobody to ask, the source domain has no GuiVM`,
		);
		return deny("denied-by-user", "nobody to ask", { rule, notify });
	}
	let reply: string;
	try {
		reply = waitForUser(() => askAgent(host, options, guivm, question, call, system));
	} catch (error) {
		if (!(error instanceof AgentError)) throw error;
		// The user could not be told either, and it would take the same time once more.
		return deny("agent-error", `cannot ask the user in ${guivm}: ${error.message}`, { rule, notify: false });
	}
	if (reply === "deny") return deny("denied-by-user", "denied by the user", { rule, notify });
	const target = afterPrefix(reply, "allow:");
	if (target === null) {
		log(host, options.logSocket, ERROR, `invalid ask response for ${service}: ${reply}`);
		return deny("agent-error", `invalid answer of the policy agent in ${guivm}`, { rule });
	}
	if (question.targets.includes(target)) return allowChosen(question, target);
	return deny("not-a-valid-choice", `target ${target} is not a valid choice`, { rule });
}

function allowChosen(question: Question, target: string): Allowance {
	const { rule, user, autostart, notify } = question;
	return { decision: "allow", rule, target, user, autostart, notify };
}
