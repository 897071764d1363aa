import { AdminError } from "./errors.ts";
import { readBoolean } from "./properties/property.ts";

const MAX_DIGITS = 19;

/**
 * A whole number of a payload (spec 7.4): at most 19 ASCII digits without leading zeros, with `-` in front where negative ones are allowed; one that would be
 * rounded is refused. `name` is what it is, with a capital, for messages. Throws a ProtocolError.
 */
export function parseNumber(name: string, text: string, { negative = false } = {}): number {
	const digits = negative && text.startsWith("-") ? text.slice(1) : text;
	if (!/^[0-9]+$/.test(digits)) throw new AdminError("ProtocolError", `${name} contains non ASCII digits`);
	if (digits.length > MAX_DIGITS) throw new AdminError("ProtocolError", `${name} is bigger than ${MAX_DIGITS} decimal digits`);
	if (digits.startsWith("0") && text !== "0") throw new AdminError("ProtocolError", `${name} contains spurious leading zeros`);
	const number = Number(text);
	if (Number.isSafeInteger(number)) return number;
	throw new AdminError("ProtocolError", `${name} is bigger than 2^53-1`);
}

/** Yes or no of a payload (spec 7.4). Throws a ProtocolError. */
export function parseFlag(payload: Buffer): boolean {
	const flag = readBoolean(payload.toString("latin1"));
	if (flag === null) throw new AdminError("ProtocolError", "Payload is not boolean ASCII");
	return flag;
}
