import { spawnSync } from "node:child_process";

/** Something that the native build needs is not on this machine; the message says what, and how to get it. */
export class MissingToolError extends Error {}

/** Runs a program, which must succeed; returns its standard output as bytes. */
export function run(program, args, options = {}) {
	const { status, stdout, stderr, error } = spawnSync(program, args, { maxBuffer: 1 << 28, ...options });
	if (error !== undefined) throw new Error(`${program}: ${error.message}`);
	if (status !== 0) throw new Error(`${program} ${args.join(" ")}: exit status ${status}\n${stderr}`);
	return stdout;
}

/** Whether a program is there and runs. */
export function succeeds(program, args, input = "") {
	return spawnSync(program, args, { input, stdio: ["pipe", "ignore", "ignore"] }).status === 0;
}
