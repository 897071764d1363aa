import { type Connection, DENY_TEXT } from "../core/answer.ts";
import type { Request } from "../core/call.ts";
import { escapeControls, formatCaret, formatPlace, type Location } from "../core/errors.ts";
import type { Allowance } from "../core/resolution.ts";
import { formatRule, formatRulePlace, type Rule } from "../core/rule.ts";
import type { Outcome } from "./settle.ts";

/** One JSON object about a decision, with a line end: the shape of `expect` in the conformance vectors, and more. */
export function reportJson(outcome: Outcome, errorAt: Location | null, warnings: readonly string[]): string {
	return `${JSON.stringify({ ...describe(outcome, errorAt), warnings })}\n`;
}

function describe({ resolution, connection }: Outcome, errorAt: Location | null): object {
	const { decision, rule, notify } = resolution;
	const place = rule === null ? null : { file: rule.file, line: rule.line };
	switch (resolution.decision) {
		case "allow": {
			const result = connection?.text ?? "result=allow";
			// At a relay the rule's user is ignored.
			const user = connection === null ? resolution.user : connection.user;
			return { decision, result, rule: place, user, autostart: resolution.autostart, notify };
		}
		case "ask": {
			const { targets, defaultTarget, user, autostart } = resolution;
			return { decision, rule: place, targets_for_ask: targets, default_target: defaultTarget, user, autostart, notify };
		}
		case "deny": {
			const { reason, message } = resolution;
			const report = { decision, result: DENY_TEXT, reason, message, rule: place, notify };
			if (errorAt === null) return report;
			const { file, line, column } = errorAt;
			return { ...report, error_at: { file, line, column } };
		}
	}
}

/** What was decided and why, for people; several lines. */
export function explain(outcome: Outcome, errorAt: Location | null, request: Request, warnings: readonly string[]): string {
	const { resolution, connection } = outcome;
	const { source, target, service, argument, requestedSource } = request;
	const lines: [string, string][] = [["call", `${service}${argument}: ${source} -> ${target || "@default"}`]];
	if (requestedSource) lines.push(["for", requestedSource]);
	lines.push(["decision", resolution.decision]);
	if (resolution.decision === "deny") lines.push(["reason", `${resolution.message} (${resolution.reason})`]);
	lines.push(["rule", formatDecidingRule(resolution.rule)]);
	if (resolution.decision === "allow") lines.push(...explainConnection(resolution, connection));
	if (resolution.decision === "ask") {
		lines.push(["targets", resolution.targets.join(", ")], ["preselected", resolution.defaultTarget ?? "none"]);
	}
	for (const warning of warnings) lines.push(["warning", warning]);
	let text = "";
	for (const [label, value] of lines) text += `${label.padEnd(12)}${escapeControls(value)}\n`;
	if (errorAt !== null) text += `${"at".padEnd(12)}${escapeControls(formatPlace(errorAt))}\n${formatCaret(errorAt)}`;
	return text;
}

/** Where an allowed call goes, and what differs there from the common case. */
function explainConnection({ target, user, autostart }: Allowance, connection: Connection | null): [string, string][] {
	const lines: [string, string][] = [["target", connection?.target ?? target]];
	if (connection !== null && connection.service !== null) lines.push(["service", connection.service]);
	const as = connection === null ? user : connection.user;
	if (as !== null) lines.push(["user", as]);
	if (!autostart) lines.push(["autostart", "no"]);
	return lines;
}

function formatDecidingRule(rule: Rule | null): string {
	return rule === null ? "none: no rule decided this" : `${formatRulePlace(rule)}  ${formatRule(rule)}`;
}
