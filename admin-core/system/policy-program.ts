import { spawnSync } from "node:child_process";
import { log } from "../log.ts";
import type { PolicyEvaluator, PolicyQuestion } from "../model/policy.ts";

/** All times in milliseconds. An answer counts for so long, as the policy may be another by then. */
const FRESH = 1_000;
/** After a failure nothing is asked for so long, so that a program that hangs does not hold up everything. */
const PAUSE = 10_000;
const TIME_LIMIT = 2_000;
const MAX_OUTPUT = 1 << 20;
const MAX_LOGGED = 100;

/** Where the program is, and what it reads. */
export interface PolicyProgramOptions {
	readonly program: string;
	/** Policy directories, instead of those of the system if there are any. */
	readonly policyDirs: readonly string[];
	/** Tells the time, for tests. */
	readonly now?: () => number;
}

/** What `qrexec-policy-exec --json` prints, as far as it matters here. */
interface Verdict {
	readonly decision: string;
	/** The one that decided, null if none did. */
	readonly rule?: object | null;
	readonly reason?: string;
	readonly message?: string;
}

/**
 * Asks `qrexec-policy-exec`, the program that decides the calls themselves. It is given the system information on its standard input, as this
 * daemon could not answer it meanwhile. Only an unconditional allow counts, also one with `target=`; a failure is logged once.
 */
export class PolicyProgram implements PolicyEvaluator {
	private readonly options: PolicyProgramOptions;
	private readonly now: () => number;
	/** By call; all of them are of one time, and for the same system information. */
	private answers = new Map<string, boolean>();
	private systemInfo = "";
	private freshUntil = 0;
	private pausedUntil = 0;
	/** What went wrong and stands in the log. */
	private readonly logged = new Set<string>();

	constructor(options: PolicyProgramOptions) {
		this.options = options;
		this.now = options.now ?? (() => performance.now());
	}

	allows(question: PolicyQuestion): boolean {
		const now = this.now();
		if (now < this.pausedUntil) return false;
		if (now >= this.freshUntil || question.systemInfo !== this.systemInfo) {
			this.answers = new Map();
			this.systemInfo = question.systemInfo;
			this.freshUntil = now + FRESH;
		}
		const call = [question.source, question.target, `${question.service}+${question.argument}`];
		const key = call.join(" ");
		const known = this.answers.get(key);
		if (known !== undefined) return known;
		const answer = this.judge(call, question.systemInfo);
		this.answers.set(key, answer);
		return answer;
	}

	private judge(call: readonly string[], systemInfo: string): boolean {
		try {
			const { decision, rule, reason = "", message = reason } = this.run(call, systemInfo);
			// A denial by no rule: the program could not decide, as the policy cannot be read or the like.
			if (decision === "deny" && rule === null && reason !== "no-matching-rule") this.tell(message);
			return decision === "allow";
		} catch (error) {
			this.pausedUntil = this.now() + PAUSE;
			this.tell((error as Error).message);
			return false;
		}
	}

	/** Throws an Error where there is no verdict. */
	private run(call: readonly string[], systemInfo: string): Verdict {
		const { program, policyDirs } = this.options;
		const paths = policyDirs.flatMap((dir) => ["--path", dir]);
		const args = [...paths, "--system-info", "-", "--json", "--", ...call];
		const limits = { timeout: TIME_LIMIT, killSignal: "SIGKILL", maxBuffer: MAX_OUTPUT } as const;
		const { error, status, stdout, stderr } = spawnSync(program, args, { input: systemInfo, encoding: "utf8", ...limits });
		if (error !== undefined) throw error;
		if (status !== 0 && status !== 1) throw new Error(`status ${status}: ${stderr.trim()}`);
		const verdict = JSON.parse(stdout) as Verdict;
		if ((verdict.decision === "allow") === (status === 0)) return verdict;
		throw new Error(`status ${status} with the decision ${verdict.decision}`);
	}

	private tell(failure: string): void {
		if (this.logged.has(failure)) return;
		if (this.logged.size === MAX_LOGGED) this.logged.clear();
		this.logged.add(failure);
		log("error", `${this.options.program} cannot say what qubes other than dom0 may see, so they do not see it: ${failure}`);
	}
}
