import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { FakeServer, reply, type Script } from "../../support/fake-server.ts";
import { LogSocket, plainLine } from "../../support/log-socket.ts";
import { limiter } from "../../support/parallel.ts";
import type { Program } from "../../support/programs.ts";
import { type Ended, type Running, runToEnd } from "../../support/run-program.ts";
import { type Domains, house } from "../core/fixtures.ts";

/** What is different from the usual surroundings of a call. */
export interface Setting {
	/** Text of the only policy file; null makes no file. */
	readonly policy?: string | null;
	readonly domains?: Domains;
	/** What qubesd does when it is asked who is who; null: it is not there. */
	readonly info?: Script | null;
	/** What qubesd does when it is to start a qube. */
	readonly qubesd?: Script | null;
	readonly ask?: Script | null;
	readonly notify?: Script | null;
	/** Shell text that the qrexec client ends with; null: there is no client. */
	readonly client?: string | null;
	/** False: no system log. */
	readonly log?: boolean;
}

/** What a test gives to a run besides the call. */
export interface Extra extends Running {
	readonly options?: readonly string[];
	/** The time limit, in seconds. */
	readonly timeout?: number;
}

/** The tests of a file start all at once; more programs at once only makes each of them slow. */
const limit = limiter(4);

/** Writes down how a shell script was called. */
const RECORD = `call=$(mktemp -d "$0.XXXXXX")
printf '%s\\0' "$@" > "$call/argv"
cat > "$call/input"`;

/** How the qrexec client was called. */
export interface ClientCall {
	readonly argv: readonly string[];
	readonly input: string;
}

/** Directories, servers and a log for calls: all that the program touches, in one temporary directory. */
export class Stage {
	readonly dir: string;
	private readonly servers = new Map<string, FakeServer>();
	private log: LogSocket | null = null;

	private constructor(dir: string) {
		this.dir = dir;
	}

	static async open(t: ExecutionContext, setting: Setting = {}): Promise<Stage> {
		const stage = new Stage(fs.mkdtempSync(path.join(os.tmpdir(), "exec-")));
		t.teardown(() => stage.close());
		const { policy = "* * * * allow\n", domains = house(), client = "", log = true } = setting;
		for (const name of ["policy.d", "old", "rpc"]) fs.mkdirSync(stage.path(name));
		if (policy !== null) stage.write("policy.d/50.policy", policy);
		const scripts: readonly (readonly [string, Script | null])[] = [
			["internal.sock", setting.info === undefined ? reply(systemInfo(domains)) : setting.info],
			["qubesd.sock", setting.qubesd ?? null],
			["rpc/policy.Ask", setting.ask ?? null],
			["rpc/policy.Notify", setting.notify ?? null],
		];
		for (const [name, script] of scripts) {
			if (script !== null) stage.servers.set(name, await FakeServer.listen(stage.path(name), script));
		}
		if (client !== null) stage.writeProgram("client", `${RECORD}\n${client}`);
		if (log) stage.log = await LogSocket.open(stage.path("log.sock"));
		return stage;
	}

	path(name: string): string {
		return path.join(this.dir, name);
	}

	write(name: string, content: string | Buffer): void {
		fs.writeFileSync(this.path(name), content);
	}

	/** The command line that puts a call to the program in here. */
	command(program: Program, words: readonly string[], { options = [], timeout = 60 }: Extra = {}): string[] {
		return [
			...program.argv,
			...["--path", this.path("policy.d"), "--legacy-dir", this.path("old"), "--rpc-dir", this.path("rpc")],
			...["--qubesd-internal-socket", this.path("internal.sock"), "--qubesd-socket", this.path("qubesd.sock")],
			...["--qrexec-client", this.path("client"), "--log-socket", this.path("log.sock"), "--timeout", `${timeout}`],
			...options,
			"--",
			...words,
		];
	}

	run(program: Program, words: readonly string[], extra: Extra = {}): Promise<Ended> {
		return limit(() => runToEnd(this.command(program, words, extra), extra));
	}

	/** Runs a shell script in which the program with its call is `"$@"`. */
	runInShell(program: Program, script: string, words: readonly string[], extra: Extra = {}): Promise<Ended> {
		return limit(() => runToEnd(["sh", "-c", script, "sh", ...this.command(program, words, extra)], extra));
	}

	/** What was logged since the last time: priority and text. */
	async logged(): Promise<string[]> {
		return (await this.datagrams()).map(plainLine);
	}

	/** The same as it came. */
	async datagrams(): Promise<string[]> {
		return this.log === null ? [] : this.log.drain();
	}

	async fillLog(): Promise<void> {
		await this.log?.fill();
	}

	/** The whole requests to a server so far. */
	requests(name: "internal.sock" | "qubesd.sock" | "rpc/policy.Ask" | "rpc/policy.Notify"): readonly string[] {
		return this.servers.get(name)?.requests ?? [];
	}

	/** The calls of the qrexec client so far. */
	clientCalls(): ClientCall[] {
		const dirs = fs.readdirSync(this.dir).filter((name) => name.startsWith("client."));
		return dirs.sort().map((name) => {
			const argv = fs.readFileSync(this.path(`${name}/argv`), "utf8").split("\0");
			return { argv: argv.slice(0, -1), input: fs.readFileSync(this.path(`${name}/input`), "utf8") };
		});
	}

	/** An executable shell script. */
	writeProgram(name: string, script: string): void {
		fs.writeFileSync(this.path(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	}

	private close(): void {
		for (const server of this.servers.values()) server.close();
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

/** Runs a call on a stage of its own, which must end by itself. */
export async function runCall(
	t: ExecutionContext,
	program: Program,
	setting: Setting,
	words: readonly string[],
	extra: Extra = {},
) {
	const stage = await Stage.open(t, setting);
	const { status, stdout, hung } = await stage.run(program, words, extra);
	t.false(hung);
	return { stage, status, stdout, logged: await stage.logged() };
}

/** The right answer of qubesd about who is who (spec 4.1). */
export function systemInfo(domains: Domains): string {
	return `0\0${JSON.stringify({ domains })}`;
}
