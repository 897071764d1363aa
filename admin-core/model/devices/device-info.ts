import type { Qube } from "../qubes/qube.ts";
import { isInterface, UNKNOWN_INTERFACE } from "./interfaces.ts";
import { ANY, Port, VirtualDevice } from "./port.ts";

/** What a plugin tells of a device that a qube has, in `device-list:CLASS` and `device-get:CLASS` (docs/devices.md). */
export interface DeviceDescription {
	/** Where it is plugged in: printable ASCII characters. */
	readonly port: string;
	/** What tells it from other devices at the same port: printable ASCII characters. */
	readonly id?: string;
	readonly vendor?: string;
	readonly product?: string;
	readonly manufacturer?: string;
	readonly name?: string;
	readonly serial?: string;
	/** What it can do, one code or more (spec 4.3). */
	readonly interfaces?: readonly string[];
	/** The device of the same qube that it is part of. */
	readonly parent?: { readonly port: string; readonly devclass: string };
	/** The qube that it is attached to. */
	readonly attachment?: Qube | null;
	/** Whatever else there is to be said. */
	readonly data?: { readonly [key: string]: string };
}

/** A word about a device that nobody said. */
export const UNKNOWN = "unknown";
const UNKNOWN_ID = `0000:0000::${UNKNOWN_INTERFACE}`;

/** A device that is there (spec 4.3). What is said about it in words is `unknown` where nobody said it. */
export class DeviceInfo extends VirtualDevice {
	readonly vendor: string;
	readonly product: string;
	readonly manufacturer: string;
	readonly name: string;
	readonly serial: string;
	readonly interfaces: readonly string[];
	readonly parent: Port | null;
	readonly attachment: Qube | null;
	readonly data: ReadonlyMap<string, string>;

	/** `given` is a description that has no problem. */
	constructor(port: Port, given: DeviceDescription) {
		super(port, given.id ?? UNKNOWN_ID);
		this.vendor = given.vendor ?? UNKNOWN;
		this.product = given.product ?? UNKNOWN;
		this.manufacturer = given.manufacturer ?? UNKNOWN;
		this.name = given.name ?? UNKNOWN;
		this.serial = given.serial ?? UNKNOWN;
		this.interfaces = given.interfaces ?? [UNKNOWN_INTERFACE];
		this.parent = given.parent === undefined ? null : new Port(port.backend, given.parent.port, given.parent.devclass);
		this.attachment = given.attachment ?? null;
		this.data = new Map(Object.entries(given.data ?? {}));
	}
}

/** Why what a plugin tells of a device cannot be used, null if it can. */
export function problemOf(given: Partial<DeviceDescription> | null | undefined): string | null {
	if (typeof given !== "object" || given === null) return "want an object";
	const { port, id = UNKNOWN_ID, interfaces = [UNKNOWN_INTERFACE], parent } = given;
	if (!isName(port)) return `port ${JSON.stringify(port)}: want printable ASCII characters`;
	if (!isName(id)) return `id ${JSON.stringify(id)} at port ${port}: want printable ASCII characters`;
	if (!Array.isArray(interfaces) || interfaces.length === 0 || !interfaces.every(isInterface)) {
		return `interfaces ${JSON.stringify(interfaces)} at port ${port}: want codes such as u030101`;
	}
	if (parent === undefined || (isName(parent.port) && isName(parent.devclass))) return null;
	return `parent ${JSON.stringify(parent)} at port ${port}: want a port and a devclass`;
}

/** Whether something can name one port or one device. */
function isName(text: unknown): text is string {
	return typeof text === "string" && text !== ANY && /^[!-~]+$/.test(text);
}
