import type { Qube } from "../qubes/qube.ts";
import type { Volume } from "./contract.ts";

/** Whether a volume keeps its state, and is told to keep no earlier one (1.2). */
export function hasNoSnapshots({ revisionsToKeep, snapOnStart, saveOnStop }: Volume): boolean {
	return revisionsToKeep === -1 && !snapOnStart && saveOnStop;
}

/** Whether there is no state of a volume that somebody could read, but the one that its qube is working on. */
export function isInUseWithoutSnapshots(volume: Volume): boolean {
	return hasNoSnapshots(volume) && volume.isDirty();
}

/** Whether a qube is a disposable that was made of another one and runs. */
export function isRunningDisposableOf(qube: Qube, template: Qube): boolean {
	return qube.klass === "DispVM" && qube.powerState !== "Halted" && qube.related("template") === template;
}
