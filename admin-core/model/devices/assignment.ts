import { AdminError } from "../errors.ts";
import type { Qube } from "../qubes/qube.ts";
import { ANY, type VirtualDevice } from "./port.ts";

/** How a device comes to a qube: `manual` by somebody's hand, so it is never stored; the others are of an assignment (spec 4.3). */
export const MODES = ["manual", "auto-attach", "ask-to-attach", "required"] as const;

/** One of the modes. */
export type Mode = (typeof MODES)[number];
/** The modes of what is stored. */
export type StoredMode = Exclude<Mode, "manual">;

/** A mode as that of something stored. Throws a QubesValueError for `manual`. */
export function storedMode(mode: Mode): StoredMode {
	if (mode !== "manual") return mode;
	throw new AdminError("QubesValueError", "mode manual of an assignment: want auto-attach, ask-to-attach or required");
}

/** Names and values of options of a device, in the order they were given. */
export type DeviceOptions = ReadonlyMap<string, string>;

/** Why an option cannot be given to a stored device, null if it can; a store may have others, which are used as they are (spec 4.5). */
export function problemOfOption([name, value]: readonly [name: string, value: string]): string | null {
	if (!/^[a-z0-9_-]+$/.test(name)) return `option '${name}': want a-z 0-9 _ - in its name`;
	if (name === "identity") return "option 'identity': want the device id instead";
	return /[^ -~]/.test(value) ? `option '${name}': want printable ASCII characters` : null;
}

/** That a device belongs to a qube, its front-end (spec 4.3). */
export interface Assignment<M extends Mode = Mode> {
	readonly device: VirtualDevice;
	readonly frontend: Qube;
	readonly mode: M;
	readonly options: DeviceOptions;
}

/** Sorts what says most clearly which device it means to the front: port and id, only the port, only the id (spec 4.3). */
export function compareSpecificity(a: Assignment, b: Assignment): number {
	return vagueness(a.device) - vagueness(b.device);
}

function vagueness({ port, deviceId }: VirtualDevice): number {
	return (port.portId === ANY ? 2 : 0) + (deviceId === ANY ? 1 : 0);
}
