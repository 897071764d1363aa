import type { Call } from "../../host/plugin.ts";
import type { DeviceOptions, Mode } from "../../model/devices/assignment.ts";
import type { DeviceCollection } from "../../model/devices/collection.ts";
import { parseDeviceArgument, parseDeviceRequest } from "../../model/devices/parse-wire.ts";
import { ANY, Port, VirtualDevice } from "../../model/devices/port.ts";
import { AdminError } from "../../model/errors.ts";

/** What a call is about; nothing of it was looked at. */
export interface DeviceCall {
	/** Its backend is null where there is no such qube. */
	readonly device: VirtualDevice;
	/** The name of the backend, or `*`. */
	readonly backend: string;
	readonly mode: Mode;
	readonly options: DeviceOptions;
}

/** The class of devices in the name of a method. */
export function devclassOf({ method }: Call): string {
	return method.split(".")[3] as string;
}

/** Reads argument and payload of a call (spec 4.4). Throws ProtocolError, QubesValueError. */
export function readDeviceCall(call: Call, payload = call.payload): DeviceCall {
	const { app, argument, destination } = call;
	const named = parseDeviceArgument(argument, devclassOf(call));
	const { name, mode, options } = parseDeviceRequest(payload, named, destination.name);
	const backend = name.backend === ANY ? null : app.find(name.backend);
	const device = new VirtualDevice(new Port(backend, name.portId, name.devclass), name.deviceId);
	return { device, backend: name.backend, mode, options };
}

/**
 * The collection in which the call is to do something, once it is permitted. Throws QubesVMNotFoundError for a backend that does not exist; a
 * QubesException for a qube without devices.
 */
export function findCollection(call: Call, { backend }: DeviceCall): DeviceCollection {
	if (backend !== ANY) call.app.qube(backend);
	const collection = collectionOf(call);
	if (collection === null) throw new AdminError("QubesException", "This qube doesn't support devices");
	return collection;
}

/** The devices of the class that the method is about; null for a qube without devices. */
export function collectionOf(call: Call): DeviceCollection | null {
	return call.destination.devices?.of(devclassOf(call)) ?? null;
}
