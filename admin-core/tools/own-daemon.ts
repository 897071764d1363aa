/** A qubesd for one command, on a given store, with sockets that nobody else sees (issue 3.7). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Qubesd } from "./client.ts";
import type { Io } from "./command.ts";
import type { Connection } from "./connection.ts";
import { DaemonError } from "./errors.ts";

/** What would end the command; its daemon ends first. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** How long to wait before the next look whether the daemon listens, in milliseconds. */
const PAUSE = 10;

/**
 * Starts qubesd as the user who calls, on a store that exists. What it logs is shown with `isVerbose`, and where it does not start.
 * Throws DaemonError, as for a store that another qubesd holds.
 */
export async function startDaemon(store: string, io: Io, isVerbose: boolean): Promise<Connection> {
	const program = path.join(io.programs, "qubesd.mjs");
	if (!fs.existsSync(program)) throw new DaemonError(`cannot run qubesd on "${store}": there is no "${program}"`);
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "qubesd-"));
	const socket = path.join(folder, "qubesd.sock");
	const internalSocket = path.join(folder, "qubesd.internal.sock");
	const daemon = spawn(
		process.execPath,
		[program, "--store", path.resolve(store), "--socket", socket, "--internal-socket", internalSocket, "--embedded"],
		// The first pipe is closed with this process, however that ends; then the daemon ends too.
		{ stdio: ["pipe", "ignore", "pipe"], env: { ...io.env, NOTIFY_SOCKET: undefined, JOURNAL_STREAM: undefined } },
	);
	const child = new Child(daemon, folder, (line) => {
		if (isVerbose) io.stderr.write(line);
	});
	try {
		while (!(await isListening(internalSocket))) {
			if (child.hasEnded) throw new DaemonError(`cannot run qubesd on "${store}": ${await child.lastWords()}`);
			await sleep(PAUSE);
		}
	} catch (error) {
		await child.end();
		throw error;
	}
	return { qubesd: new Qubesd(socket), internalSocket, close: () => child.end() };
}

function isListening(socketPath: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = net.connect({ path: socketPath }, () => {
			socket.destroy();
			resolve(true);
		});
		socket.on("error", () => resolve(false));
	});
}

/** The process, its folder, and what it logged. */
class Child {
	private readonly process: ChildProcess;
	private readonly folder: string;
	private readonly ended: Promise<unknown>;
	private log = "";

	constructor(daemon: ChildProcess, folder: string, tell: (text: string) => void) {
		this.process = daemon;
		this.folder = folder;
		this.ended = once(daemon, "close").catch(() => undefined);
		daemon.stderr?.setEncoding("utf8").on("data", (text: string) => {
			this.log += text;
			tell(text);
		});
		for (const signal of SIGNALS) process.once(signal, this.passOn);
	}

	get hasEnded(): boolean {
		return this.process.exitCode !== null || this.process.signalCode !== null;
	}

	/** The last line of its log, when it has ended. */
	async lastWords(): Promise<string> {
		await this.ended;
		return this.log.trimEnd().split("\n").at(-1) || "it ended without a word";
	}

	/** Ends it, and waits until it has saved and let go of the store. */
	async end(): Promise<void> {
		for (const signal of SIGNALS) process.off(signal, this.passOn);
		if (!this.hasEnded) this.process.kill("SIGTERM");
		await this.ended;
		fs.rmSync(this.folder, { recursive: true, force: true });
	}

	/** The command is to end: not before its daemon has. */
	private readonly passOn = (signal: NodeJS.Signals): void => {
		void this.end().then(() => process.kill(process.pid, signal));
	};
}
