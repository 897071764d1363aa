/**
 * The host on Node, for machines without a C compiler. The program runs in a worker thread, where it may block; the main thread
 * (node-main.ts) does what must go on meanwhile: sockets, the time limit, signals.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { constants } from "node:os";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Host, HostError, LastWords, RunResult } from "./host.ts";
import { attempt, decode, hostError, listFiles, readInput, readLink, readRows, readText } from "./node-files.ts";

/** What the worker asks of the main thread. `finish` and `arm` are answered, by a Reply and one count of the signal. */
export type Order =
	| { readonly order: "start"; readonly handle: number; readonly socketPath: string; readonly request: string }
	| { readonly order: "finish"; readonly handle: number; readonly seconds: number; readonly maxBytes: number }
	| { readonly order: "arm"; readonly seconds: number; readonly lastWords: LastWords }
	| { readonly order: "exit"; readonly status: number };

/** `error` null is success. */
export interface Reply {
	readonly text: string;
	readonly error: HostError | null;
}

/** How the worker talks to the main thread: it posts an order and sleeps on `signal` until the reply is there. */
export interface Link {
	readonly port: MessagePort;
	readonly signal: Int32Array;
}

const MAX_OUTPUT_BYTES = 65536;

/** The host of a program in a worker thread. */
export function nodeHost(args: readonly string[], link: Link): Host {
	let handles = 0;
	return {
		args,
		readText,
		readRows,
		readInput,
		listFiles,
		readLink,
		startCall(socketPath, request) {
			handles++;
			post(link, { order: "start", handle: handles, socketPath, request });
			return handles;
		},
		finishCall(handle, seconds, maxBytes) {
			return ask(link, { order: "finish", handle, seconds, maxBytes });
		},
		run,
		write,
		sendLog,
		arm(seconds, lastWords) {
			ask(link, { order: "arm", seconds, lastWords });
		},
	};
}

function post(link: Link, order: Order): void {
	link.port.postMessage(order);
}

function ask(link: Link, order: Order): string {
	const before = Atomics.load(link.signal, 0);
	post(link, order);
	Atomics.wait(link.signal, 0, before);
	const reply = receiveMessageOnPort(link.port)?.message as Reply;
	if (reply.error !== null) throw reply.error;
	return reply.text;
}

function run(argv: readonly string[], input: string | null, seconds: number): RunResult {
	const [program, ...args] = argv as [string, ...string[]];
	const piped = input !== null;
	const { status, signal, stdout, error } = spawnSync(program, args, {
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

function write(fd: 1 | 2, text: string): void {
	const path = fd === 1 ? "standard output" : "standard error";
	const bytes = Buffer.from(text);
	let done = 0;
	while (done < bytes.length) done += attempt("write", path, () => fs.writeSync(fd, bytes, done));
}

/** Node has no unix datagram sockets, so the system's `logger` sends the line. */
function sendLog(socketPath: string, text: string): void {
	const end = text.indexOf(">");
	const priority = { "14": "user.info", "12": "user.warning", "11": "user.err" }[text.slice(1, end)] ?? "user.err";
	const args = [
		"--socket",
		socketPath,
		"--socket-errors=on",
		"--priority",
		priority,
		"--tag",
		"qrexec",
		"--",
		text.slice(end + 1),
	];
	const { status, error } = spawnSync("/usr/bin/logger", args, { stdio: "ignore", timeout: 1000 });
	if (error !== undefined) throw hostError(error, "log", socketPath);
	if (status !== 0) throw { code: "EIO", operation: "log", path: socketPath };
}
