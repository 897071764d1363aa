import { execFile } from "node:child_process";
import { log } from "../log.ts";

/** Part of systemd, which is what sets NOTIFY_SOCKET. */
const NOTIFIER = "/usr/bin/systemd-notify";
/** In milliseconds. */
const TIME_LIMIT = 5_000;

/**
 * Tells the service manager that we are ready (spec 7.1): `READY=1` and `STATUS=…`, if NOTIFY_SOCKET is set. Never rejects: what fails is logged.
 *
 * Node has no unix datagram sockets, so systemd-notify sends it; as root it does so in the name of the process that started it, which is
 * us, and that is what `NotifyAccess=main` wants. It knows of the abstract sockets with a leading `@`.
 */
export function notifyReady(status: string, notifier = NOTIFIER): Promise<void> {
	// A line end would start another assignment.
	return tell(["--ready", `--status=${status.replace(/[\r\n]+/g, " ")}`], "that we are ready", notifier);
}

/** Tells the service manager that a start or an end that is under way takes up to so many seconds more, if NOTIFY_SOCKET is set. Never rejects. */
export function notifyMoreTime(seconds: number, notifier = NOTIFIER): Promise<void> {
	return tell([`EXTEND_TIMEOUT_USEC=${seconds * 1_000_000}`], "that we need more time", notifier);
}

function tell(args: readonly string[], what: string, notifier: string): Promise<void> {
	const socket = process.env["NOTIFY_SOCKET"];
	if (socket === undefined || socket === "") return Promise.resolve();
	return new Promise((resolve) => {
		execFile(notifier, args, { timeout: TIME_LIMIT }, (error, _stdout, stderr) => {
			if (error !== null) log("warning", `cannot tell "${socket}" ${what}: ${stderr.trim() || error.message}`);
			resolve();
		});
	});
}
