/**
 * The host on Node, for machines without a C compiler. The program runs in a worker thread, where it may block; the main thread
 * (node-main.ts) does what must go on meanwhile: sockets, the time limit, signals.
 */
import fs from "node:fs";
import { receiveMessageOnPort } from "node:worker_threads";
import type { Host } from "./host.ts";
import { attempt, listFiles, readInput, readLink, readRows, readText } from "./node-files.ts";
import { parseJson } from "./node-json.ts";
import { ANSWERER, type Link, MAIN_THREAD, type Order, REPLIES, type Reply, WORKER } from "./node-link.ts";
import { sendLog } from "./node-log.ts";
import { run } from "./node-run.ts";

/** How often a full pipe is tried again, in milliseconds. */
const RETRY_INTERVAL = 5;

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
		parseJson,
		startCall(socketPath, request) {
			handles++;
			post(link, { order: "start", handle: handles, socketPath, request });
			return handles;
		},
		finishCall(handle, seconds, maxBytes) {
			return ask(link, { order: "finish", handle, seconds, maxBytes });
		},
		run,
		write(fd, text) {
			if (fd === 1) claimAnswer(link);
			write(fd, text);
		},
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
	const before = Atomics.load(link.shared, REPLIES);
	post(link, order);
	Atomics.wait(link.shared, REPLIES, before);
	const reply = receiveMessageOnPort(link.port)?.message as Reply;
	if (reply.error !== null) throw reply.error;
	return reply.text;
}

/** Waits for ever where the main thread has begun to answer: it is about to end the process. */
function claimAnswer({ shared }: Link): void {
	if (Atomics.compareExchange(shared, ANSWERER, 0, WORKER) === MAIN_THREAD) Atomics.wait(shared, ANSWERER, MAIN_THREAD);
}

function write(fd: 1 | 2, text: string): void {
	const path = fd === 1 ? "standard output" : "standard error";
	const bytes = Buffer.from(text);
	let done = 0;
	while (done < bytes.length) done += attempt("write", path, () => writeSome(fd, bytes, done));
}

/** How many bytes there was room for. */
function writeSome(fd: number, bytes: Buffer, from: number): number {
	try {
		return fs.writeSync(fd, bytes, from);
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
		// Whoever set it so waits for us; the time limit of the run ends this.
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_INTERVAL);
		return 0;
	}
}
