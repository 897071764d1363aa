import { AdminError } from "../errors.ts";
import type { Qube } from "../qubes/qube.ts";
import { DeviceCollection } from "./collection.ts";

/** The devices of one qube, by their classes (spec 4.3). */
export class QubeDevices {
	private readonly qube: Qube;
	private readonly collections = new Map<string, DeviceCollection>();

	constructor(qube: Qube) {
		this.qube = qube;
	}

	/** The devices of a class. Throws a QubesValueError for a class that no plugin serves. */
	of(devclass: string): DeviceCollection {
		const known = this.collections.get(devclass);
		if (known !== undefined) return known;
		if (!this.qube.app.surroundings.deviceClasses.includes(devclass)) {
			throw new AdminError("QubesValueError", `no such class of devices: '${devclass}'`);
		}
		const collection = new DeviceCollection(this.qube, devclass);
		this.collections.set(devclass, collection);
		return collection;
	}

	/** Those of all classes that plugins serve. */
	all(): DeviceCollection[] {
		return this.qube.app.surroundings.deviceClasses.map((devclass) => this.of(devclass));
	}

	/** Whether a device of a class is assigned; none is of a class that no plugin serves. */
	hasAssigned(devclass: string): boolean {
		return (this.collections.get(devclass)?.assigned().length ?? 0) > 0;
	}
}
