import { AdminError } from "../errors.ts";

/** What a device can do: the class, pci, usb, block, mic or unknown, then six digits that say more (spec 4.3). */
const INTERFACE = /^[bump?][0-9a-f*]{6}$/;
/** In a list of what is denied, `*` is any class. */
const DENIED = /^[bump*][0-9a-f*]{6}$/;
const LENGTH = 7;

/** That of a device of which nobody knows what it can do. */
export const UNKNOWN_INTERFACE = "?******";

/** Whether a text is the code of one interface. */
export function isInterface(text: string): boolean {
	return INTERFACE.test(text);
}

/**
 * The codes in the text of the property `devices_denied`, which stand in it without anything between them (spec 8.8).
 * Throws a QubesValueError for a length that is none, a QubesPropertyValueError for what is no code.
 */
export function parseDenied(text: string): string[] {
	if (text.length % LENGTH !== 0) {
		throw new AdminError("QubesValueError", `device interfaces: want ${LENGTH} characters each, not ${text.length} in all`);
	}
	const codes = splitDenied(text);
	const wrong = codes.find((code) => !DENIED.test(code));
	if (wrong === undefined) return codes;
	throw new AdminError("QubesPropertyValueError", `device interface '${wrong}': want one of b u m p *, then six of 0-9 a-f *`);
}

/** Whether a device is denied by the text of `devices_denied`, for one of its interfaces. What is not known of an interface may be what is denied. */
export function isDenied(denied: string, interfaces: readonly string[]): boolean {
	return splitDenied(denied).some((code) => interfaces.some((one) => fits(code, one)));
}

/** A code that is too short stands for all that start like it. */
function fits(code: string, one: string): boolean {
	return [...one].every((character, index) => {
		const wanted = code[index] ?? "*";
		return wanted === "*" || wanted === character || character === "*" || character === "?";
	});
}

/** The codes in a text, whatever they are. */
export function splitDenied(text: string): string[] {
	return text.match(/.{1,7}/gs) ?? [];
}
