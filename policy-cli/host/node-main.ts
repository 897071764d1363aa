import fs from "node:fs";
import net from "node:net";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { HostError, LastWords } from "./host.ts";
import { decode, hostError } from "./node-files.ts";
import { ANSWERER, MAIN_THREAD, type Order, REPLIES, type Reply } from "./node-link.ts";
import { sendLog } from "./node-log.ts";

/** Longest path of a unix socket, in bytes; Node would cut a longer one off. */
const MAX_SOCKET_PATH = 107;

/** A connection on behalf of the worker: what came so far, and how it ended. */
interface Call {
	readonly socket: net.Socket;
	readonly socketPath: string;
	readonly chunks: Buffer[];
	bytes: number;
	ended: HostError | "end" | null;
	/** Called once at the end, or when it has become too large. */
	wake: () => void;
}

/** Starts the program in a worker thread from `file` and serves it until it exits; then the process ends. */
export function superviseWorker(file: string): void {
	const { port1: port, port2 } = new MessageChannel();
	const shared = new Int32Array(new SharedArrayBuffer(8));
	const worker = new Worker(file, { argv: process.argv.slice(2), workerData: { port: port2, shared }, transferList: [port2] });
	worker.on("error", (error) => end(`the program failed: ${error.message}`));
	const calls = new Map<number, Call>();
	let lastWords: LastWords = { answer: "result=deny\n", logText: "<11>qrexec: denied: ", logSocket: "/dev/log" };
	let timer: NodeJS.Timeout | undefined;

	/** See Host.arm: the run is cut off. */
	function end(reason: string): never {
		logEnd(lastWords, reason);
		if (Atomics.compareExchange(shared, ANSWERER, 0, MAIN_THREAD) === 0) write(1, lastWords.answer);
		process.exit(1);
	}

	for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => end(`stopped by ${name}`));
	port.on("message", (order: Order) => {
		switch (order.order) {
			case "start":
				calls.set(order.handle, startCall(order.socketPath, order.request));
				break;
			case "finish":
				finishCall(calls.get(order.handle) as Call, order.seconds, order.maxBytes, (reply) => answer(port, shared, reply));
				break;
			case "arm": {
				clearTimeout(timer);
				lastWords = order.lastWords;
				const limit = `time limit of ${order.seconds} s`;
				if (order.seconds > 0) timer = setTimeout(() => end(limit), order.seconds * 1000);
				answer(port, shared, { text: "", error: null });
				break;
			}
			case "exit":
				process.exit(order.status);
		}
	});
}

function startCall(socketPath: string, request: string): Call {
	const socket = new net.Socket({ allowHalfOpen: true });
	const call: Call = { socket, socketPath, chunks: [], bytes: 0, ended: null, wake: () => undefined };
	const finish = (how: HostError | "end"): void => {
		call.ended ??= how;
		call.wake();
	};
	let step = "connect";
	socket.on("connect", () => {
		step = "receive";
	});
	socket.on("data", (chunk) => {
		call.chunks.push(chunk);
		call.bytes += chunk.length;
		call.wake();
	});
	socket.on("end", () => finish("end"));
	socket.on("error", (thrown: NodeJS.ErrnoException) => {
		// That the request is not wanted matters only if no answer comes either.
		if (thrown.syscall !== "write") finish(hostError(thrown, step, socketPath));
	});
	socket.on("close", () => finish({ code: "EPIPE", operation: "send", path: socketPath }));
	if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH) {
		finish({ code: "ENAMETOOLONG", operation: "connect", path: socketPath });
	} else {
		socket.connect(socketPath);
		socket.end(request);
	}
	return call;
}

function finishCall(call: Call, seconds: number, maxBytes: number, done: (reply: Reply) => void): void {
	const timer =
		seconds > 0
			? setTimeout(() => settle({ code: "ETIMEDOUT", operation: "receive", path: call.socketPath }), seconds * 1000)
			: undefined;
	function settle(how: HostError | "end"): void {
		clearTimeout(timer);
		call.wake = () => undefined;
		call.socket.destroy();
		done(how === "end" ? decodeReply(call) : { text: "", error: how });
	}
	call.wake = () => {
		if (call.bytes > maxBytes) settle({ code: "EFBIG", operation: "receive", path: call.socketPath });
		else if (call.ended !== null) settle(call.ended);
	};
	call.wake();
}

function decodeReply(call: Call): Reply {
	try {
		return { text: decode(Buffer.concat(call.chunks), call.socketPath), error: null };
	} catch (error) {
		return { text: "", error: error as HostError };
	}
}

function answer(port: MessagePort, shared: Int32Array, reply: Reply): void {
	port.postMessage(reply);
	Atomics.add(shared, REPLIES, 1);
	Atomics.notify(shared, REPLIES);
}

function logEnd({ logText, logSocket }: LastWords, reason: string): void {
	if (logSocket === "") return;
	try {
		sendLog(logSocket, logText + reason);
	} catch {
		write(2, `${logText.replace(/^<\d+>/, "")}${reason}\n`);
	}
}

function write(fd: number, text: string): void {
	try {
		fs.writeSync(fd, text);
	} catch {
		// Nobody reads it; the exit status still says deny.
	}
}
