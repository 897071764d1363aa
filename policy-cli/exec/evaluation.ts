import { DENY_TEXT } from "../core/answer.ts";
import { type Request, splitService } from "../core/call.ts";
import { describeFileError, isFileError } from "../core/files.ts";
import { deny } from "../core/resolution.ts";
import type { Host } from "../host/host.ts";
import { type Decision, decide } from "./decide.ts";
import { ERROR, warn } from "./log.ts";
import type { Options } from "./options.ts";
import { explain, reportJson } from "./report.ts";
import { type Caller, prepareService, StartError } from "./run-service.ts";
import { type Outcome, settle } from "./settle.ts";
import { Teller } from "./tell.ts";

/** How long the lines may take that are logged for one answer, in seconds. */
const LOG_SECONDS = 4;

/** One call on its way, from the command line to the answer (main.ts). */
export class Evaluation {
	private readonly host: Host;
	private readonly options: Options;
	private readonly request: Request;
	/** Who wants to be connected by us; null where qrexec-daemon connects by our answer. */
	private readonly caller: Caller | null;
	private readonly teller: Teller;
	/** Whether an answer was begun, so that no other one may follow. */
	private answered = false;

	constructor(host: Host, options: Options, words: readonly string[]) {
		this.host = host;
		this.options = options;
		const [domainId, source, target, service, processIdent] = (words.length === 5 ? words : ["", ...words, ""]) as [
			string,
			string,
			string,
			string,
			string,
		];
		this.caller = words.length === 5 ? { domainId, source, service, processIdent } : null;
		this.request = { source, target, requestedSource: options.requestedSource, ...splitService(service) };
		this.teller = new Teller(host, options, this.request, service);
	}

	/** Decides, tells and answers; returns the exit status. Never throws for what comes from outside. */
	run(): number {
		// A second more than each step has, so that the step that takes too long is the one that is named.
		this.arm(this.options.timeoutSeconds + 1);
		try {
			const decision = this.host.args.some(hasReplacement) ? this.refuseBytes() : decide(this.host, this.options, this.request);
			const warnings = [...decision.warnings];
			const outcome = settle(this.host, this.options, decision, warnings, (wait) => this.waitForUser(wait));
			this.armForAnswer();
			if (this.isQuiet()) return this.report(outcome, decision, warnings);
			for (const warning of warnings) warn(this.host, warning);
			this.teller.warnRelay(decision);
			this.teller.logOutcome(outcome, decision);
			this.teller.notify(outcome, decision);
			return this.deliver(outcome, decision);
		} catch (error) {
			return this.denyDefect(error);
		}
	}

	private arm(seconds: number): void {
		this.host.arm(seconds, {
			answer: this.denyAnswer("stopped before it was decided"),
			logText: this.teller.lastWords(),
			logSocket: this.isQuiet() ? "" : this.options.logSocket,
		});
	}

	/** The steps from here have limits of their own: the notification, and a second for each line of the log. */
	private armForAnswer(): void {
		this.arm(this.options.timeoutSeconds + LOG_SECONDS);
	}

	/** Waits for the user, who takes the time it takes. */
	private waitForUser<T>(wait: () => T): T {
		this.arm(0);
		try {
			return wait();
		} finally {
			this.armForAnswer();
		}
	}

	/** What is written to standard output for a denial that is no decision of the policy. */
	private denyAnswer(message: string): string {
		if (this.isQuiet()) {
			const outcome = { resolution: deny("internal-error", message, { notify: false }), connection: null };
			return this.options.json ? reportJson(outcome, null, []) : explain(outcome, null, this.request, []);
		}
		return this.isAnswered() ? `${DENY_TEXT}\n` : "";
	}

	private isQuiet(): boolean {
		return this.options.json || this.options.explain;
	}

	/** Whether the result text goes to standard output: not where that is the service's or only the status counts. */
	private isAnswered(): boolean {
		return this.caller === null && !this.options.justEvaluate;
	}

	/** A name that was not UTF-8 cannot be shown or compared as it was. */
	private refuseBytes(): Decision {
		const resolution = deny("bad-request", "the command line is not valid UTF-8", { notify: false });
		return { resolution, call: null, system: null, errorAt: null, warnings: [] };
	}

	private report(outcome: Outcome, { errorAt }: Decision, warnings: readonly string[]): number {
		const status = outcome.resolution.decision === "allow" ? 0 : 1;
		const text = this.options.json ? reportJson(outcome, errorAt, warnings) : explain(outcome, errorAt, this.request, warnings);
		return this.answer(text, status);
	}

	/** Gives the answer to whoever waits for it; returns the exit status. */
	private deliver({ resolution, connection }: Outcome, { call }: Decision): number {
		if (resolution.decision !== "allow" || call === null) return this.answer(this.isAnswered() ? `${DENY_TEXT}\n` : "", 1);
		if (connection === null) return 0;
		const { host, options, caller } = this;
		if (caller === null) return this.answer(`${connection.text}\n`, 0);
		try {
			// A qube may start slowly (its limit is in run-service.ts), and a service takes the time it takes.
			this.arm(0);
			const command = prepareService(host, options, connection, call.target, call.policySource, caller);
			return host.run(command, null, 0).status;
		} catch (error) {
			this.armForAnswer();
			if (!(error instanceof StartError)) throw error;
			this.teller.log(ERROR, `denied: ${error.message}`);
			return 1;
		}
	}

	/** Writes to standard output, unless that was begun before; returns the status. */
	private answer(text: string, status: number): number {
		if (text === "" || this.answered) return status;
		this.answered = true;
		this.host.write(1, text);
		return status;
	}

	/** What should not have happened: a failed write, a defect. Denied, with its line in the log. */
	private denyDefect(error: unknown): number {
		const message = isFileError(error) ? describeFileError(error) : `internal error: ${String(error)}${stackOf(error)}`;
		if (!this.isQuiet()) this.teller.log(ERROR, `denied: ${message}`);
		try {
			return this.answer(this.denyAnswer(message), 1);
		} catch {
			// Nobody reads the answer, which is a denial too.
			return 1;
		}
	}
}

/** Where a defect is, as far as a line of the log has room for it. */
function stackOf(error: unknown): string {
	const stack = error instanceof Error ? (error.stack ?? "") : "";
	const places = stack.split("\n").map((line) => line.trim());
	const innermost = places.filter((line) => line.startsWith("at ")).slice(0, 5);
	return ` (${innermost.join(" ")})`;
}

/** Every byte that is not UTF-8 has become this character. */
function hasReplacement(argument: string): boolean {
	return argument.indexOf("\ufffd") >= 0;
}
