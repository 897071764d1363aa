import { log } from "../log.ts";
import type { App } from "../model/app.ts";
import { type Assignment, problemOfOption, type StoredMode } from "../model/devices/assignment.ts";
import { ANY, Port, VirtualDevice } from "../model/devices/port.ts";
import { AdminError } from "../model/errors.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { DeviceData, DeviceGroup } from "../store/data.ts";

/** An entry of the store, as it was loaded. */
interface Entry {
	readonly data: DeviceData;
	readonly device: VirtualDevice;
	/** Whether the model has no part in it, so that it is written back as it was. */
	readonly isKept: boolean;
}

/** The devices that are assigned to qubes, between model and store (spec 4.5). */
export class DeviceRecords {
	private readonly app: App;
	/** What was loaded, by the qube itself, as numbers and names are used again; then by class, in the order of the store. */
	private readonly loaded = new WeakMap<Qube, ReadonlyMap<string, readonly Entry[]>>();

	constructor(app: App) {
		this.app = app;
		app.addHandler("domain-pre-delete", (_app, _event, { vm }) => this.refuseBackend(vm as Qube));
	}

	/** Takes over what the store says of a qube; all qubes are there. What cannot be used is logged, and kept as it is (spec 12, 11). */
	load(qube: Qube, groups: readonly DeviceGroup[]): void {
		const byClass = groups.map(({ devclass, devices }): [string, Entry[]] => {
			return [devclass, devices.map((data) => this.loadDevice(qube, devclass, data))];
		});
		this.loaded.set(qube, new Map(byClass));
	}

	/** What the store is to say of a qube: what was loaded and still is so, in its place, then what is new. */
	describe(qube: Qube): DeviceGroup[] {
		const loaded = this.loaded.get(qube) ?? new Map<string, readonly Entry[]>();
		const collections = new Map(qube.devices?.all().map((one) => [one.devclass, one]));
		const used = [...collections.values()].flatMap(({ devclass, wasUsed }) => (wasUsed ? [devclass] : []));
		return [...new Set([...loaded.keys(), ...used])].map((devclass) => {
			const assigned = collections.get(devclass)?.assigned() ?? [];
			return { devclass, devices: mergeDevices(loaded.get(devclass) ?? [], assigned) };
		});
	}

	private loadDevice(qube: Qube, devclass: string, data: DeviceData): Entry {
		const backend = data.backend === null ? null : this.app.find(data.backend);
		const device = new VirtualDevice(new Port(backend, data.port, devclass), data.identity);
		const problem = this.problemOf(qube, device, data);
		const title = `${qube.name}: ${devclass} device ${data.backend ?? ANY}:${data.port}:${data.identity}`;
		if (problem === null) qube.devices?.of(devclass).restore(device, data.mode, data.options);
		else log("error", `${title} is not used, but kept as it is: ${problem}`);
		for (const odd of [...data.options].map(problemOfOption)) if (odd !== null) log("warning", `${title}: ${odd}`);
		return { data, device, isKept: problem !== null };
	}

	private problemOf(qube: Qube, { port }: VirtualDevice, { backend }: DeviceData): string | null {
		if (qube.devices === null) return `a qube of class ${qube.klass} has no devices`;
		if (!this.app.surroundings.deviceClasses.includes(port.devclass)) return `no plugin serves devices of class ${port.devclass}`;
		return port.backend === null && backend !== null ? `there is no qube ${backend}` : null;
	}

	/** A qube whose devices are assigned to others is in use (spec 1.7). */
	private refuseBackend(backend: Qube): void {
		const user = this.app
			.qubes()
			.find((qube) => qube !== backend && this.devicesOf(qube).some(({ port }) => port.backend === backend));
		if (user === undefined) return;
		throw new AdminError("QubesVMInUseError", `a device of ${backend.name} is assigned to ${user.name}`);
	}

	/** Also those that are kept: one of another qube that gets the same name must not take their place. */
	private devicesOf(qube: Qube): VirtualDevice[] {
		const entries = [...(this.loaded.get(qube)?.values() ?? [])].flat();
		const assigned = qube.devices?.all().flatMap((collection) => collection.assigned()) ?? [];
		return [...entries.filter(({ isKept }) => isKept), ...assigned].map(({ device }) => device);
	}
}

/** What was loaded has its place, whatever its mode is now; what was kept gives way to what was assigned in the same words. */
function mergeDevices(loaded: readonly Entry[], assigned: readonly Assignment<StoredMode>[]): DeviceData[] {
	const left = new Map(assigned.map((one) => [keyOf(describeDevice(one)), describeDevice(one)]));
	const old = loaded.flatMap(({ data, isKept }) => {
		const now = left.get(keyOf(data)) ?? (isKept ? data : undefined);
		left.delete(keyOf(data));
		return now === undefined ? [] : [now];
	});
	return [...old, ...left.values()];
}

function describeDevice({ device: { port, deviceId }, mode, options }: Assignment<StoredMode>): DeviceData {
	return { backend: port.backend?.name ?? null, port: port.portId, identity: deviceId, mode, options };
}

function keyOf({ backend, port, identity }: DeviceData): string {
	return JSON.stringify([backend, port, identity]);
}
