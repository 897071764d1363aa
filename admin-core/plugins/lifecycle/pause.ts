import type { Call } from "../../host/plugin.ts";
import type { ErrorKind } from "../../model/errors.ts";
import { goOn, type Rest, type RestEnd, rest } from "../../model/qubes/rest.ts";
import { needState } from "./states.ts";

/** Stops a running qube where it is. Throws QubesVMNotRunningError. */
export const pause = resting("Paused");
/** The same, as when the machine is suspended. */
export const suspend = resting("Suspended");

/** Lets a paused qube go on. Throws QubesVMNotPausedError. */
export const unpause = goingOn("Paused", "QubesVMNotPausedError", "domain-unpaused");
/** Lets a suspended qube go on. Throws QubesVMNotSuspendedError. */
export const resume = goingOn("Suspended", "QubesVMNotSuspendedError", "domain-resumed");

/** The path of the console of a running qube. Throws QubesVMNotRunningError, QubesNotImplementedError. */
export async function consoleOf({ destination: qube, permit }: Call): Promise<string> {
	permit();
	needState(qube, ["Running"], "QubesVMNotRunningError", "is not running");
	return qube.app.surroundings.hypervisor.console(qube);
}

function resting(state: Rest) {
	return async ({ destination: qube, permit }: Call): Promise<string> => {
		permit();
		needState(qube, ["Running"], "QubesVMNotRunningError", "is not running");
		await rest(qube, state);
		return "";
	};
}

function goingOn(state: Rest, kind: ErrorKind, event: RestEnd) {
	return async ({ destination: qube, permit }: Call): Promise<string> => {
		permit();
		needState(qube, [state], kind, `is not ${state.toLowerCase()}`);
		await goOn(qube, event);
		return "";
	};
}
