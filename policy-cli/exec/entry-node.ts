import { isMainThread, workerData } from "node:worker_threads";
import { nodeHost } from "../host/node.ts";
import type { Link } from "../host/node-link.ts";
import { superviseWorker } from "../host/node-main.ts";
import { run } from "./main.ts";

if (isMainThread) {
	superviseWorker(__filename);
} else {
	const link = workerData as Link;
	const status = run(nodeHost(process.argv.slice(2), link));
	link.port.postMessage({ order: "exit", status });
}
