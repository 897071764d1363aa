import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { endAtOnce, halt, removeAfterRun, tellFailure } from "./halt.ts";
import { needState } from "./states.ts";

/** Shuts a qube down; the argument may be `force`, `wait`, or both with `+` between them. Throws QubesVMNotStartedError, QubesVMInUseError. */
export async function shutdown({ app, destination: qube, argument, permit }: Call): Promise<string> {
	const words = argument === "" ? [] : argument.split("+");
	const unknown = words.find((word) => word !== "force" && word !== "wait");
	if (unknown !== undefined) throw new AdminError("ProtocolError", `shutdown: want force or wait, not '${unknown}'`);
	const force = words.includes("force");
	permit({ force, wait: words.includes("wait") });
	needState(qube, ["Running", "Paused"], "QubesVMNotStartedError", "is not running");
	const connected = app.qubes().find((other) => other.powerState !== "Halted" && other.related("netvm") === qube);
	if (connected !== undefined && !force) {
		throw new AdminError("QubesVMInUseError", `${connected.name} runs and is connected through ${qube.name}`);
	}
	try {
		await qube.fireAsync("domain-pre-shutdown", { force }, { pre: true });
		await app.surroundings.hypervisor.shutdown(qube);
	} catch (error) {
		await tellFailure(qube, "domain-shutdown-failed", error);
		throw error;
	}
	await halt(qube);
	await removeAfterRun(qube);
	return "";
}

/** Ends a qube at once, or what is left of one that has ended by itself. Throws QubesVMNotStartedError. */
export async function kill({ destination: qube, permit }: Call): Promise<string> {
	permit();
	needState(qube, ["Running", "Paused", "Suspended", "Transient"], "QubesVMNotStartedError", "is not running");
	await endAtOnce(qube);
	await removeAfterRun(qube);
	return "";
}
