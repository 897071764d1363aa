import { log } from "../../log.ts";
import { messageOf } from "../../model/errors.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { removeDisposable } from "./remove.ts";

/** Ends a qube wherever it is, and its run. Never rejects. */
export async function endAtOnce(qube: Qube, endVolumes = stopVolumes): Promise<void> {
	const { hypervisor } = qube.app.surroundings;
	await hypervisor.kill(qube).catch((error) => log("error", `${hypervisor.name} cannot end ${qube.name}: ${messageOf(error)}`));
	await halt(qube, endVolumes);
}

/** What follows the end of a qube: its volumes are stopped, then everybody is told. Never rejects: what fails is logged, the qube is halted nevertheless. */
export async function halt(qube: Qube, endVolumes = stopVolumes): Promise<void> {
	qube.powerState = "Halting";
	await endVolumes(qube);
	qube.powerState = "Halted";
	for (const event of ["domain-stopped", "domain-shutdown"]) {
		await qube.fireAsync(event).catch((error) => log("error", `${qube.name}: a handler of ${event} fails: ${messageOf(error)}`));
	}
}

/** Never rejects: what fails is logged, as the qube is gone already (spec/storage-reflink.md 1.8). */
export async function stopVolumes(qube: Qube): Promise<void> {
	await qube.storage.stop().catch((error) => log("error", `cannot stop the volumes of ${qube.name}: ${messageOf(error)}`));
}

/** The same for volumes that the qube has never run with: it is as if they had not been started. Never rejects. */
export async function undoVolumes(qube: Qube): Promise<void> {
	await qube.storage
		.undoStart()
		.catch((error) => log("error", `cannot undo the start of the volumes of ${qube.name}: ${messageOf(error)}`));
}

/** A disposable that nobody is to clean up after is gone after its run. Never rejects. */
export async function removeAfterRun(qube: Qube): Promise<void> {
	if (qube.klass === "DispVM" && qube.get("auto_cleanup") === true) await removeDisposable(qube.app, qube);
}

/** Fires an event that says why something failed. Never rejects: who handles it is not to hide the reason. */
export async function tellFailure(qube: Qube, event: string, reason: unknown): Promise<void> {
	await qube
		.fireAsync(event, { reason: messageOf(reason) })
		.catch((error) => log("error", `${qube.name}: a handler of ${event} fails: ${messageOf(error)}`));
}
