/** What all our exceptions extend: one line that a built-in class cannot do without where classes become functions, as for QuickJS (build.mjs). */
export class BaseError extends Error {
	constructor(message: string) {
		super(message);
		Object.setPrototypeOf(this, new.target.prototype);
	}
}
