// Puts a case to the programs: files on the disk, and a command line.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runInProcess } from "../../support/in-process.ts";
import { PROGRAMS, type Program } from "../../support/programs.ts";
import { runProgram } from "../../support/run-program.ts";
import type { FuzzCase } from "./mutate.ts";

/** A call of a program: arguments and standard input. */
export interface Command {
	readonly args: readonly string[];
	readonly input: Buffer;
}

/** Ways to ask for an answer; nothing is there that a call could reach. */
const MODES = [
	["--json"],
	["--json"],
	["--json", "--assume-yes-for-ask"],
	["--json", "--just-evaluate"],
	["--explain"],
	[],
	["--just-evaluate"],
];

/** Writes a case below `root`, which must not exist, and returns the command that asks for its answer. */
export function writeCase(root: string, made: FuzzCase, index: number): Command {
	for (const dir of ["p1", "p2", "old"]) fs.mkdirSync(path.join(root, dir), { recursive: true });
	for (const [name, text] of Object.entries(made.files)) {
		const file = Buffer.from(root + name, "latin1");
		if (name.includes("/", 4)) fs.mkdirSync(path.dirname(root + name), { recursive: true });
		fs.writeFileSync(file, Buffer.from(text.replaceAll("%{ROOT}", root), "latin1"));
	}
	for (const [name, link] of Object.entries(made.links)) {
		fs.rmSync(root + name, { force: true });
		fs.symlinkSync(Buffer.from(link.replaceAll("%{ROOT}", root), "latin1"), root + name);
	}
	const systemInfo = Buffer.from(made.systemInfo, "latin1");
	fs.writeFileSync(`${root}/system-info.json`, systemInfo);
	const input = index % 4 === 0;
	const args = [...(MODES[index % MODES.length] as string[]), ...places(root)];
	args.push("--system-info", input ? "-" : `${root}/system-info.json`);
	if (made.requestedSource !== null) args.push("--requested-source", made.requestedSource);
	return { args: [...args, "--", made.source, made.target, made.service], input: input ? systemInfo : Buffer.alloc(0) };
}

/** The options that keep a call away from the system. */
export function places(root: string): string[] {
	const none = `${root}/none`;
	const sockets = ["--rpc-dir", none, "--log-socket", none, "--qubesd-socket", none, "--qubesd-internal-socket", none];
	// Sanitizers take their time; what is compared is not how fast it is.
	return ["--path", `${root}/p1`, "--path", `${root}/p2`, "--legacy-dir", `${root}/old`, ...sockets, "--timeout", "600"];
}

/** Keeps a case for looking at it again, and says how. */
export function saveCase(made: FuzzCase, seed: number, index: number): string {
	const file = path.join(os.tmpdir(), `qubes-fuzz-${seed}-${index}.json`);
	fs.writeFileSync(file, JSON.stringify(made, null, "\t"));
	return `to see it again: npm run fuzz -- ${file}`;
}

/** The native program where it has 256 MiB of memory: what needs more gives another answer than the Node host. */
export const NATIVE_IN_LITTLE_MEMORY: Program = {
	name: "native in 256 MiB",
	argv: ["sh", "-c", 'ulimit -v 262144; exec "$@"', "sh", ...PROGRAMS.native.argv],
};

/** How the answer of a program differs from that of the Node host in this process; null if it does not. */
export async function compareHosts(program: Program, { args, input }: Command): Promise<string | null> {
	const node = runInProcess(args, { input });
	const { status, stdout, stderr, hung } = await runProgram(program, args, { input });
	if (hung) return "it does not end";
	if (status === node.status && stdout === node.stdout && stderr === node.stderr) return null;
	const [ours, theirs] = [{ status, stdout, stderr }, node].map((answer) => JSON.stringify(answer)) as [string, string];
	let from = 0;
	while (ours[from] === theirs[from]) from++;
	from = Math.max(0, from - 60);
	return `program …${ours.slice(from, from + 250)}\nNode host …${theirs.slice(from, from + 250)}`;
}
