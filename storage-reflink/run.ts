import { spawn } from "node:child_process";
import { escapeLine, poolError } from "./errors.ts";

/**
 * Runs a program to its end, with an open file as its standard input, if one is given. Throws a StoragePoolException with what it complained of when it
 * fails or is killed.
 */
export async function run(program: string, args: readonly string[], input?: number): Promise<void> {
	const child = spawn(program, args, { stdio: [input ?? "ignore", "ignore", "pipe"], env: { ...process.env, LC_ALL: "C" } });
	let complaint = "";
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		complaint = (complaint + text).slice(0, 1000);
	});
	const how = await new Promise<string | number>((resolve, reject) => {
		child.on("error", ({ message }) => reject(poolError(`cannot run ${program}: ${message}`)));
		child.on("close", (code, signal) => resolve(signal ?? code ?? "an unknown end"));
	});
	if (how === 0) return;
	throw poolError(escapeLine(complaint.trim()) || `${program} ended with ${how}`);
}
