import { BaseError } from "./base-error.ts";

/** Something wrong in one field of a line; where exactly is worked out when it is reported. */
export class FieldError extends BaseError {
	/** Which field of the line, from 0; one more than there are means its end. */
	readonly field: number;
	/** How many characters into the field. */
	readonly offset: number;

	constructor(field: number, message: string, offset = 0) {
		super(message);
		this.field = field;
		this.offset = offset;
	}
}
