// What the tests of the store share: folders that go away, samples, and programs in processes of their own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import esbuild from "esbuild";
import type { StoreData } from "../../../admin-core/store/data.ts";
import { StoreError, type StoreErrorKind } from "../../../admin-core/store/errors.ts";
import { type ReadStore, readStore } from "../../../admin-core/store/read-store.ts";
import { render } from "../../../admin-core/store/render.ts";
import { storeTree } from "../../../admin-core/store/store-tree.ts";

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** The example of spec 5.2 and the document of spec 5.3. */
export const EXAMPLE = fs.readFileSync(path.join(HERE, "samples/example.xml"), "utf8");
export const MINIMAL = fs.readFileSync(path.join(HERE, "samples/minimal.xml"), "utf8");

export const EMPTY: StoreData = { labels: [], pools: [], properties: [], domains: [] };

export function read(text: string): ReadStore {
	return readStore({ file: "qubes.xml", text });
}

export function write(data: StoreData, residue: ReadStore["residue"] = read("<qubes/>").residue): string {
	return render(storeTree(data), residue).bytes.toString();
}

/** Loaded and saved without a change. */
export function again(text: string): string {
	const { data, residue } = read(text);
	return write(data, residue);
}

/** A store with one qube, `work`, in which there is this besides its name. */
export function withQube(content: string): string {
	const name = '<properties><property name="name">work</property></properties>';
	return `<qubes><domains><domain id="domain-1" class="AppVM">${name}${content}</domain></domains></qubes>`;
}

/** A folder that goes away with the test. */
export function makeFolder(t: ExecutionContext): string {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-store-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** A folder with a store in it. */
export function makeStore(t: ExecutionContext, text = EXAMPLE): { folder: string; file: string } {
	const folder = makeFolder(t);
	const file = path.join(folder, "qubes.xml");
	fs.writeFileSync(file, text);
	return { folder, file };
}

/** What is thrown by a step, as `KIND MESSAGE`. */
export function refusal(t: ExecutionContext, step: () => unknown): string {
	return describe(t, t.throws(step, { instanceOf: StoreError }));
}

export async function refusalOf(t: ExecutionContext, step: Promise<unknown>): Promise<string> {
	return describe(t, await t.throwsAsync(step, { instanceOf: StoreError }));
}

function describe(t: ExecutionContext, error: { kind: StoreErrorKind; message: string } | undefined): string {
	t.notRegex(error?.message ?? "", /[\n\r]|\.$/, "one line, no full stop");
	return `${error?.kind} ${error?.message}`;
}

/** The names in a folder, but for the lock file. */
export function namesIn(folder: string): string[] {
	return fs.readdirSync(folder).filter((name) => !name.endsWith(".lock"));
}

/** Bundles a program of this folder or of another one into `folder`, so that it starts fast; returns the arguments that run it. */
export function buildProgram(name: string, folder: string, from = HERE): string[] {
	const outfile = path.join(folder, name.replace(/\.ts$/, ".mjs"));
	const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
	const entryPoints = [path.join(from, name)];
	esbuild.buildSync({ entryPoints, outfile, banner, bundle: true, platform: "node", format: "esm", logLevel: "error" });
	return [process.execPath, outfile];
}

export interface Talking {
	readonly child: ChildProcess;
	/** The lines it has printed. */
	readonly lines: string[];
	/** Resolves with line `n`, the first is 1; rejects if it ends without. */
	line(n: number): Promise<string>;
	/** Resolves with the signal or the status when it has ended. */
	readonly ended: Promise<string | number | null>;
}

/** Starts a program that prints lines. */
export function startTalking([file, ...args]: readonly string[], env: { [name: string]: string } = {}): Talking {
	const child = spawn(file as string, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
	const lines: string[] = [];
	const closed = new Promise<string | number | null>((resolve) => {
		child.on("close", (status, signal) => resolve(signal ?? status));
	});
	const reader = readline.createInterface({ input: child.stdout });
	reader.on("line", (text) => lines.push(text));
	const ended = Promise.all([closed, once(reader, "close")]).then(([how]) => how);
	const line = async (n: number): Promise<string> => {
		while (lines.length < n) {
			const how = await Promise.race([once(reader, "line"), ended]);
			if (!Array.isArray(how) && lines.length < n) throw new Error(`ended with ${how} after ${lines.length} lines`);
		}
		return lines[n - 1] as string;
	};
	return { child, lines, line, ended };
}
