import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { canBeStarted } from "../../model/qubes/kinds.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { endAtOnce, removeAfterRun, stopVolumes, tellFailure, undoVolumes } from "./halt.ts";

const ARGS = { start_guid: true };

/**
 * Starts a halted qube; nothing happens if it runs. Its volumes are started, the hypervisor boots it, and in the events of its life others do what is
 * theirs. Throws QubesVMNotHaltedError for dom0 and RemoteVMs.
 */
export async function start({ destination: qube, permit }: Call): Promise<string> {
	permit();
	if (!canBeStarted(qube)) {
		throw new AdminError("QubesVMNotHaltedError", `${qube.name} cannot be started`);
	}
	if (qube.powerState !== "Halted") return "";
	qube.powerState = "Transient";
	try {
		await startVolumes(qube);
		await spawn(qube);
	} catch (error) {
		qube.powerState = "Halted";
		await tellFailure(qube, "domain-start-failed", error);
		await removeAfterRun(qube);
		throw error;
	}
	return "";
}

async function startVolumes(qube: Qube): Promise<void> {
	await qube.fireAsync("domain-pre-start", { ...ARGS, mem_required: 0 }, { pre: true });
	await qube.storage.verify();
	await qube.storage.start();
}

/** What was started is stopped again when something fails; once it is there for others, they are told that it is gone. */
async function spawn(qube: Qube): Promise<void> {
	let isSpawned = false;
	let hasRun = false;
	try {
		await qube.fireAsync("domain-pre-spawn", ARGS, { pre: true });
		isSpawned = true;
		await qube.app.surroundings.hypervisor.start(qube);
		hasRun = true;
		await qube.fireAsync("domain-spawn", ARGS);
		qube.powerState = "Running";
		await qube.fireAsync("domain-start", ARGS);
	} catch (error) {
		const endVolumes = hasRun ? stopVolumes : undoVolumes;
		await (isSpawned ? endAtOnce(qube, endVolumes) : endVolumes(qube));
		throw error;
	}
}
