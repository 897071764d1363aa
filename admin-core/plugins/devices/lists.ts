import type { Call } from "../../host/plugin.ts";
import type { Assignment } from "../../model/devices/assignment.ts";
import { parseDeviceArgument } from "../../model/devices/parse-wire.ts";
import { serializeAssignment, serializeInfo } from "../../model/devices/wire.ts";
import { collectionOf, devclassOf } from "./request.ts";

/** A line, which is sorted by its first field. */
type Line = readonly [first: string, rest: string];

/** `PORT:DEVID INFO` for each device that the qube has itself; the argument may be a port (spec 8.8). */
export function listAvailable(call: Call): string {
	const { argument, permit } = call;
	const sees = permit();
	const devices = collectionOf(call)?.available() ?? [];
	const wanted = devices.filter((device) => argument === "" || argument === device.port.portId);
	return reply(wanted.filter(sees).map((device) => [`${device.port.portId}:${device.deviceId}`, serializeInfo(device)]));
}

/** `BACKEND+PORT:DEVID ASSIGNMENT` for each device that is assigned to the qube; the argument may be `BACKEND+PORT` (spec 8.8). */
export function listAssigned(call: Call): string {
	return listAssignments(call, () => collectionOf(call)?.assigned() ?? []);
}

/** The same of each device that is attached to the qube. */
export function listAttached(call: Call): string {
	return listAssignments(call, () => collectionOf(call)?.attached() ?? []);
}

function listAssignments(call: Call, find: () => readonly Assignment[]): string {
	const { argument, permit } = call;
	const wanted = argument === "" ? null : parseDeviceArgument(argument, devclassOf(call));
	const sees = permit();
	const isWanted = ({ device: { port } }: Assignment): boolean =>
		wanted === null || (wanted.backend === port.backendName && wanted.portId === port.portId);
	const lines = find()
		.filter((one) => isWanted(one) && sees(one))
		.map((one): Line => {
			const { port, deviceId } = one.device;
			return [`${port.backendName}+${port.portId}:${deviceId}`, serializeAssignment(one)];
		});
	return reply(lines);
}

function reply(lines: readonly Line[]): string {
	const sorted = [...lines].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
	return sorted.map(([first, rest]) => `${first} ${rest}\n`).join("");
}
