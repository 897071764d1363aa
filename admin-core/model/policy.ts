/** A call that nobody makes, to be judged by the qrexec policy (spec 7.6). */
export interface PolicyQuestion {
	/** Such as `admin.Events`. */
	readonly service: string;
	/** What stands behind the `+`; empty for none. */
	readonly argument: string;
	/** The name of a qube. */
	readonly source: string;
	/** The name of a qube, or `@adminvm`. */
	readonly target: string;
	/** Who the qubes are: JSON of spec 9.1. */
	readonly systemInfo: string;
}

/** Somebody who knows the qrexec policy. */
export interface PolicyEvaluator {
	/**
	 * Whether the policy allows a call, without asking anybody. Called while an event is fired or a list is made, so it is synchronous and should be
	 * quick. Never throws: what cannot be found out is not allowed.
	 */
	allows(question: PolicyQuestion): boolean;
}
