import type net from "node:net";
import { log } from "../log.ts";

/** What a request may take. */
export interface RequestLimits {
	/** Header and payload, in bytes. */
	readonly maxRequest: number;
	/** From the connection to the end of the request, in milliseconds. */
	readonly requestTime: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * Receives one request: all bytes until the peer shuts down its writing side (spec 7.2). null if there is none to serve, because
 * it is too long or too slow, or the peer is gone, even if it went after the last byte; the connection is closed then, without a reply.
 */
export function receive(socket: net.Socket, { maxRequest, requestTime }: RequestLimits): Promise<Buffer | null> {
	return new Promise((resolve) => {
		let bytes: Buffer = NOTHING;
		let length = 0;
		const refuse = (why: string): void => {
			log("warning", `connection closed without reply: ${why}`);
			socket.destroy();
		};
		const timer = setTimeout(() => refuse(`no whole request within ${requestTime / 1000} s`), requestTime);
		const finish = (request: Buffer | null): void => {
			clearTimeout(timer);
			resolve(request);
			// The connection may be a stream of events now and last for days.
			bytes = NOTHING;
		};
		socket.on("data", (chunk) => {
			const needed = length + chunk.length;
			if (needed > maxRequest) return refuse(`request of more than ${maxRequest} bytes`);
			if (needed > bytes.length) bytes = enlarge(bytes, needed);
			length += chunk.copy(bytes, length);
		});
		socket.on("end", () => whenStillThere(socket, () => finish(bytes.subarray(0, length))));
		socket.on("close", () => finish(null));
	});
}

/** One buffer that doubles, not a list of chunks: a peer that sends single bytes would make us keep an object for each. */
function enlarge(bytes: Buffer, needed: number): Buffer {
	const larger = Buffer.alloc(Math.max(needed, bytes.length * 2));
	bytes.copy(larger);
	return larger;
}

/**
 * A peer that was killed while it wrote ends its request too, and what came may be half of it, for example of a value to set. The kernel
 * closes both directions of it at once, so that a write of no bytes fails and the connection closes.
 */
function whenStillThere(socket: net.Socket, next: () => void): void {
	socket.write("", (error) => {
		if (!error) next();
	});
}
