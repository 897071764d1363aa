import net from "node:net";
import type { HostError } from "./host.ts";
import { decode, hostError } from "./node-files.ts";

/** Longest path of a unix socket, in bytes; Node would cut a longer one off. */
const MAX_SOCKET_PATH = 107;
/** How often a socket is tried again whose queue of connections is full, in milliseconds. */
const RETRY_INTERVAL = 5;

/** A call of a unix socket: what came so far, and how it ended. */
export interface Call {
	readonly socket: net.Socket;
	readonly socketPath: string;
	readonly chunks: Buffer[];
	bytes: number;
	ended: HostError | "end" | null;
	/** Called at the end, and whenever something came. */
	wake: () => void;
}

/** See Host.startCall. */
export function startCall(socketPath: string, request: string): Call {
	const socket = new net.Socket({ allowHalfOpen: true });
	const call: Call = { socket, socketPath, chunks: [], bytes: 0, ended: null, wake: () => undefined };
	const finish = (how: HostError | "end"): void => {
		call.ended ??= how;
		call.wake();
	};
	if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH) {
		finish({ code: "ENAMETOOLONG", operation: "connect", path: socketPath });
		return call;
	}
	let isConnected = false;
	socket.on("connect", () => {
		isConnected = true;
		socket.end(request);
	});
	socket.on("data", (chunk) => {
		call.chunks.push(chunk);
		call.bytes += chunk.length;
		call.wake();
	});
	socket.on("end", () => finish("end"));
	socket.on("error", (thrown: NodeJS.ErrnoException) => {
		if (thrown.code === "EAGAIN" && !isConnected) setTimeout(connect, RETRY_INTERVAL);
		// That the request is not wanted matters only if no answer comes either.
		else if (thrown.syscall !== "write") finish(hostError(thrown, isConnected ? "receive" : "connect", socketPath));
	});
	socket.on("close", () => {
		if (isConnected) finish({ code: "EPIPE", operation: "send", path: socketPath });
	});
	function connect(): void {
		if (call.ended === null) socket.connect(socketPath);
	}
	connect();
	return call;
}

/** See Host.finishCall. */
export async function finishCall(call: Call, seconds: number, maxBytes: number): Promise<string> {
	await waitForEnd(call, seconds, maxBytes).finally(() => {
		call.wake = () => undefined;
		call.ended ??= "end";
		call.socket.destroy();
	});
	return decode(Buffer.concat(call.chunks), call.socketPath);
}

function waitForEnd(call: Call, seconds: number, maxBytes: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const fail = (code: string): void => reject({ code, operation: "receive", path: call.socketPath });
		if (seconds > 0) setTimeout(() => fail("ETIMEDOUT"), seconds * 1000).unref();
		call.wake = () => {
			if (call.bytes > maxBytes) fail("EFBIG");
			else if (call.ended === "end") resolve();
			else if (call.ended !== null) reject(call.ended);
		};
		call.wake();
	});
}
