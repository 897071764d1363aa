import fs from "node:fs";
import { MessageChannel, Worker } from "node:worker_threads";
import { escapeControls } from "../core/errors.ts";
import type { LastWords } from "./host.ts";
import { type Call, finishCall, startCall } from "./node-calls.ts";
import { readInput } from "./node-input.ts";
import { ANSWERER, MAIN_THREAD, type Order, REPLIES, type Reply } from "./node-link.ts";
import { sendLog } from "./node-log.ts";
import { type Run, startProgram } from "./node-run.ts";

/** The signals that would end the process, but for those of a crash. */
const ENDINGS: readonly NodeJS.Signals[] = [
	"SIGALRM",
	"SIGTERM",
	"SIGINT",
	"SIGHUP",
	"SIGQUIT",
	"SIGUSR1",
	"SIGUSR2",
	"SIGXCPU",
	"SIGPWR",
	"SIGIO",
	"SIGVTALRM",
	"SIGSTKFLT",
];

/** Starts the program in a worker thread from `file` and serves it until it exits; then the process ends. */
export function superviseWorker(file: string): void {
	const { port1: port, port2 } = new MessageChannel();
	const shared = new Int32Array(new SharedArrayBuffer(8));
	const worker = new Worker(file, { argv: process.argv.slice(2), workerData: { port: port2, shared }, transferList: [port2] });
	const calls = new Map<number, Call>();
	let lastWords: LastWords = { answer: "result=deny\n", logText: "<11>qrexec: denied: ", logSocket: "/dev/log" };
	let timer: NodeJS.Timeout | undefined;
	let running: Run | null = null;

	/** See Host.arm: the run is cut off, and what it runs too. */
	function end(reason: string): never {
		running?.child.kill("SIGKILL");
		logEnd(lastWords, reason);
		if (Atomics.compareExchange(shared, ANSWERER, 0, MAIN_THREAD) === 0) write(1, lastWords.answer);
		process.exit(1);
	}

	function arm(seconds: number, words: LastWords): void {
		clearTimeout(timer);
		lastWords = words;
		if (seconds > 0) timer = setTimeout(() => end(`time limit of ${seconds} s`), seconds * 1000);
	}

	/** Does what the worker waits for. */
	async function serve(order: Order): Promise<unknown> {
		switch (order.order) {
			case "start":
				return calls.set(order.handle, startCall(order.socketPath, order.request));
			case "finish":
				return finishCall(calls.get(order.handle) as Call, order.seconds, order.maxBytes);
			case "run":
				running = startProgram(order.argv, order.input, order.seconds);
				return running.result;
			case "input":
				return readInput(order.maxBytes);
			case "arm":
				return arm(order.seconds, order.lastWords);
			case "exit":
				return process.exit(order.status);
		}
	}

	function reply(reply: Reply): void {
		port.postMessage(reply);
		Atomics.add(shared, REPLIES, 1);
		Atomics.notify(shared, REPLIES);
	}

	worker.on("error", (error) => end(`the program failed: ${error.message}`));
	for (const name of ENDINGS) process.on(name, () => end(`stopped by ${name}`));
	port.on("message", async (order: Order) => {
		try {
			const value = await serve(order);
			if (order.order !== "start") reply({ value, error: null });
		} catch (error) {
			reply({ error });
		}
	});
}

function logEnd({ logText, logSocket }: LastWords, reason: string): void {
	if (logSocket === "") return;
	const line = logText + escapeControls(reason);
	try {
		sendLog(logSocket, line);
	} catch {
		write(2, `${line.replace(/^<\d+>/, "")}\n`);
	}
}

function write(fd: number, text: string): void {
	try {
		fs.writeSync(fd, text);
	} catch {
		// Nobody reads it; the exit status still says deny.
	}
}
