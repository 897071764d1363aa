import type { Run } from "./command.ts";

/** Runs a command as a program. An entry is: import `run` of the command, import this, `main(run)`. */
export async function main(run: Run): Promise<void> {
	// `qvm-ls | head -1`: whoever reads us may go, which is no error of ours.
	for (const stream of [process.stdout, process.stderr]) {
		stream.on("error", (error: NodeJS.ErrnoException) => {
			if (error.code !== "EPIPE") throw error;
		});
	}
	// Not process.exit(): a pipe takes what was written only after we are back.
	process.exitCode = await run(process.argv.slice(2), process);
}
