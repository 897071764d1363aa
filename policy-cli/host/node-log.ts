import { spawnSync } from "node:child_process";
import { hostError } from "./node-files.ts";

/** No datagram is larger, in KiB. */
const MAX_KIB = 1024;
const PRIORITIES: { readonly [prefix: string]: string | undefined } = {
	"<14>": "user.info",
	"<12>": "user.warning",
	"<11>": "user.err",
};

/** See Host.sendLog. Node has no unix datagram sockets, so the system's `logger` sends the line, with a time and the tag `qrexec`. */
export function sendLog(socketPath: string, text: string): void {
	const prefix = text.slice(0, 4);
	const args = ["--socket", socketPath, "--socket-errors=on", "--size", `${MAX_KIB}KiB`];
	args.push("--priority", PRIORITIES[prefix] ?? "user.err", "--tag", "qrexec");
	const { status, stderr, error } = spawnSync("/usr/bin/logger", args, {
		input: `${text.slice(prefix.length)}\n`,
		stdio: ["pipe", "ignore", "pipe"],
		timeout: 1000,
	});
	if (error !== undefined) throw hostError(error, "log", socketPath);
	// It ends with 0 also where a line was too long to be sent.
	if (status !== 0 || stderr.length > 0) throw { code: "EIO", operation: "log", path: socketPath };
}
