import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What a server does with one connection. */
export type Script = (connection: Connection) => Promise<void> | void;

/** One connection, from the side of the server. */
export class Connection {
	readonly socket: net.Socket;
	private readonly chunks: Buffer[] = [];
	private readonly whole: Promise<Buffer>;

	/** `onRequest` is called when the other side has said all. */
	constructor(socket: net.Socket, onRequest: (request: Buffer) => void) {
		this.socket = socket;
		socket.on("data", (chunk) => this.chunks.push(chunk));
		// The program may be gone already.
		socket.on("error", () => undefined);
		this.whole = new Promise((resolve) => {
			socket.on("end", () => {
				onRequest(this.received());
				resolve(this.received());
			});
			socket.on("close", () => resolve(this.received()));
		});
	}

	/** What came until the other side shut its way down, or was gone. */
	readAll(): Promise<Buffer> {
		return this.whole;
	}

	private received(): Buffer {
		return Buffer.concat(this.chunks);
	}
}

/** Reads the whole request, answers, closes. */
export function reply(answer: string | Buffer | ((request: string) => string)): Script {
	return async (connection) => {
		const request = await connection.readAll();
		connection.socket.end(typeof answer === "function" ? answer(request.toString("latin1")) : answer);
	};
}

/** Answers byte by byte at first, with pauses. */
export function replySlowly(answer: string, pause = 50): Script {
	return async (connection) => {
		await connection.readAll();
		for (const byte of Buffer.from(answer).subarray(0, 8)) {
			connection.socket.write(Buffer.of(byte));
			await sleep(pause);
		}
		connection.socket.end(Buffer.from(answer).subarray(8));
	};
}

/** Reads, but never answers. */
export const neverReply: Script = () => undefined;

/** Answers, but never closes. */
export function neverClose(answer: string): Script {
	return async (connection) => {
		await connection.readAll();
		connection.socket.write(answer);
	};
}

/** Never answers, never ends, and writes a byte now and then, so that no single read takes long. */
export const trickle: Script = async (connection) => {
	await connection.readAll();
	while (connection.socket.writable) {
		connection.socket.write(" ");
		await sleep(100);
	}
};

/** Answers with so many bytes. */
export function replyHuge(start: string, bytes: number): Script {
	return async (connection) => {
		await connection.readAll();
		const write = (bytes: string | Buffer) => new Promise((resolve) => connection.socket.write(bytes, resolve));
		await write(start);
		const chunk = Buffer.alloc(1 << 20, " ");
		for (let left = bytes; left > 0 && !connection.socket.destroyed; left -= chunk.length) {
			await write(chunk.subarray(0, Math.min(left, chunk.length)));
		}
		connection.socket.end();
	};
}

/** Closes without a look at the request. */
export const closeAtOnce: Script = ({ socket }) => {
	socket.destroy();
};

/** A server on a unix socket that plays a script for each connection. */
export class FakeServer {
	/** The requests that were ended by a shutdown, one character for each byte. */
	readonly requests: string[] = [];
	private readonly server: net.Server;
	private readonly sockets = new Set<net.Socket>();

	private constructor(script: Script) {
		this.server = net.createServer({ allowHalfOpen: true }, (socket) => {
			this.sockets.add(socket);
			const connection = new Connection(socket, (request) => this.requests.push(request.toString("latin1")));
			void script(connection);
		});
	}

	static listen(socketPath: string, script: Script): Promise<FakeServer> {
		const fake = new FakeServer(script);
		return new Promise((resolve, reject) => {
			fake.server.on("error", reject);
			fake.server.listen(socketPath, () => resolve(fake));
		});
	}

	/** Also ends the connections that are open. */
	close(): void {
		this.server.close();
		for (const socket of this.sockets) socket.destroy();
	}
}
