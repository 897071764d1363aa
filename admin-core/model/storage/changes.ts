import { AdminError, messageOf } from "../errors.ts";
import type { Qube } from "../qubes/qube.ts";
import type { Volume } from "./contract.ts";
import { checkEphemeral } from "./ephemeral.ts";
import { tellProgress } from "./progress.ts";
import { isInUseWithoutSnapshots, isRunningDisposableOf } from "./states.ts";

/** What can be changed of one volume of a qube, with the checks that are not its driver's (spec/storage-reflink.md 1.6, 1.8, 9.3). */

/** Throws a QubesVMNotHaltedError: what is done to a volume in use would be undone, or seen half done. */
export function checkHalted(qube: Qube, what: string): void {
	if (qube.powerState !== "Halted") throw new AdminError("QubesVMNotHaltedError", `${qube.name} is not halted: ${what}`);
}

/**
 * Gives a volume another size, and has a running qube enlarge its file system. When that fails, a StoragePoolException is thrown, but the new
 * size stays.
 */
export async function resize(qube: Qube, volume: Volume, size: number): Promise<void> {
	await volume.resize(size);
	if (qube.powerState === "Halted") return;
	try {
		await qube.app.surroundings.programs.callService(qube.name, "qubes.ResizeDisk", volume.name);
	} catch (error) {
		qube.app.isUnsaved = true;
		throw new AdminError(
			"StoragePoolException",
			`volume ${volume.name} is resized, its file system must be resized by hand: ${messageOf(error)}`,
		);
	}
}

/** Takes over the content of a volume; then `domain-import-volume` is fired. Throws QubesVMNotHaltedError, StoragePoolException. */
export async function importVolume(qube: Qube, volume: Volume, source: Volume): Promise<void> {
	checkHalted(qube, `volume ${volume.name} cannot be replaced`);
	if (volume.isDirty()) throw new AdminError("StoragePoolException", `volume ${volume.name} was not cleanly stopped`);
	if (isInUseWithoutSnapshots(source)) {
		throw new AdminError("StoragePoolException", `volume ${source.vid} is in use, and has no snapshots that could be copied`);
	}
	await volume.importVolume(source, tellProgress(qube, volume));
	await qube.fireAsync("domain-import-volume", { name: volume.name, source });
}

/** Throws QubesValueError below -1; where snapshots are switched on or off QubesVMNotHaltedError, StoragePoolException for a volume that is in use. */
export function setRevisionsToKeep(qube: Qube, volume: Volume, value: number): void {
	if (value < -1) throw new AdminError("QubesValueError", `revisions_to_keep: want -1 or more, not ${value}`);
	if ((value === -1) !== (volume.revisionsToKeep === -1)) {
		checkHalted(qube, "snapshots cannot be switched on or off");
		const disposable = qube.app.qubes().find((other) => isRunningDisposableOf(other, qube));
		if (disposable !== undefined) checkHalted(disposable, `snapshots of ${qube.name} cannot be switched on or off`);
		if (volume.isDirty()) throw new AdminError("StoragePoolException", `volume ${volume.name} was not cleanly stopped`);
	}
	volume.revisionsToKeep = value;
}

/** Throws a QubesValueError for a volume that cannot be encrypted with a key that is thrown away. */
export function setEphemeral(volume: Volume, value: boolean): void {
	checkEphemeral(volume, value);
	volume.ephemeral = value;
}

/** Throws QubesVMNotHaltedError, QubesValueError. */
export function setRw(qube: Qube, volume: Volume, value: boolean): void {
	checkHalted(qube, `volume ${volume.name} cannot be made writable or read only`);
	const { name, snapOnStart, saveOnStop } = volume;
	checkEphemeral({ name, snapOnStart, saveOnStop, rw: value }, volume.ephemeral);
	volume.rw = value;
}
