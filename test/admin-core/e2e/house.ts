import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { type Ended, runToEnd } from "../../support/run-program.ts";

const EXAMPLE = fs.readFileSync("examples/qubes.xml", "utf8");

/** What is different from the usual house. */
interface Furnishing {
	readonly store?: string;
	readonly options?: readonly string[];
}

/** A client that is told of events, as text of bytes. */
export interface Listener {
	received(): string;
	until(pattern: RegExp): Promise<void>;
	/** Resolves when the connection is closed, by either. */
	readonly ended: Promise<unknown>;
	close(): void;
}

/** The built qubesd on a copy of the example store, and the built commands. */
export class House {
	readonly dir: string;
	private readonly options: readonly string[];
	/** A command that the daemon is started by, if it is not empty; it becomes the daemon. */
	wrapper: readonly string[] = [];
	private daemon: ChildProcess | null = null;
	/** What the daemon wrote to standard error. */
	logged = "";

	private constructor(dir: string, options: readonly string[]) {
		this.dir = dir;
		this.options = options;
	}

	/** Starts a daemon, which ends with the test; `store` replaces the text of the store, `options` are added to its command line. */
	static async open(t: ExecutionContext, { store = EXAMPLE, options = [] }: Furnishing = {}): Promise<House> {
		const house = House.prepare(t, store, options);
		await house.start();
		return house;
	}

	/** The same without a daemon. */
	static prepare(t: ExecutionContext, store: string, options: readonly string[] = []): House {
		const house = new House(fs.mkdtempSync(path.join(os.tmpdir(), "qubesd-")), options);
		fs.writeFileSync(house.path("qubes.xml"), store);
		t.teardown(async () => {
			await house.stop("SIGKILL");
			fs.rmSync(house.dir, { recursive: true });
		});
		return house;
	}

	path(name: string): string {
		return path.join(this.dir, name);
	}

	/** Starts the daemon and waits until it can be called. */
	async start(): Promise<void> {
		const [file, ...args] = [...this.wrapper, path.resolve("dist/bin/qubesd"), ...this.daemonArguments()];
		this.daemon = spawn(file as string, args, { stdio: ["ignore", "ignore", "pipe"] });
		this.daemon.stderr?.on("data", (chunk) => {
			this.logged += chunk;
		});
		const ended = once(this.daemon, "exit").then(() => {
			throw new Error(`qubesd ended: ${this.logged}`);
		});
		ended.catch(() => undefined);
		await Promise.race([ended, this.untilListening()]);
	}

	/** How the daemon is started. */
	daemonArguments(): string[] {
		return [
			...["--store", this.path("qubes.xml"), "--socket", this.path("qubesd.sock")],
			...["--internal-socket", this.path("internal.sock"), "--kernels", this.path("kernels"), "--trace-plugins"],
			...this.options,
		];
	}

	/** The number of the process of the daemon. */
	get pid(): number {
		return this.daemon?.pid ?? 0;
	}

	/** Stops the daemon and waits until it has ended, and all that it wrote is in `logged`. */
	async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
		const { daemon } = this;
		if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return;
		const ended = once(daemon, "close");
		daemon.kill(signal);
		await ended;
	}

	/** With which commands find this daemon. */
	get env() {
		return { QUBESD_SOCKET: this.path("qubesd.sock"), QUBESD_INTERNAL_SOCKET: this.path("internal.sock") };
	}

	/** Runs a command of dist/bin on this daemon. */
	run(command: string, ...args: readonly string[]): Promise<Ended> {
		return runToEnd([path.resolve("dist/bin", command), ...args], { env: this.env });
	}

	/** Sends the bytes of a request and returns those of the reply. */
	async call(request: string | Buffer, socketName = "qubesd.sock"): Promise<string> {
		const socket = net.connect({ path: this.path(socketName), allowHalfOpen: true });
		const chunks: Buffer[] = [];
		socket.on("data", (chunk) => chunks.push(chunk));
		socket.on("error", () => undefined);
		socket.end(request);
		await once(socket, "close");
		return Buffer.concat(chunks).toString("latin1");
	}

	/** Opens a stream of events and waits until it is connected. */
	async listen(request: string): Promise<Listener> {
		const socket = net.connect({ path: this.path("qubesd.sock"), allowHalfOpen: true });
		let received = "";
		socket.on("data", (chunk) => {
			received += chunk.toString("latin1");
		});
		socket.end(request);
		const listener: Listener = {
			received: () => received,
			async until(pattern) {
				while (!pattern.test(received)) await sleep(10);
			},
			ended: once(socket, "close"),
			close: () => void socket.destroy(),
		};
		await listener.until(/connection-established/);
		return listener;
	}

	/** The text of the store. */
	store(): string {
		return fs.readFileSync(this.path("qubes.xml"), "utf8");
	}

	private async untilListening(): Promise<void> {
		while (this.daemon?.exitCode === null && !fs.existsSync(this.path("internal.sock"))) await sleep(20);
	}
}
