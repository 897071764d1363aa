/**
 * Every reason a call can be denied for, in the order in which they are looked at (spec 3.3, 5, 6, 7); but a `data-error`
 * comes where the field is needed that is wrong.
 * The words are part of the `--json` output; docs/reasons.md explains them, a test compares the two lists.
 */
export const REASONS = [
	"bad-request",
	"syntax-error",
	"invalid-filename",
	"load-error",
	"system-info-error",
	"data-error",
	"unknown-source",
	"invalid-target-token",
	"not-a-dispvm-template",
	"request-error",
	"no-matching-rule",
	"bad-user",
	"denied-by-rule",
	"no-target",
	"no-default-dispvm",
	"autostart",
	"ask-no-targets",
	"ask-not-possible",
	"not-a-valid-choice",
	"denied-by-user",
	"agent-error",
	"loopback",
	"relay-not-set",
	"transport-not-set",
	"unfit-answer",
	"internal-error",
] as const;

export type Reason = (typeof REASONS)[number];
