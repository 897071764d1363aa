import fs from "node:fs";
import { run } from "../../policy-cli/exec/main.ts";
import type { Host, HostError, LastWords, RunResult } from "../../policy-cli/host/host.ts";
import { decode, listFiles, readLink, readRows, readText } from "../../policy-cli/host/node-files.ts";
import { parseJson } from "../../policy-cli/host/node-json.ts";

/** Build-time constant of the bundles. */
const { version } = JSON.parse(fs.readFileSync("package.json", "utf8")) as { version: string };
(globalThis as { QUBES_CORE_VERSION?: string }).QUBES_CORE_VERSION = version;

/** What is behind the sockets and programs of a host in this process; where nothing is said, nothing is there. */
export interface World {
	readonly input?: Buffer;
	/** The answer of a unix socket to a request. */
	readonly call?: (socketPath: string, request: string) => string;
	readonly run?: (argv: readonly string[], input: string | null) => RunResult;
	/** Whether there is a system log. */
	readonly log?: boolean;
}

/** A host in this process: real files, and whatever `world` says; what is written and logged is kept. */
export class CapturingHost implements Host {
	readonly args: readonly string[];
	readText = readText;
	readRows = readRows;
	listFiles = listFiles;
	readLink = readLink;
	parseJson = parseJson;
	stdout = "";
	stderr = "";
	readonly logged: string[] = [];
	readonly ran: (readonly string[])[] = [];
	/** The last words in force, and the time limit. */
	armed: { readonly seconds: number; readonly lastWords: LastWords } | null = null;
	private readonly world: World;
	private readonly calls: { socketPath: string; request: string }[] = [];

	constructor(args: readonly string[], world: World = {}) {
		this.args = args;
		this.world = world;
	}

	readInput(maxBytes: number): string {
		const input = this.world.input ?? Buffer.alloc(0);
		if (input.length > maxBytes) throw fail("EFBIG", "read", "standard input");
		return decode(input, "standard input");
	}

	startCall(socketPath: string, request: string): number {
		return this.calls.push({ socketPath, request }) - 1;
	}

	finishCall(handle: number, _seconds: number, _maxBytes: number): string {
		const { socketPath, request } = this.calls[handle] as { socketPath: string; request: string };
		if (this.world.call === undefined) throw fail("ENOENT", "connect", socketPath);
		return this.world.call(socketPath, request);
	}

	run(argv: readonly string[], input: string | null, _seconds: number): RunResult {
		if (this.world.run === undefined) throw fail("ENOENT", "run", argv[0] as string);
		const result = this.world.run(argv, input);
		this.ran.push(argv);
		return result;
	}

	write(fd: 1 | 2, text: string): void {
		if (fd === 1) this.stdout += text;
		else this.stderr += text;
	}

	sendLog(socketPath: string, text: string): void {
		if (this.world.log !== true) throw fail("ENOENT", "log", socketPath);
		this.logged.push(text);
	}

	arm(seconds: number, lastWords: LastWords): void {
		this.armed = { seconds, lastWords };
	}
}

/** A run of the program of the Node bundle in this process. */
export function runInProcess(args: readonly string[], world: World = {}): { status: number; stdout: string; stderr: string } {
	// As they come through the command line: half a character cannot.
	const host = new CapturingHost(
		args.map((arg) => Buffer.from(arg).toString()),
		world,
	);
	const status = run(host);
	return { status, stdout: host.stdout, stderr: host.stderr };
}

function fail(code: string, operation: string, path: string): HostError {
	return { code, operation, path };
}
