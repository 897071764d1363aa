// What the tests of the sockets share: servers in folders of their own, clients, and what was logged.
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { listen, type Serve, type ServerOptions, type SocketServer } from "../../../admin-core/api/server.ts";

/** What is written to standard error in the process of this test file. */
const lines: string[] = [];
process.stderr.write = ((text: string) => lines.push(text) > 0) as typeof process.stderr.write;

/** The lines of the log with this in them. */
export function logged(part: string): string[] {
	return lines.filter((line) => line.includes(part));
}

export interface Stage {
	readonly path: string;
	readonly server: SocketServer;
}

export async function startServer(t: ExecutionContext, serve: Serve, options: Partial<ServerOptions> = {}): Promise<Stage> {
	const file = path.join(makeFolder(t), "qubesd.sock");
	const server = await listen({ path: file }, serve, { closeTime: 0, ...options });
	t.teardown(() => server.close());
	return { path: file, server };
}

/** A folder that goes away with the test. */
export function makeFolder(t: ExecutionContext): string {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-api-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** Answers with the parts of the request. */
export const echo: Serve = async ({ method, argument, source, destination, payload }) =>
	[method, argument, source, destination, payload.toString("latin1")].join("|");

/** A client that can do each step by itself. */
export class Client {
	readonly socket: net.Socket;
	/** What came, once the server has closed the connection. */
	readonly received: Promise<Buffer>;
	private readonly chunks: Buffer[] = [];
	private wake: () => void = () => undefined;

	constructor(socketPath: string) {
		this.socket = net.connect({ path: socketPath, allowHalfOpen: true });
		this.socket.on("error", () => undefined);
		this.socket.on("data", (chunk) => {
			this.chunks.push(chunk);
			this.wake();
		});
		// The server may close before it has read all, which resets the connection.
		this.socket.on("end", () => this.socket.end());
		this.received = new Promise((resolve) => {
			this.socket.on("close", () => resolve(Buffer.concat(this.chunks)));
		});
	}

	connected(): Promise<void> {
		return new Promise((resolve) => {
			this.socket.once("connect", resolve);
		});
	}

	/** Resolves when the bytes are with the kernel. */
	write(bytes: string | Buffer): Promise<void> {
		return new Promise((resolve) => {
			this.socket.write(bytes, () => resolve());
		});
	}

	/** Resolves with what has come when this is in it. */
	async until(part: string | Buffer): Promise<Buffer> {
		for (;;) {
			const all = Buffer.concat(this.chunks);
			if (all.includes(part)) return all;
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
		}
	}
}

/** One whole call; empty if the server closed without a reply. */
export function call(socketPath: string, request: string | Buffer): Promise<Buffer> {
	const client = new Client(socketPath);
	client.socket.end(request);
	return client.received;
}

/** Waits for something that happens in the server without a word to us. */
export async function eventually(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
