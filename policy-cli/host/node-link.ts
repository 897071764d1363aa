import type { MessagePort } from "node:worker_threads";
import type { LastWords } from "./host.ts";

/** What the worker asks of the main thread. All but `start` and `exit` are answered, by a Reply and one count in `Link.shared`. */
export type Order =
	| { readonly order: "start"; readonly handle: number; readonly socketPath: string; readonly request: string }
	| { readonly order: "finish"; readonly handle: number; readonly seconds: number; readonly maxBytes: number }
	| { readonly order: "run"; readonly argv: readonly string[]; readonly input: string | null; readonly seconds: number }
	| { readonly order: "input"; readonly maxBytes: number }
	| { readonly order: "arm"; readonly seconds: number; readonly lastWords: LastWords }
	| { readonly order: "exit"; readonly status: number };

/** What the host call returns, or what it throws; `error` null is success. */
export interface Reply {
	readonly value?: unknown;
	readonly error: unknown;
}

/** How the worker talks to the main thread: it posts an order and sleeps until the count of replies in `shared` goes up. */
export interface Link {
	readonly port: MessagePort;
	readonly shared: Int32Array;
}

/** Places in `Link.shared`: how many orders were answered, and who writes the one answer of the run to standard output. */
export const REPLIES = 0;
export const ANSWERER = 1;
/** Who can be at ANSWERER, where 0 is nobody yet. */
export const WORKER = 1;
export const MAIN_THREAD = 2;
