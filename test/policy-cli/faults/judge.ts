import type { Scenario } from "./scenarios.ts";

/**
 * How a run may end in which something went wrong. `denied`: deny, status 1, one line about it in the log; an allowance that was decided before may be
 * logged too. `same`: as if nothing had gone wrong, but a line may be on standard error that was for the log.
 */
export type End =
	| "denied"
	| "denied, without an answer"
	| "denied, with two lines"
	| "denied, with two lines and no answer"
	| "same"
	| "same, with an error line";

/** How a run ended; `logged` are the lines of the log and of standard error, without priorities and warnings. */
export interface Report {
	readonly status: number | null;
	readonly stdout: string;
	readonly logged: readonly string[];
}

/** The lines that a scenario logs when nothing goes wrong, without priorities; its policy is below `root`. */
export function linesOf({ logged }: Scenario, root: string): string[] {
	return logged.map((line) => line.replace("%{ROOT}", root).replace(/^<\d+>/, ""));
}

/** What is wrong with the end of a run; null if nothing is. `started`: the service may have written already what it has to say. */
export function judge(
	scenario: Scenario,
	root: string,
	end: End,
	{ status, stdout, logged }: Report,
	started = false,
): string | null {
	const lines = linesOf(scenario, root);
	if (end.startsWith("same")) {
		const others = logged.filter((line) => !lines.includes(line));
		if (status !== scenario.status || stdout !== scenario.stdout) return "the answer is another one";
		if (logged.length - others.length !== lines.length) return "the line about the decision is missing";
		return others.length === (end === "same" ? 0 : 1) ? null : `there are ${others.length} other lines`;
	}
	if (status !== 1) return "the status is another one";
	const written = started && stdout === scenario.stdout ? "" : stdout;
	const isAnswered = !scenario.five && !end.endsWith("answer");
	if (written !== (isAnswered ? "result=deny\n" : "")) return "it is no denial";
	const denials = logged.filter((line) => !line.includes(": allowed to "));
	const wanted = end.startsWith("denied, with two lines") ? 2 : 1;
	if (denials.length !== wanted) return `there are ${denials.length} lines about it`;
	// The second of two may be about an answer of the agent that is none.
	const isAbout = denials.some((line) => /denied: |error (loading policy|getting system info): /.test(line));
	return isAbout ? null : "the line is not about a denial";
}
