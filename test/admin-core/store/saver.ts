// Opens a store and does as it is told, for tests that kill it: `saver.mjs FILE hold|save [COUNT]`. Prints `ready`, and the number of each save
// that is done. With KILL_AT=N in the environment it kills itself just before the Nth step of the saves that touches the disk.
import fs from "node:fs/promises";
import { StoreError } from "../../../admin-core/store/errors.ts";
import { StoreFile } from "../../../admin-core/store/store-file.ts";
import { numbered, numberOf } from "./numbered.ts";

const [file, task, count = "1000000"] = process.argv.slice(2) as [string, string, string?];
try {
	const store = await StoreFile.open(file);
	let n = numberOf((await store.load()).data);
	if (process.env["KILL_AT"] !== undefined) await armKill(Number(process.env["KILL_AT"]));
	process.stdout.write("ready\n");
	if (task === "hold") setInterval(() => undefined, 1000);
	else
		for (let left = Number(count); left > 0; left--) {
			await store.save(numbered(++n, "x".repeat(60_000)));
			process.stdout.write(`${n}\n`);
		}
} catch (thrown) {
	if (!(thrown instanceof StoreError)) throw thrown;
	process.stdout.write(`${thrown.kind}: ${thrown.message}\n`);
	process.exitCode = 1;
}

type Steps = { [name: string]: (...args: unknown[]) => unknown };

async function armKill(at: number): Promise<void> {
	let steps = 0;
	const wrap = (object: Steps, names: readonly string[]): void => {
		for (const name of names) {
			const original = object[name] as Steps[string];
			object[name] = function (this: unknown, ...args) {
				if (++steps === at) process.kill(process.pid, "SIGKILL");
				return original.apply(this, args);
			};
		}
	};
	const handle = await fs.open("/dev/null");
	await handle.close();
	wrap(Object.getPrototypeOf(handle), ["writeFile", "chown", "chmod", "sync", "stat", "close"]);
	wrap(fs as unknown as Steps, ["open", "rename", "link", "rm", "stat", "readdir"]);
}
