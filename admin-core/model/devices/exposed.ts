import { log } from "../../log.ts";
import type { Qube } from "../qubes/qube.ts";
import type { DeviceOptions } from "./assignment.ts";
import { type DeviceDescription, DeviceInfo, problemOf } from "./device-info.ts";
import { ANY, Port, type VirtualDevice } from "./port.ts";

// What handlers tell of the devices that there really are (spec 1.7). What is told in a way that cannot be used is left out, with a line in the
// log, and hides nothing else.

/** A device that is attached to a qube, as a handler of `device-list-attached:CLASS` tells of it, in a pair with its options. */
export interface AttachedDescription extends DeviceDescription {
	/** The qube that has it. */
	readonly backend: Qube;
}

/** The devices of a class that a qube has. */
export function listExposed(qube: Qube, devclass: string): DeviceInfo[] {
	const event = `device-list:${devclass}`;
	return qube.fire(event).flatMap((effect) => read(qube, event, devclass, effect));
}

/** Those that are asked for; of the devices of a qube whose port is known, only that port is looked at. */
export function findExposed(wanted: VirtualDevice): DeviceInfo[] {
	const { backend, devclass, portId } = wanted.port;
	if (backend === null) return [];
	const event = `device-get:${devclass}`;
	const effects = portId === ANY ? [] : backend.fire(event, { port_id: portId });
	const got = effects.flatMap((effect) => read(backend, event, devclass, effect));
	// Who handles only the list has said nothing yet.
	return (got.length > 0 ? got : listExposed(backend, devclass)).filter((device) => wanted.matches(device));
}

/** The devices of a class that are attached to a qube, with their options. */
export function listAttached(qube: Qube, devclass: string): [device: DeviceInfo, options: DeviceOptions][] {
	const event = `device-list-attached:${devclass}`;
	return qube.fire(event).flatMap((effect): [DeviceInfo, DeviceOptions][] => {
		const [given, options] = (Array.isArray(effect) ? effect : []) as [AttachedDescription?, unknown?];
		return read(given?.backend ?? null, event, devclass, given).map((device) => [device, readOptions(options)]);
	});
}

function read(backend: Qube | null, event: string, devclass: string, effect: unknown): DeviceInfo[] {
	const given = effect as DeviceDescription;
	const problem = problemOf(given) ?? (backend === null ? "want the qube that has it as backend" : null);
	if (problem === null) return [new DeviceInfo(new Port(backend, given.port, devclass), given)];
	log("error", `a device that a handler of ${event} tells of is left out: ${problem}`);
	return [];
}

function readOptions(given: unknown): DeviceOptions {
	if (given instanceof Map) return given;
	return new Map(Object.entries(given ?? {}).map(([name, value]) => [name, String(value)]));
}
