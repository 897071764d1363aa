import type { PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** The program that restores a backup sets it, and removes it when all of the qube is there. */
const UNFINISHED = "backup-restore-in-progress";

/** A qube that is being restored is not started (spec 1.8). */
export const handlers: NonNullable<PluginModule["handlers"]> = { refuseUnfinished };

function refuseUnfinished(qube: Qube): void {
	if (!qube.tags.has(UNFINISHED)) return;
	throw new AdminError("QubesVMError", `${qube.name} is being restored from a backup and cannot be started`);
}
