import { AdminError, type ErrorKind } from "../../model/errors.ts";
import { canBeStarted } from "../../model/qubes/kinds.ts";
import type { PowerState, Qube } from "../../model/qubes/qube.ts";

/**
 * Throws where a qube is not in one of these states. dom0 and RemoteVMs cannot be stopped or paused here, whatever state they are said to be in: for
 * them it is a QubesVMError.
 */
export function needState(qube: Qube, states: readonly PowerState[], kind: ErrorKind, message: string): void {
	if (!canBeStarted(qube)) {
		throw new AdminError("QubesVMError", `${qube.name}: a qube of class ${qube.klass} is not run from here`);
	}
	if (!states.includes(qube.powerState)) throw new AdminError(kind, `${qube.name} ${message}`);
}
