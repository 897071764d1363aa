import { spawn } from "node:child_process";
import path from "node:path";

/** How a program is started: argv without what the case adds, and the environment that it needs. */
export interface Program {
	readonly argv: readonly [string, ...string[]];
	readonly env: { readonly [name: string]: string };
}

/** The programs that `node build.mjs release sanitize faults` makes. */
export const PROGRAMS = {
	native: { argv: [path.resolve("dist/bin/qrexec-policy-exec")], env: {} },
	asan: { argv: [path.resolve("dist/test/qrexec-policy-exec-asan")], env: { ASAN_OPTIONS: "detect_leaks=0" } },
	faults: { argv: [path.resolve("dist/test/qrexec-policy-exec-faults")], env: {} },
	node: { argv: [process.execPath, path.resolve("dist/qrexec-policy-exec.cjs")], env: {} },
} satisfies { readonly [name: string]: Program };

/** How a run ended. `status` is null after a signal, and when it was killed because it took too long. */
export interface Ended {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** What was written to descriptor 3. */
	readonly extra: string;
	readonly hung: boolean;
}

export interface Running {
	readonly input?: Buffer | string;
	readonly env?: { readonly [name: string]: string };
	/** Killed after so many seconds. */
	readonly seconds?: number;
	/** Asked to end, by SIGTERM, after so many seconds. */
	readonly askedToEnd?: number;
}

/** Runs a program to its end. */
export function runProgram({ argv, env }: Program, args: readonly string[], more: Running = {}): Promise<Ended> {
	const [file, ...first] = argv;
	return new Promise((resolve, reject) => {
		const child = spawn(file, [...first, ...args], {
			env: { ...process.env, ...env, ...more.env },
			stdio: ["pipe", "pipe", "pipe", "pipe"],
		});
		let hung = false;
		const timer = setTimeout(
			() => {
				hung = true;
				child.kill("SIGKILL");
			},
			(more.seconds ?? 60) * 1000,
		);
		const asked = setTimeout(() => child.kill("SIGTERM"), (more.askedToEnd ?? 1e6) * 1000);
		const texts = [1, 2, 3].map((fd) => {
			const chunks: Buffer[] = [];
			child.stdio[fd]?.on("data", (chunk: Buffer) => chunks.push(chunk));
			return chunks;
		});
		child.on("error", (error) => {
			clearTimeout(timer);
			clearTimeout(asked);
			reject(error);
		});
		child.on("close", (status) => {
			clearTimeout(timer);
			clearTimeout(asked);
			const [stdout, stderr, extra] = texts.map((chunks) => Buffer.concat(chunks).toString()) as [string, string, string];
			resolve({ status, stdout, stderr, extra, hung });
		});
		// A program that ends without reading its input is no failure of ours.
		child.stdin?.on("error", () => undefined);
		child.stdin?.end(more.input ?? "");
	});
}

/** Does the work for each item, at most `width` at a time; the results are in the order of the items. */
export async function inParallel<T, R>(
	items: readonly T[],
	width: number,
	work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
	const results: R[] = [];
	let next = 0;
	const worker = async (): Promise<void> => {
		while (next < items.length) {
			const index = next++;
			results[index] = await work(items[index] as T, index);
		}
	};
	await Promise.all(Array.from({ length: width }, worker));
	return results;
}

/** The first few lines of what is wrong, each cut; empty when nothing is. */
export function firstFew(wrong: readonly string[], most = 5): string {
	if (wrong.length === 0) return "";
	const lines = wrong.slice(0, most).map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line));
	return `${wrong.length} wrong:\n${lines.join("\n")}`;
}
