import net from "node:net";
import { log } from "../log.ts";
import { EventStream } from "./event-stream.ts";
import { type RequestLimits, receive } from "./receive.ts";
import { describeRequest, describeThrown, reportError } from "./report-error.ts";
import { codeOf, freeSocketPath, hiddenPath, refusal, removeSocket, type SocketPlace, show } from "./socket-file.ts";
import { encodeReply, parseRequest, type Request } from "./wire.ts";

/**
 * Starts a stream of events on the connection of a call that succeeded; from then on the stream is its own.
 * It is called once, and should not throw: the client already has its first event.
 */
export type StreamStart = (stream: EventStream) => void;

/** What a call gives back: the content of the reply, or a stream. */
export type Answer = string | Buffer | StreamStart;

/**
 * Answers one request. Throws an AdminError, which the client is told; anything else it throws is logged, and the client told that it happened.
 * Calls run at the same time, and a call is not told if its client goes away.
 */
export type Serve = (request: Request) => Answer | Promise<Answer>;

/** All times are in milliseconds, all sizes in bytes. */
export interface ServerOptions extends RequestLimits {
	/** How long a client may take to read its reply. */
	readonly replyTime: number;
	/** How long `close` waits for calls under way. */
	readonly closeTime: number;
	/** What may be unsent to a listener of events before it is dropped. */
	readonly maxUnsent: number;
	/** Connections whose request has not arrived; one more, and the oldest of them is closed. */
	readonly maxWaiting: number;
	/** Whether errors are sent with their stack. */
	readonly debug: boolean;
}

const DEFAULTS: ServerOptions = {
	maxRequest: 65_536,
	requestTime: 30_000,
	replyTime: 30_000,
	closeTime: 5_000,
	maxUnsent: 1 << 20,
	maxWaiting: 1_000,
	debug: false,
};

/** Listens on a unix socket and answers one request for each connection (spec 7.1 to 7.3). Throws an Error if it cannot. */
export async function listen(place: SocketPlace, serve: Serve, options: Partial<ServerOptions> = {}): Promise<SocketServer> {
	await freeSocketPath(place.path);
	const server = new SocketServer(serve, { ...DEFAULTS, ...options });
	await server.open(place);
	return server;
}

/** A server that listens; made by `listen`. */
export class SocketServer {
	private readonly serve: Serve;
	private readonly options: ServerOptions;
	private readonly server: net.Server;
	private readonly connections = new Set<net.Socket>();
	/** Those whose request has not arrived, the oldest first. */
	private readonly waiting = new Set<net.Socket>();
	private readonly streams = new Set<EventStream>();
	private closing: Promise<void> | null = null;
	/** Where the socket is; null before it is shown. */
	private path: string | null = null;

	constructor(serve: Serve, options: ServerOptions) {
		this.serve = serve;
		this.options = options;
		this.server = net.createServer({ allowHalfOpen: true }, (socket) => this.accept(socket));
	}

	/** How many connections are open. */
	get connectionCount(): number {
		return this.connections.size;
	}

	/** Starts to listen; called once. */
	async open(place: SocketPlace): Promise<void> {
		const hidden = hiddenPath(place.path);
		await freeSocketPath(hidden);
		await this.bind(hidden).catch((error: unknown) => {
			throw refusal(place.path, codeOf(error));
		});
		// Without a listener a failed accept, for example for want of file descriptors, would end the process.
		this.server.on("error", (error) => log("error", `cannot accept a connection on "${place.path}": ${codeOf(error)}`));
		try {
			await show(hidden, place);
			this.path = place.path;
		} catch (error) {
			await this.close();
			throw error;
		}
	}

	/**
	 * Removes the socket, closes streams and connections without a whole request, and waits for calls under way, but only so long.
	 * Can be called again; resolves when all connections are closed.
	 */
	close(): Promise<void> {
		this.closing ??= this.shutDown();
		return this.closing;
	}

	private bind(path: string): Promise<void> {
		return new Promise((resolve, reject) => {
			this.server.once("error", reject);
			// Node makes the file before `listen` returns, and nobody else may connect before it has its mode.
			const umask = process.umask(0o177);
			this.server.listen(path, () => {
				this.server.off("error", reject);
				resolve();
			});
			process.umask(umask);
		});
	}

	private accept(socket: net.Socket): void {
		this.connections.add(socket);
		socket.on("close", () => this.connections.delete(socket));
		// A client that goes away (EPIPE, ECONNRESET) is no error of ours; `close` follows.
		socket.on("error", () => undefined);
		void this.converse(socket);
	}

	private async converse(socket: net.Socket): Promise<void> {
		const bytes = await this.receive(socket);
		if (bytes === null) return;
		const answer = await this.answer(bytes);
		if (answer === null) socket.destroy();
		else if (typeof answer === "function") this.startStream(socket, answer);
		else this.reply(socket, answer);
	}

	private async receive(socket: net.Socket): Promise<Buffer | null> {
		const [oldest] = this.waiting;
		if (oldest !== undefined && this.waiting.size >= this.options.maxWaiting) {
			log("warning", `connection closed without reply: ${this.waiting.size} others sent no whole request either`);
			this.waiting.delete(oldest);
			oldest.destroy();
		}
		this.waiting.add(socket);
		const bytes = await receive(socket, this.options);
		this.waiting.delete(socket);
		return bytes;
	}

	/** The frame of the reply or how to start a stream; null for a framing error. Never rejects. */
	private async answer(bytes: Buffer): Promise<Buffer | StreamStart | null> {
		let request: Request | null = null;
		try {
			request = parseRequest(bytes);
			if (request === null) {
				// Who only wants to know whether somebody listens sends nothing.
				if (bytes.length > 0) log("warning", `connection closed without reply: malformed header in ${bytes.length} bytes`);
				return null;
			}
			const answer = await this.serve(request);
			if (typeof answer !== "function") return encodeReply(answer);
			return (stream) => startSafely(answer, stream, request);
		} catch (thrown) {
			return reportError(thrown, request, this.options.debug);
		}
	}

	private startStream(socket: net.Socket, start: StreamStart): void {
		if (this.closing !== null) socket.destroy();
		const stream = new EventStream(socket, this.options.maxUnsent);
		this.streams.add(stream);
		stream.onClose(() => this.streams.delete(stream));
		start(stream);
	}

	private reply(socket: net.Socket, frame: Buffer): void {
		if (socket.destroyed) return;
		const timer = setTimeout(() => {
			log("warning", `connection closed: its reply was not read within ${this.options.replyTime / 1000} s`);
			socket.destroy();
		}, this.options.replyTime);
		socket.on("close", () => clearTimeout(timer));
		socket.end(frame);
	}

	private async shutDown(): Promise<void> {
		if (this.path !== null) removeSocket(this.path);
		const closed = new Promise<void>((resolve) => {
			this.server.close(() => resolve());
		});
		// The server counts a connection as closed before those learn of it who wait for that.
		const ended = Promise.all([closed, ...[...this.connections].map(whenClosed)]);
		for (const socket of this.waiting) socket.destroy();
		for (const stream of this.streams) stream.end();
		const timer = setTimeout(() => {
			log(
				"warning",
				`${this.connections.size} connections closed, whose calls did not end within ${this.options.closeTime / 1000} s`,
			);
			for (const socket of this.connections) socket.destroy();
		}, this.options.closeTime);
		await ended;
		clearTimeout(timer);
	}
}

function whenClosed(socket: net.Socket): Promise<void> {
	return new Promise((resolve) => {
		socket.on("close", () => resolve());
	});
}

function startSafely(start: StreamStart, stream: EventStream, request: Request | null): void {
	try {
		start(stream);
	} catch (thrown) {
		log("error", `${describeRequest(request)}: internal error: ${describeThrown(thrown)}`);
		stream.end();
	}
}
