import fs from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { escapeControls } from "../core/errors.ts";
import type { LastWords } from "./host.ts";
import { type Call, finishCall, startCall } from "./node-calls.ts";
import { readInput } from "./node-input.ts";
import { ANSWERER, MAIN_THREAD, type Order, REPLIES, type Reply } from "./node-link.ts";
import { sendLog } from "./node-log.ts";
import { type Run, startProgram } from "./node-run.ts";

/** The signals that would end the process, but for those of a crash and SIGPROF, which Node keeps for itself. */
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
	const { port1, port2 } = new MessageChannel();
	const shared = new Int32Array(new SharedArrayBuffer(8));
	const supervisor = new Supervisor(port1, shared);
	for (const name of ENDINGS) process.on(name, () => supervisor.end(`stopped by ${name}`));
	const worker = new Worker(file, { argv: process.argv.slice(2), workerData: { port: port2, shared }, transferList: [port2] });
	worker.on("error", (error) => supervisor.end(`the program failed: ${error.message}`));
}

/** The main thread's side of the link to the worker. */
class Supervisor {
	private readonly port: MessagePort;
	private readonly shared: Int32Array;
	private readonly calls = new Map<number, Call>();
	private lastWords: LastWords = { answer: "result=deny\n", logText: "<11>qrexec: denied: ", logSocket: "/dev/log" };
	private timer: NodeJS.Timeout | undefined;
	private running: Run | null = null;

	constructor(port: MessagePort, shared: Int32Array) {
		this.port = port;
		this.shared = shared;
		port.on("message", (order: Order) => this.obey(order));
	}

	/** See Host.arm: the run is cut off, and what it runs too. */
	end(reason: string): never {
		this.running?.child.kill("SIGKILL");
		logEnd(this.lastWords, reason);
		if (Atomics.compareExchange(this.shared, ANSWERER, 0, MAIN_THREAD) === 0) write(1, this.lastWords.answer);
		process.exit(1);
	}

	private async obey(order: Order): Promise<void> {
		try {
			const value = await this.serve(order);
			if (order.order !== "start") this.reply({ value, error: null });
		} catch (error) {
			this.reply({ error });
		}
	}

	/** Does what the worker waits for. */
	private async serve(order: Order): Promise<unknown> {
		switch (order.order) {
			case "start":
				return this.calls.set(order.handle, startCall(order.socketPath, order.request));
			case "finish":
				return finishCall(this.calls.get(order.handle) as Call, order.seconds, order.maxBytes);
			case "run":
				this.running = startProgram(order.argv, order.input, order.seconds);
				return this.running.result;
			case "input":
				return readInput(order.maxBytes);
			case "arm":
				return this.arm(order.seconds, order.lastWords);
			case "exit":
				return process.exit(order.status);
		}
	}

	private arm(seconds: number, lastWords: LastWords): void {
		clearTimeout(this.timer);
		this.lastWords = lastWords;
		if (seconds > 0) this.timer = setTimeout(() => this.end(`time limit of ${seconds} s`), seconds * 1000);
	}

	private reply(reply: Reply): void {
		this.port.postMessage(reply);
		Atomics.add(this.shared, REPLIES, 1);
		Atomics.notify(this.shared, REPLIES);
	}
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
