import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Run } from "./command.ts";

/** Runs a command as a program. An entry is: import `run` of the command, import this, `main(run)`. */
export async function main(run: Run): Promise<void> {
	// `qvm-ls | head -1`: whoever reads us may go, which is no error of ours.
	for (const stream of [process.stdout, process.stderr]) {
		stream.on("error", (error: NodeJS.ErrnoException) => {
			if (error.code !== "EPIPE") throw error;
		});
	}
	const io = {
		stdout: process.stdout,
		stderr: process.stderr,
		// Only to be touched by who wants to read it.
		get stdin() {
			return process.stdin;
		},
		env: process.env,
		programs: path.dirname(fileURLToPath(import.meta.url)),
	};
	// Not process.exit(): a pipe takes what was written only after we are back.
	process.exitCode = await run(process.argv.slice(2), io);
}
