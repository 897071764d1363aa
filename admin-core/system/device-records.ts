import type { App } from "../model/app.ts";
import { AdminError } from "../model/errors.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { DeviceGroup } from "../store/data.ts";

/** The devices of qubes, between model and store (spec 4.5). */
export class DeviceRecords {
	/** By the qube itself: numbers and names are used again. */
	private readonly groups = new Map<Qube, readonly DeviceGroup[]>();

	constructor(app: App) {
		app.addHandler("domain-pre-delete", (_app, _event, { vm }) => this.refuseBackend(app, vm as Qube));
	}

	/** Takes over what the store says of a qube; all qubes are there. */
	load(qube: Qube, groups: readonly DeviceGroup[]): void {
		this.groups.set(qube, groups);
	}

	/** What the store is to say of a qube. */
	describe(qube: Qube): readonly DeviceGroup[] {
		return this.groups.get(qube) ?? [];
	}

	/** A qube whose devices are assigned to others is in use (spec 1.7). */
	private refuseBackend(app: App, backend: Qube): void {
		for (const qube of app.qubes()) {
			const devices = qube === backend ? [] : this.describe(qube).flatMap((group) => group.devices);
			if (!devices.some((device) => device.backend === backend.name)) continue;
			throw new AdminError("QubesVMInUseError", `a device of ${backend.name} is assigned to ${qube.name}`);
		}
	}
}
