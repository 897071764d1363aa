import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { RunResult } from "./host.ts";
import { attempt, decode, hostError } from "./node-files.ts";

const MAX_OUTPUT_BYTES = 65536;

/** See Host.run. */
export function run(argv: readonly string[], input: string | null, seconds: number): RunResult {
	const [program, ...args] = argv as [string, ...string[]];
	// Node would look for a name without a slash in PATH.
	const file = path.resolve(program);
	refuseOtherFormats(file, program);
	const piped = input !== null;
	const { status, signal, stdout, error } = spawnSync(file, args, {
		argv0: program,
		...(piped ? { input } : {}),
		stdio: [piped ? "pipe" : "inherit", piped ? "pipe" : "inherit", "inherit"],
		maxBuffer: MAX_OUTPUT_BYTES,
		killSignal: "SIGKILL",
		timeout: seconds * 1000,
	});
	// A program that ends without reading its input is judged by its status.
	if (error !== undefined && (error as NodeJS.ErrnoException).code !== "EPIPE") throw hostError(error, "run", program);
	const number = signal === null ? 0 : constants.signals[signal];
	return { status: status ?? 128 + number, output: piped ? decode(stdout, program) : "" };
}

/** Node takes a file that the kernel cannot run for a shell script; to us it is no program. */
function refuseOtherFormats(file: string, program: string): void {
	const start = attempt("run", program, () => {
		const fd = fs.openSync(file, "r");
		try {
			const bytes = Buffer.alloc(4);
			return bytes.toString("latin1", 0, fs.readSync(fd, bytes));
		} finally {
			fs.closeSync(fd);
		}
	});
	if (start !== "\x7fELF" && !start.startsWith("#!")) throw { code: "ENOEXEC", operation: "run", path: program };
}
