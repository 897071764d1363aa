/**
 * The host on Node, for machines without a C compiler. The program runs in a worker thread, which only waits for the main thread
 * (node-main.ts): that does what takes time, sockets, programs, standard input, and watches over the time limit and signals.
 */
import fs from "node:fs";
import { receiveMessageOnPort } from "node:worker_threads";
import type { Host, RunResult } from "./host.ts";
import { attempt, listFiles, readLink, readRows, readText } from "./node-files.ts";
import { parseJson } from "./node-json.ts";
import { ANSWERER, type Link, MAIN_THREAD, type Order, REPLIES, type Reply, WORKER } from "./node-link.ts";
import { sendLog } from "./node-log.ts";

/** How often a full pipe is tried again, in milliseconds. */
const RETRY_INTERVAL = 5;

/** The device number of /dev/null on Linux. */
const DEV_NULL = 0x103;

/** The host of a program in a worker thread. */
export function nodeHost(args: readonly string[], link: Link): Host {
	let handles = 0;
	return {
		args,
		readText,
		readRows,
		readInput(maxBytes) {
			return ask(link, { order: "input", maxBytes }) as string;
		},
		listFiles,
		readLink,
		parseJson,
		startCall(socketPath, request) {
			handles++;
			post(link, { order: "start", handle: handles, socketPath, request });
			return handles;
		},
		finishCall(handle, seconds, maxBytes) {
			return ask(link, { order: "finish", handle, seconds, maxBytes }) as string;
		},
		run(argv, input, seconds) {
			return ask(link, { order: "run", argv, input, seconds }) as RunResult;
		},
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

function ask(link: Link, order: Order): unknown {
	const before = Atomics.load(link.shared, REPLIES);
	post(link, order);
	Atomics.wait(link.shared, REPLIES, before);
	const reply = receiveMessageOnPort(link.port)?.message as Reply;
	if (reply.error !== null) throw reply.error;
	return reply.value;
}

/** Waits for ever where the main thread has begun to answer: it is about to end the process. */
function claimAnswer({ shared }: Link): void {
	if (Atomics.compareExchange(shared, ANSWERER, 0, WORKER) === MAIN_THREAD) Atomics.wait(shared, ANSWERER, MAIN_THREAD);
}

function write(fd: 1 | 2, text: string): void {
	const path = fd === 1 ? "standard output" : "standard error";
	if (isStandIn(fd)) throw { code: "EBADF", operation: "write", path };
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

/** Whether a standard file was closed: there Node has put /dev/null, open for reading too, as whoever redirects to it has not. */
function isStandIn(fd: number): boolean {
	try {
		return fs.fstatSync(fd).rdev === DEV_NULL && /^flags:\s*\d*2$/m.test(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"));
	} catch {
		return false;
	}
}
