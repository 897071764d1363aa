/**
 * `npm run fuzz -- [SECONDS] [SEED]`: damaged cases until the time is over (without: until it is stopped); ends with status 1 at the first
 * case that goes wrong and writes it to a file. `npm run fuzz -- FILE` puts such a case again. Every tenth case is also put to the native program.
 */
import { fork } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { checkCase } from "./check.ts";
import { compareHosts, NATIVE_IN_LITTLE_MEMORY, saveCase, writeCase } from "./disk.ts";
import { type FuzzCase, makeCase } from "./mutate.ts";

const DISK_STEP = 10;
/** A case that takes longer than this many seconds does not end. */
const PATIENCE = 60;

const [first = "Infinity", second] = process.argv.slice(2);
if (process.send !== undefined) await work(Number(first));
else if (fs.existsSync(first)) await repeat(first);
else if (isNumber(first) && isNumber(second ?? "0")) supervise(Number(first), Number(second ?? Date.now() % 1_000_000));
else {
	console.error(`${first} is no number of seconds, nor a file: want npm run fuzz -- [SECONDS] [SEED], or npm run fuzz -- FILE`);
	process.exit(2);
}

function isNumber(text: string): boolean {
	return text === "Infinity" || /^\d+$/.test(text);
}

/** Another process does the cases, so that one that never ends is noticed. */
function supervise(seconds: number, seed: number): void {
	console.log(`seed ${seed}`);
	const start = performance.now();
	let [index, since] = [0, start];
	const worker = fork(process.argv[1] as string, [String(seed)], {
		// What needs more memory than that is a finding.
		execArgv: [...process.execArgv, "--max-old-space-size=512"],
		stdio: ["ignore", "inherit", "pipe", "ipc"],
	});
	let complaint = "";
	worker.stderr?.on("data", (chunk) => {
		complaint += chunk;
	});
	worker.on("message", (message: number | string) => {
		if (typeof message === "string") stop(index, seed, message);
		index = message;
		since = performance.now();
		if (index % 10_000 === 0) console.log(`${index} cases`);
	});
	worker.on("close", (status) => stop(index, seed, `ended with status ${status}: ${complaint}`));
	const end = (): never => {
		worker.removeAllListeners("close");
		worker.kill();
		console.log(`${index} cases, nothing wrong (seed ${seed})`);
		process.exit(0);
	};
	process.on("SIGINT", end);
	setInterval(() => {
		const now = performance.now();
		if (now - since > PATIENCE * 1000) {
			worker.kill("SIGKILL");
			stop(index, seed, "it does not end");
		}
		if (now - start > seconds * 1000) end();
	}, 200);
}

function stop(index: number, seed: number, wrong: string): never {
	console.log(`seed ${seed}, case ${index}: ${wrong.slice(0, 2000)}\n${saveCase(makeCase(seed, index), seed, index)}`);
	process.exit(1);
}

/** Tells the number of each case before it is done. */
async function work(seed: number): Promise<void> {
	for (let index = 0; ; index++) {
		process.send?.(index);
		await setImmediate();
		const wrong = await check(makeCase(seed, index), index, index % DISK_STEP === 0);
		if (wrong !== null) process.send?.(wrong);
	}
}

async function repeat(file: string): Promise<void> {
	const made = JSON.parse(fs.readFileSync(file, "utf8")) as FuzzCase;
	const index = Number(/-(\d+)\.json$/.exec(file)?.[1] ?? 0);
	const wrong = await check(made, index, true);
	console.log(wrong ?? "nothing is wrong with it");
	process.exit(wrong === null ? 0 : 1);
}

async function check(made: FuzzCase, index: number, onDisk: boolean): Promise<string | null> {
	const wrong = checkCase(made);
	if (wrong !== null || !onDisk) return wrong;
	const root = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-fuzz-"));
	try {
		return await compareHosts(NATIVE_IN_LITTLE_MEMORY, writeCase(root, made, index));
	} finally {
		fs.rmSync(root, { recursive: true });
	}
}
