import { type ExecFileException, execFile } from "node:child_process";
import { AdminError } from "../model/errors.ts";
import type { Programs } from "../model/programs.ts";

/** How much a program may say, in bytes. */
const MAX_OUTPUT = 1 << 20;
/** Where Qubes keeps programs that are not on the path of a shell. */
const QUBES_PROGRAMS = "/usr/lib/qubes";

/** The programs of Qubes, as they are found on `PATH` (spec 2.4, 9.2); each may take so many milliseconds. */
export function qubesPrograms(timeLimit = 10_000): Programs {
	return {
		readQubesDb: async (qube, prefix) => {
			const output = await run(["qubesdb-multiread", "-d", qube, prefix], timeLimit);
			return parseEntries(output, prefix);
		},
		callService: async (qube, service, input) => {
			await run(["qrexec-client", "-d", qube, `root:QUBESRPC ${service} dom0`], timeLimit, input);
		},
	};
}

/** Runs a program to its end; what it prints is taken byte by byte, for whoever looks for what is not ASCII. */
function run(command: readonly [program: string, ...args: string[]], timeout: number, input?: string): Promise<string> {
	const [program, ...args] = command;
	const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:${QUBES_PROGRAMS}` };
	const options = { timeout, env, killSignal: "SIGKILL", maxBuffer: MAX_OUTPUT, encoding: "latin1" } as const;
	return new Promise((resolve, reject) => {
		const child = execFile(program, args, options, (error, stdout, stderr) => {
			if (error === null) resolve(stdout);
			else reject(new AdminError("QubesException", `${command.join(" ")}: ${describeFailure(error, stderr, timeout)}`));
		});
		// A program that is gone already does not read either.
		child.stdin?.on("error", () => undefined);
		child.stdin?.end(input);
	});
}

function describeFailure({ code, killed, signal }: ExecFileException, stderr: string, timeout: number): string {
	const said = stderr.trim().split("\n").at(-1) ?? "";
	if (code === "ENOENT") return "there is no such program";
	if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `it prints more than ${MAX_OUTPUT} bytes`;
	if (killed === true) return `it takes more than ${timeout / 1000} s`;
	return `it ends with ${signal ?? `status ${code}`}${said === "" ? "" : `: ${said}`}`;
}

/** A line is `PATH = VALUE`; the path may have the prefix or be without it. */
function parseEntries(output: string, prefix: string): Map<string, string> {
	const lines = output.split("\n").filter((line) => line !== "");
	return new Map(
		lines.map((line) => {
			const equals = line.indexOf(" = ");
			if (equals < 0) throw new AdminError("QubesException", `QubesDB: want PATH = VALUE, not ${JSON.stringify(line)}`);
			const path = line.slice(0, equals);
			return [path.startsWith(prefix) ? path.slice(prefix.length) : path, line.slice(equals + " = ".length)];
		}),
	);
}
