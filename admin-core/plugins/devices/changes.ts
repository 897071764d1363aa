import type { Call } from "../../host/plugin.ts";
import { MODES, problemOfOption } from "../../model/devices/assignment.ts";
import { ANY } from "../../model/devices/port.ts";
import { AdminError } from "../../model/errors.ts";
import { findCollection, readDeviceCall } from "./request.ts";

// What is done with the device that the argument names (spec 8.8): syntax, permission, then the model's errors.

/** Assigns a device as the payload says. A device without a backend is refused, as no client can read it in a list (spec 12, 7). */
export async function assign(call: Call): Promise<string> {
	const request = readDeviceCall(call);
	const { device, backend, mode, options } = request;
	if (backend === ANY) throw new AdminError("ProtocolError", `device ${device.wireName}: want the qube that has it`);
	for (const problem of [...options].map(problemOfOption)) if (problem !== null) throw new AdminError("ProtocolError", problem);
	call.permit({ device, mode, options });
	await findCollection(call, request).assign(device, mode, options);
	return "";
}

/** Takes an assignment back. */
export async function unassign(call: Call): Promise<string> {
	const request = readDeviceCall(call);
	call.permit({ device: request.device });
	await findCollection(call, request).unassign(request.device);
	return "";
}

/** Changes the mode of an assignment to the word that is the payload. */
export async function setAssignment(call: Call): Promise<string> {
	const request = readDeviceCall(call, Buffer.alloc(0));
	const word = call.payload.toString("latin1");
	const mode = MODES.find((one) => one === word);
	if (mode === undefined) {
		throw new AdminError("QubesUnrecognizedDeviceAssignmentMode", `unknown mode: want ${MODES.slice(1).join(", ")}`);
	}
	call.permit({ device: request.device, mode });
	await findCollection(call, request).updateAssignment(request.device, mode);
	return "";
}

/** Attaches a device until the qube ends. */
export async function attach(call: Call): Promise<string> {
	const request = readDeviceCall(call);
	const { device, mode, options } = request;
	call.permit({ device, mode, options });
	await findCollection(call, request).attach(device, options);
	return "";
}

/** Detaches whatever is at the port of the device. */
export async function detach(call: Call): Promise<string> {
	const request = readDeviceCall(call);
	call.permit({ device: request.device });
	await findCollection(call, request).detach(request.device.port);
	return "";
}
