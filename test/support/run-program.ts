import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Program } from "./programs.ts";

/** How a program ended. `status` is null after a signal. */
export interface Ended {
	readonly status: number | null;
	readonly signal: string | null;
	readonly stdout: string;
	readonly stderr: string;
	/** What was written to descriptor 3, if that is a pipe. */
	readonly extra: string;
	/** It had to be killed. */
	readonly hung: boolean;
}

export interface Running {
	readonly input?: Buffer | string;
	/** Besides our own environment. */
	readonly env?: { readonly [name: string]: string };
	/** Instead of three pipes. */
	readonly stdio?: StdioOptions;
	readonly cwd?: string;
	/** Killed after so many seconds; without it after more than anything takes that ends. */
	readonly seconds?: number;
	/** Called when the program has been started. */
	readonly started?: (child: ChildProcess) => void;
}

/** Runs one of our programs to its end. */
export function runProgram({ argv, env }: Program, args: readonly string[], more: Running = {}): Promise<Ended> {
	return runToEnd([...argv, ...args], { ...more, env: { ...env, ...more.env } });
}

/** Runs a program to its end. */
export function runToEnd([file, ...args]: readonly string[], more: Running = {}): Promise<Ended> {
	const { input = "", env, stdio = "pipe", cwd, seconds = 120, started } = more;
	return new Promise((resolve, reject) => {
		const child = spawn(file as string, args, { stdio, cwd, env: { ...process.env, ...env } });
		let hung = false;
		const timer = setTimeout(() => {
			hung = true;
			child.kill("SIGKILL");
		}, seconds * 1000);
		const [stdout, stderr, extra] = [1, 2, 3].map((fd) => collect(child.stdio[fd] as Readable | null | undefined));
		child.on("error", (error) => {
			clearTimeout(timer);
			reject(error);
		});
		child.on("close", (status, signal) => {
			clearTimeout(timer);
			resolve({ status, signal, stdout: text(stdout), stderr: text(stderr), extra: text(extra), hung });
		});
		// A program that ends without reading its input is no failure of ours.
		child.stdin?.on("error", () => undefined);
		child.stdin?.end(input);
		started?.(child);
	});
}

type Collected = Buffer[] | undefined;

function collect(stream: Readable | null | undefined): Collected {
	const chunks: Buffer[] = [];
	stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
	return chunks;
}

function text(chunks: Collected): string {
	return Buffer.concat(chunks ?? []).toString();
}
