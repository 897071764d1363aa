import { AdminError } from "./errors.ts";
import type { Qube } from "./qubes/qube.ts";

/**
 * What boots qubes and ends them, one for the whole system (spec 12, decided 3). Whoever calls has started the volumes, keeps the power state and fires the events;
 * a hypervisor fires none. For each qube one call comes after the other. What is thrown should be an AdminError, as it is told to the client.
 */
export interface Hypervisor {
	readonly name: string;
	/** Boots a qube; resolves when it runs. When it rejects, nothing of it runs. */
	readonly start: (qube: Qube) => Promise<void>;
	/** Asks a qube to end and waits until it has; rejects with a QubesVMShutdownTimeoutError when it does not within its `shutdown_timeout`. */
	readonly shutdown: (qube: Qube) => Promise<void>;
	/** Ends a qube at once; one that has ended already is fine. */
	readonly kill: (qube: Qube) => Promise<void>;
	/** Stops a qube where it is, and lets it go on. */
	readonly pause: (qube: Qube) => Promise<void>;
	readonly unpause: (qube: Qube) => Promise<void>;
	/** The same as when the machine sleeps, so that the qube knows of it. */
	readonly suspend: (qube: Qube) => Promise<void>;
	readonly resume: (qube: Qube) => Promise<void>;
	/** The path of the terminal of a running qube. */
	readonly console: (qube: Qube) => Promise<string>;
	/** What a qube uses, synchronous and cheap; zeros for one that does not run. */
	readonly usage: (qube: Qube) => Usage;
	readonly machine: () => Machine;
}

/** What a qube uses at a moment. */
export interface Usage {
	/** In KiB: what it has, and the most that it can get. */
	readonly memory: number;
	readonly maxMemory: number;
	/** In nanoseconds since its start, and how much of all its processors now, in percent. */
	readonly cpuTime: number;
	readonly cpuUsage: number;
	readonly onlineVcpus: number;
}

/** What the machine has: memory in MiB, processors. */
export interface Machine {
	readonly memory: number;
	readonly processors: number;
}

/** What a hypervisor is given of the daemon. */
export interface HypervisorContext {
	/** To be called when a qube has ended by itself; its volumes are stopped then, and everybody is told. */
	readonly ended: (name: string) => void;
	readonly log: (level: "info" | "warning" | "error", line: string) => void;
}

/** Makes the hypervisor, once, at the start of the daemon. */
export type MakeHypervisor = (context: HypervisorContext) => Hypervisor;

const nothing = async (): Promise<void> => undefined;

/** Nothing is booted: a qube is its power state, its volumes, and the events of its life. */
export const NO_HYPERVISOR: Hypervisor = {
	name: "none",
	start: nothing,
	shutdown: nothing,
	kill: nothing,
	pause: nothing,
	unpause: nothing,
	suspend: nothing,
	resume: nothing,
	console: async ({ name }) => {
		throw new AdminError("QubesNotImplementedError", `${name} has no console: it is run without a hypervisor`);
	},
	usage: () => ({ memory: 0, maxMemory: 0, cpuTime: 0, cpuUsage: 0, onlineVcpus: 0 }),
	machine: () => ({ memory: 0, processors: 0 }),
};
