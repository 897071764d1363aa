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
		writeError(host, text);
	}
}

/** Tells whoever reads standard error that something in the policy or the call is odd (spec 7). */
export function warn(host: Host, text: string): void {
	writeError(host, `WARNING:root:${escapeControls(text)}`);
}

function writeError(host: Host, line: string): void {
	try {
		host.write(2, `${line}\n`);
	} catch {
		// There is nobody left to tell; the decision stands.
	}
}
