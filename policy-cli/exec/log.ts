import { escapeControls } from "../core/errors.ts";
import type { Host } from "../host/host.ts";

/** Syslog priorities of facility "user" (spec 7). */
export const INFO = "<14>";
export const WARNING = "<12>";
export const ERROR = "<11>";

/** Sends one line to the system log, to standard error if that is not there (Q43); never fails (spec 7). */
export function log(host: Host, logSocket: string, priority: string, line: string): void {
	const text = escapeControls(line);
	try {
		host.sendLog(logSocket, priority + text);
	} catch {
		complain(host, text);
	}
}

/** Tells whoever reads standard error that something in the policy or the call is odd (spec 7). */
export function warn(host: Host, text: string): void {
	complain(host, `WARNING:root:${escapeControls(text)}`);
}

/** Writes a line to standard error, as it is; never fails. */
export function complain(host: Host, line: string): void {
	try {
		host.write(2, `${line}\n`);
	} catch {
		// There is nobody left to tell; the decision stands.
	}
}
