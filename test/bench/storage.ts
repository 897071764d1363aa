/** Measures the storage driver (storage-figures.ts) in a process with as many file workers as the built qubesd has: `npm run bench -- storage`. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const [, workers] = /UV_THREADPOOL_SIZE=(\d+)/.exec(fs.readFileSync("dist/bin/qubesd", "utf8")) ?? [];
if (workers === undefined) throw new Error("dist/bin/qubesd does not say how many file workers it has");
const { status } = spawnSync(process.execPath, ["--import=tsx", path.resolve("test/bench/storage-figures.ts")], {
	stdio: "inherit",
	env: { ...process.env, UV_THREADPOOL_SIZE: workers },
});
if (status !== 0) process.exitCode = 1;
