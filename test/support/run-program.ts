import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";

/** More at once only makes each of them slow. */
const WIDTH = 4;
/** Nothing that ends takes so long, in milliseconds. */
const PATIENCE = 120_000;

/** How a program ended. `status` is null after a signal. */
export interface Ended {
	readonly status: number | null;
	readonly signal: string | null;
	readonly stdout: string;
	readonly stderr: string;
	/** It had to be killed. */
	readonly hung: boolean;
}

export interface Running {
	readonly input?: string;
	readonly stdio?: StdioOptions;
	readonly cwd?: string;
	/** Called when the program has been started. */
	readonly started?: (child: ChildProcess) => void;
}

let running = 0;
const waiting: (() => void)[] = [];

/** Runs a program to its end. */
export async function runToEnd(argv: readonly string[], more: Running = {}): Promise<Ended> {
	if (running >= WIDTH) await new Promise<void>((resolve) => waiting.push(resolve));
	running++;
	try {
		return await run(argv, more);
	} finally {
		running--;
		waiting.shift()?.();
	}
}

function run([file, ...args]: readonly string[], { input, stdio, cwd, started }: Running): Promise<Ended> {
	return new Promise((resolve, reject) => {
		const child = spawn(file as string, args, { stdio: stdio ?? ["pipe", "pipe", "pipe"], cwd });
		let hung = false;
		const timer = setTimeout(() => {
			hung = true;
			child.kill("SIGKILL");
		}, PATIENCE);
		const stdout = collect(child.stdout);
		const stderr = collect(child.stderr);
		child.on("error", (error) => {
			clearTimeout(timer);
			reject(error);
		});
		child.on("close", (status, signal) => {
			clearTimeout(timer);
			resolve({ status, signal, stdout: stdout(), stderr: stderr(), hung });
		});
		// A program that ends without reading its input is no failure of ours.
		child.stdin?.on("error", () => undefined);
		child.stdin?.end(input ?? "");
		started?.(child);
	});
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
	const chunks: Buffer[] = [];
	stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
	return () => Buffer.concat(chunks).toString();
}
