import { AdminError } from "./errors.ts";

/** Programs of Qubes that speak to qubes; each of them has a time limit. They throw a QubesException that says which failed, and how. */
export interface Programs {
	/** What a qube has in its QubesDB below a prefix that ends with `/`: paths without the prefix, values that it was free to choose. */
	readonly readQubesDb: (qube: string, prefix: string) => Promise<ReadonlyMap<string, string>>;
	/** Calls a qrexec service of a running qube as dom0, with `input` for it to read, and waits until it has ended. */
	readonly callService: (qube: string, service: string, input?: string) => Promise<void>;
}

/** Those of a system that has none. */
export const NO_PROGRAMS: Programs = { readQubesDb: fail, callService: fail };

function fail(qube: string): Promise<never> {
	return Promise.reject(new AdminError("QubesException", `there is no program here that speaks to ${qube}`));
}
