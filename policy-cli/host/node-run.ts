import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import type { RunResult } from "./host.ts";
import { attempt, decode, hostError } from "./node-files.ts";

const MAX_OUTPUT_BYTES = 65536;

/** A program on its way, and what comes of it: a RunResult, or a HostError is thrown. */
export interface Run {
	readonly child: ChildProcess;
	readonly result: Promise<RunResult>;
}

/** See Host.run. Throws a HostError where the program cannot be started at all. */
export function startProgram(argv: readonly string[], input: string | null, seconds: number): Run {
	const [program, ...args] = argv as [string, ...string[]];
	refuseOtherFormats(program);
	const stdio = input === null ? "inherit" : "pipe";
	// Node would look for a name without a slash in PATH.
	const child = attempt("run", program, () =>
		spawn(path.resolve(program), args, { argv0: program, stdio: [stdio, stdio, "inherit"] }),
	);
	// A program that ends without reading its input is judged by its status.
	child.stdin?.on("error", () => undefined);
	child.stdin?.end(input ?? "");
	const result = waitFor(child, program, seconds).catch((error) => {
		child.kill("SIGKILL");
		throw error;
	});
	return { child, result };
}

function waitFor(child: ChildProcess, program: string, seconds: number): Promise<RunResult> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	return new Promise((resolve, reject) => {
		const fail = (code: string): void => reject({ code, operation: "run", path: program });
		if (seconds > 0) setTimeout(() => fail("ETIMEDOUT"), seconds * 1000).unref();
		child.on("error", (thrown) => reject(hostError(thrown, "run", program)));
		child.stdout?.on("data", (chunk: Buffer) => {
			chunks.push(chunk);
			bytes += chunk.length;
			if (bytes > MAX_OUTPUT_BYTES) fail("ENOBUFS");
		});
		child.on("close", (status, signal) => {
			try {
				const output = decode(Buffer.concat(chunks), program);
				resolve({ status: status ?? 128 + constants.signals[signal as NodeJS.Signals], output });
			} catch (error) {
				reject(error);
			}
		});
	});
}

/** Node takes a file that the kernel cannot run for a shell script; to us it is no program. */
function refuseOtherFormats(program: string): void {
	const start = attempt("run", program, () => {
		const fd = fs.openSync(program, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
		try {
			if (!fs.fstatSync(fd).isFile()) throw { code: "EACCES" };
			const bytes = Buffer.alloc(4);
			return bytes.toString("latin1", 0, fs.readSync(fd, bytes));
		} finally {
			fs.closeSync(fd);
		}
	});
	if (start !== "\x7fELF" && !start.startsWith("#!")) throw { code: "ENOEXEC", operation: "run", path: program };
}
