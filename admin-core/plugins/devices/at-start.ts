import { log } from "../../log.ts";
import { type Assignment, compareSpecificity, type StoredMode } from "../../model/devices/assignment.ts";
import type { DeviceCollection } from "../../model/devices/collection.ts";
import type { DeviceInfo } from "../../model/devices/device-info.ts";
import { findExposed } from "../../model/devices/exposed.ts";
import { AdminError } from "../../model/errors.ts";
import type { LocalQube } from "../../model/qubes/qube.ts";

// Devices that come to a qube when it starts (spec 4.3). Those that it requires are there before it runs; nobody is asked yet about `ask-to-attach`.

/** A device to be attached, and the assignment that says so. */
interface Due {
	readonly collection: DeviceCollection;
	readonly device: DeviceInfo;
	readonly assignment: Assignment<StoredMode>;
}

/** A qube does not start without what it requires. Throws DeviceNotFound. */
export function refuseMissing(qube: LocalQube): void {
	const required = qube.devices.all().flatMap((one) => one.assigned().filter(({ mode }) => mode === "required"));
	const missing = required.find(({ device }) => findExposed(device).length === 0);
	if (missing === undefined) return;
	const { device } = missing;
	throw new AdminError(
		"DeviceNotFound",
		`${qube.name} requires ${device.port.devclass} device ${device.wireName}, which is not there`,
	);
}

/** Attaches what the qube requires; if that fails, it does not start. */
export async function attachRequired(qube: LocalQube): Promise<void> {
	for (const { collection, device, assignment } of listDue(qube, "required")) {
		await collection.attach(device, assignment.options);
	}
}

/** Attaches what else is to be attached; if that fails, the qube runs without. */
export async function attachAutomatic(qube: LocalQube): Promise<void> {
	for (const { collection, device, assignment } of listDue(qube, "auto-attach")) {
		try {
			await collection.attach(device, assignment.options);
		} catch (error) {
			log(
				"warning",
				`${qube.name}: ${device.port.devclass} device ${device.wireName} is not attached: ${(error as Error).message}`,
			);
		}
	}
}

/** The devices whose mode this is and that are not attached yet; of several assignments of a device, the one that names it most clearly counts. */
function listDue(qube: LocalQube, mode: StoredMode): Due[] {
	return qube.devices.all().flatMap((collection) => {
		const done = new Set(collection.attached().map(({ device }) => device.key));
		return collection
			.assigned()
			.sort(compareSpecificity)
			.flatMap((assignment) => {
				const devices = findExposed(assignment.device).filter(({ key }) => !done.has(key));
				for (const { key } of devices) done.add(key);
				return assignment.mode === mode ? devices.map((device) => ({ collection, device, assignment })) : [];
			});
	});
}
