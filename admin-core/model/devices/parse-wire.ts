import { AdminError } from "../errors.ts";
import { checkQubeName } from "../qubes/name.ts";
import { type DeviceOptions, MODES, type Mode } from "./assignment.ts";
import { UNKNOWN_INTERFACE } from "./interfaces.ts";
import { ANY } from "./port.ts";

/** A device as a client names it; whether there is such a qube was not looked at. */
export interface DeviceName {
	readonly devclass: string;
	/** The name of a qube, or `*`. */
	readonly backend: string;
	readonly portId: string;
	readonly deviceId: string;
}

/** What a client wants to be done with a device (spec 4.4). */
export interface DeviceRequest {
	readonly name: DeviceName;
	/** `manual` where the client says none. */
	readonly mode: Mode;
	readonly options: DeviceOptions;
}

/** The end of a value, and the key of the next one: within a value each `'` has a backslash before it. */
const NEXT = /' ([!#-&(-<>-_a-~]+)='/;
const KEYS = ["device_id", "port_id", "devclass", "backend_domain", "frontend_domain", "mode"];

/**
 * Reads the argument of a method: `BACKEND+PORT[+DEVID]` (spec 4.4); a device id that is not there is any.
 * Throws a ProtocolError, or a QubesValueError for a backend that cannot be the name of a qube.
 *
 *     sys-usb+1-2+_                   sys-usb   1-2   *
 *     dom0+_+0000+0009++u030101       dom0      *     0000:0009::u030101
 *     dom0+sda+0000+0000++_______     dom0      sda   0000:0000::?******
 */
export function parseDeviceArgument(argument: string, devclass: string): DeviceName {
	const [, backend, port, id = "_"] = /^([^+]+)\+([^+]+)(?:\+(.+))?$/.exec(argument) ?? [];
	if (backend === undefined || port === undefined || /[^!-~]/.test(argument)) {
		throw new AdminError("ProtocolError", `device '${argument}': want BACKEND+PORT+DEVID`);
	}
	if (backend !== "_") checkQubeName(backend);
	const deviceId = id.replaceAll("+", ":").replace(/_{7}$/, UNKNOWN_INTERFACE);
	return { devclass, backend: anyOr(backend), portId: anyOr(port), deviceId: anyOr(deviceId) };
}

function anyOr(part: string): string {
	return part === "_" ? ANY : part;
}

/**
 * Reads the payload of a method about the device that its argument names: `key='value' key='value'`; an empty one says nothing more.
 * Throws a ProtocolError for what is none, for another device or front-end, for an unknown key, and for an unknown mode.
 */
export function parseDeviceRequest(payload: Buffer, name: DeviceName, frontend: string): DeviceRequest {
	const given = parseItems(payload.toString("latin1").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""));
	const options = new Map<string, string>();
	for (const [key, value] of given) {
		if (key.startsWith("_")) options.set(key.slice(1), value);
		else if (!KEYS.includes(key))
			throw new AdminError("ProtocolError", `unknown key ${key} of a device: want ${KEYS.join(", ")}`);
	}
	const check = (key: string, wanted: string, title: (value: string) => string): void => {
		const value = given.get(key) ?? wanted;
		if (value !== wanted) throw new AdminError("ProtocolError", `Got ${title(value)} when expected ${wanted}.`);
	};
	check("devclass", name.devclass, (value) => `${value} device`);
	check("backend_domain", name.backend, (value) => `backend ${value}`);
	check("port_id", name.portId, (value) => `port ${value}`);
	check("frontend_domain", frontend, (value) => `front-end ${value}`);
	if (name.deviceId !== ANY) check("device_id", name.deviceId, (value) => `device id ${value}`);
	const deviceId = given.get("device_id") ?? name.deviceId;
	if (!/^[!-~]+$/.test(deviceId))
		throw new AdminError("ProtocolError", `device id '${deviceId}': want characters without spaces`);
	return { name: { ...name, deviceId }, mode: parseMode(given.get("mode") ?? "manual"), options };
}

function parseItems(text: string): Map<string, string> {
	const items = new Map<string, string>();
	if (text === "") return items;
	if (/[^ -~]/.test(text)) throw new AdminError("ProtocolError", "device: want printable ASCII characters");
	// As if a value ended before the first key, so that all keys are found in the same way.
	const [before, ...parts] = `' ${text.slice(0, -1)}`.split(NEXT);
	if (before !== "" || !text.endsWith("'")) throw new AdminError("ProtocolError", `device: want KEY='VALUE', not ${text}`);
	for (let index = 0; index < parts.length; index += 2) {
		const [key, value] = parts.slice(index) as [string, string];
		if (items.has(key)) throw new AdminError("ProtocolError", `device: ${key} is there twice`);
		if (/(^|[^\\])'/.test(value)) throw new AdminError("ProtocolError", `device: ${key}: want \\' for each ' in a value`);
		items.set(key, value.replaceAll("\\'", "'"));
	}
	return items;
}

function parseMode(text: string): Mode {
	const mode = MODES.find((one) => one === text);
	if (mode !== undefined) return mode;
	throw new AdminError("ProtocolError", `unknown mode ${text} of a device: want ${MODES.join(", ")}`);
}
