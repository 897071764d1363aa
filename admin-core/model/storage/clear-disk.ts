import { log } from "../../log.ts";
import { messageOf } from "../errors.ts";
import type { Qube } from "../qubes/qube.ts";

/** Removes what a qube that is not there any more has on the disk, as far as that is possible: what fails is logged (spec 12, 35). It has no events after that. */
export async function clearDisk(qube: Qube): Promise<void> {
	const logged = (error: unknown): void => {
		log("error", `something of ${qube.name} is left on the disk: ${messageOf(error)}`);
	};
	await qube.fireAsync("domain-remove-from-disk").catch(logged);
	await qube.storage.remove().catch(logged);
	qube.eventsEnabled = false;
}
