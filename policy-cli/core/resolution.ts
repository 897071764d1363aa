import type { Reason } from "./reasons.ts";
import type { Rule } from "./rule.ts";

/** The call is allowed, as far as the rule goes; `target` is the final one. */
export interface Allowance {
	readonly decision: "allow";
	readonly rule: Rule;
	readonly target: string;
	readonly user: string | null;
	readonly autostart: boolean;
	readonly notify: boolean;
}

/** The user is to be asked for one of `targets`, which are sorted by code point. */
export interface Question {
	readonly decision: "ask";
	readonly rule: Rule;
	readonly targets: readonly string[];
	readonly defaultTarget: string | null;
	readonly user: string | null;
	readonly autostart: boolean;
	readonly notify: boolean;
}

/** The call is denied; `rule` is the one that was chosen before, null if none was. */
export interface Denial {
	readonly decision: "deny";
	readonly rule: Rule | null;
	readonly reason: Reason;
	/** One line for people, with the names as they came: not yet fit for a log. */
	readonly message: string;
	/** Whether the user is to be told. */
	readonly notify: boolean;
}

/** What the policy says to a call. */
export type Resolution = Allowance | Question | Denial;

/** Makes a denial; the user is told unless `notify` says otherwise. */
export function deny(reason: Reason, message: string, more: { rule?: Rule | null; notify?: boolean } = {}): Denial {
	return { decision: "deny", rule: more.rule ?? null, reason, message, notify: more.notify ?? true };
}
