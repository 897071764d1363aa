import net from "node:net";
import { DaemonError, EmptyReplyError, RemoteError, UsageError } from "./errors.ts";
import { type Event, readEvents } from "./events.ts";
import { remoteMessage } from "./remote-message.ts";

/** Where qubesd listens for `admin.*` (spec 7.1). */
export const QUBESD_SOCKET = "/var/run/qubesd.sock";
/** Where it listens for `internal.*` (spec 7.1). */
export const INTERNAL_SOCKET = "/var/run/qubesd.internal.sock";

/** In bytes, header and payload: more is cut off by qubesd without a word (spec 7.2). */
const MAX_REQUEST = 65_536;

/** One call of a method. */
export interface Request {
	/** The qube that calls. */
	readonly source: string;
	readonly destination: string;
	readonly method: string;
	readonly argument: string;
	readonly payload: string | Uint8Array;
}

/**
 * Calls a method of the Admin API as dom0 and returns the content of its reply (spec 7.2, 7.3); one connection for each call.
 * Throws RemoteError for an exception of the daemon, EmptyReplyError where it says nothing, DaemonError where it is not reached or not
 * understood, and UsageError, before anything is sent, for an argument that no header can hold, or for more than qubesd reads.
 */
export async function call(
	socketPath: string,
	destination: string,
	method: string,
	argument = "",
	payload: string | Uint8Array = "",
): Promise<Buffer> {
	return parseReply(await exchange(socketPath, { source: "dom0", destination, method, argument, payload }));
}

/** Sends a request, shuts its way down and returns the bytes that come until the other side closes. Throws DaemonError and UsageError as `call` does. */
export async function exchange(socketPath: string, request: Request): Promise<Buffer> {
	const bytes = frame(request);
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let connected = false;
		const socket = net.connect({ path: socketPath }, () => {
			connected = true;
			socket.end(bytes);
		});
		socket.on("data", (chunk: Buffer) => chunks.push(chunk));
		socket.on("close", () => resolve(Buffer.concat(chunks)));
		socket.on("error", (error: NodeJS.ErrnoException) => {
			// A daemon that hangs up while we speak has said what it wanted to say.
			if (!connected) reject(new DaemonError(`cannot reach qubesd at "${socketPath}": ${describe(error)}`));
		});
	});
}

/**
 * Hears the events of a qube (spec 7.5) as dom0, until what it gives back is called. Where they cannot be had, for want of permission or whatever else, it
 * hears nothing. Throws UsageError as `call` does.
 */
function listen(socketPath: string, destination: string, hear: (event: Event) => void): () => void {
	const bytes = frame({ source: "dom0", destination, method: "admin.Events", argument: "", payload: "" });
	let unread = "";
	const socket = net.connect({ path: socketPath }, () => void socket.end(bytes));
	socket.setEncoding("utf8").on("data", (text: string) => {
		const { events, rest } = readEvents(unread + text);
		unread = rest;
		for (const event of events) hear(event);
	});
	socket.on("error", () => undefined);
	return () => void socket.destroy();
}

function frame({ source, destination, method, argument, payload }: Request): Buffer {
	for (const part of [method, source, argument, destination]) {
		if (/[^!-~]/.test(part)) throw new UsageError(`invalid name "${part}": want printable ASCII characters without spaces`);
	}
	const bytes = Buffer.concat([Buffer.from(`${method}+${argument} ${source} name ${destination}\0`), Buffer.from(payload)]);
	if (bytes.length <= MAX_REQUEST) return bytes;
	throw new UsageError(`${method} is given too much: ${bytes.length} bytes with all names: want at most ${MAX_REQUEST}`);
}

function describe(error: NodeJS.ErrnoException): string {
	switch (error.code) {
		case "ENOENT":
			return "no such socket: is qubesd running?";
		case "ECONNREFUSED":
			return "nobody listens there: is qubesd running?";
		case "EACCES":
		case "EPERM":
			return "not permitted: be root or in the group qubes";
		default:
			return error.code ?? error.message;
	}
}

/** `0` NUL CONTENT, or `2` NUL CLASS NUL TRACEBACK NUL FORMAT NUL (ARG NUL)* (spec 7.3). Throws as `call` does. */
export function parseReply(reply: Buffer): Buffer {
	if (reply.length === 0) throw new EmptyReplyError();
	const type = reply.toString("latin1", 0, 2);
	if (type === "0\0") return reply.subarray(2);
	const [kind, , format, ...rest] = reply.toString("utf8", 2).split("\0");
	if (type !== "2\0" || kind === undefined || format === undefined || rest.length === 0) {
		throw new DaemonError("qubesd sent what is no reply: want a type, a NUL and content");
	}
	throw new RemoteError(kind, remoteMessage(kind, format, rest.slice(0, -1)));
}

/** The daemon behind one socket. */
export class Qubesd {
	private readonly socketPath: string;

	constructor(socketPath: string) {
		this.socketPath = socketPath;
	}

	/** Calls a method; the content of the reply as text. Throws as `call` does. */
	async call(destination: string, method: string, argument = "", payload = ""): Promise<string> {
		return (await call(this.socketPath, destination, method, argument, payload)).toString("utf8");
	}

	/** Hears the events of a qube as `listen` does. */
	listen(destination: string, hear: (event: Event) => void): () => void {
		return listen(this.socketPath, destination, hear);
	}

	/** Calls a method that answers with a list, a line each. Throws as `call` does. */
	async list(destination: string, method: string, argument = ""): Promise<string[]> {
		return (await this.call(destination, method, argument)).split("\n").filter((line) => line !== "");
	}
}
