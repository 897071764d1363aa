import type { Call } from "../../host/plugin.ts";
import { AdminError, type ErrorKind } from "../../model/errors.ts";
import type { PowerState, Qube } from "../../model/qubes/qube.ts";

/**
 * Starting and stopping without a hypervisor (spec 12, decided 3): qubes have power states and all events of their life, and whoever has to do
 * something then, such as storage, does it in these. Each function is for calls that were permitted.
 */

/** What goes on with each qube: one thing at a time, so that no state changes under another call. */
const underWay = new WeakMap<Qube, Promise<unknown>>();

/** Does something with a qube when all that was begun before is done. */
export function inTurn<T>(qube: Qube, work: () => Promise<T>): Promise<T> {
	const turn = (underWay.get(qube) ?? Promise.resolve()).then(work);
	underWay.set(
		qube,
		turn.catch(() => undefined),
	);
	return turn;
}

/** Starts a halted qube; nothing happens if it runs. Throws QubesVMNotHaltedError for dom0 and RemoteVMs. */
export async function start({ destination: qube, permit }: Call): Promise<string> {
	permit();
	if (qube.klass === "AdminVM" || qube.klass === "RemoteVM") {
		throw new AdminError("QubesVMNotHaltedError", `${qube.name} cannot be started`);
	}
	if (qube.powerState !== "Halted") return "";
	const args = { start_guid: true };
	try {
		qube.powerState = "Transient";
		await qube.fireAsync("domain-pre-start", { ...args, mem_required: 0 }, { pre: true });
		await qube.fireAsync("domain-pre-spawn", args, { pre: true });
		await qube.fireAsync("domain-spawn", args);
		qube.powerState = "Running";
		await qube.fireAsync("domain-start", args);
	} catch (error) {
		qube.powerState = "Halted";
		await qube.fireAsync("domain-start-failed", { reason: error instanceof Error ? error.message : String(error) });
		throw error;
	}
	return "";
}

/** Shuts a qube down; the argument may be `force`, `wait`, or both with `+` between them. Throws QubesVMNotStartedError, QubesVMInUseError. */
export async function shutdown({ app, destination: qube, argument, permit }: Call): Promise<string> {
	const words = argument === "" ? [] : argument.split("+");
	const unknown = words.find((word) => word !== "force" && word !== "wait");
	if (unknown !== undefined) throw new AdminError("ProtocolError", `shutdown: want force or wait, not '${unknown}'`);
	const force = words.includes("force");
	permit({ force, wait: words.includes("wait") });
	refuse(qube, ["Running", "Paused"], "QubesVMNotStartedError", "is not running");
	const connected = app.qubes().find((other) => other.powerState !== "Halted" && other.related("netvm") === qube);
	if (connected !== undefined && !force) {
		throw new AdminError("QubesVMInUseError", `${connected.name} runs and is connected through ${qube.name}`);
	}
	await qube.fireAsync("domain-pre-shutdown", { force }, { pre: true });
	return halt(qube);
}

/** Ends a qube at once. Throws QubesVMNotStartedError. */
export async function kill({ destination: qube, permit }: Call): Promise<string> {
	permit();
	refuse(qube, ["Running", "Paused", "Transient"], "QubesVMNotStartedError", "is not running");
	return halt(qube);
}

/** Stops a running qube where it is. Throws QubesVMNotRunningError. */
export async function pause({ destination: qube, permit }: Call): Promise<string> {
	permit();
	refuse(qube, ["Running"], "QubesVMNotRunningError", "is not running");
	await qube.fireAsync("domain-pre-paused", {}, { pre: true });
	qube.powerState = "Paused";
	qube.fire("domain-paused");
	return "";
}

/** Lets a paused qube go on. Throws QubesVMNotPausedError. */
export async function unpause({ destination: qube, permit }: Call): Promise<string> {
	permit();
	refuse(qube, ["Paused"], "QubesVMNotPausedError", "is not paused");
	await qube.fireAsync("domain-pre-unpaused", {}, { pre: true });
	qube.powerState = "Running";
	await qube.fireAsync("domain-unpaused");
	return "";
}

/** dom0 and RemoteVMs cannot be stopped or paused here, whatever state they are said to be in. */
function refuse(qube: Qube, states: readonly PowerState[], kind: ErrorKind, message: string): void {
	if (qube.klass === "AdminVM" || qube.klass === "RemoteVM") {
		throw new AdminError("QubesVMError", `${qube.name}: a qube of class ${qube.klass} is not run from here`);
	}
	if (!states.includes(qube.powerState)) throw new AdminError(kind, `${qube.name} ${message}`);
}

async function halt(qube: Qube): Promise<string> {
	qube.powerState = "Halted";
	await qube.fireAsync("domain-stopped");
	await qube.fireAsync("domain-shutdown");
	return "";
}
