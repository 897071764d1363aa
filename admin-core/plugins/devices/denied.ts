import type { Call } from "../../host/plugin.ts";
import type { Assignment } from "../../model/devices/assignment.ts";
import type { DeviceInfo } from "../../model/devices/device-info.ts";
import { findExposed } from "../../model/devices/exposed.ts";
import { isDenied, parseDenied, splitDenied } from "../../model/devices/interfaces.ts";
import type { VirtualDevice } from "../../model/devices/port.ts";
import { AdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** The property in which the codes of denied interfaces stand, without anything between them. */
const PROPERTY = "devices_denied";

/** The codes, a line each, no line end behind the last. */
export function listDenied({ destination, permit }: Call): string {
	permit();
	return splitDenied(deniedOf(destination)).join("\n");
}

/** Adds the codes in the payload. */
export function addDenied({ destination, payload, permit }: Call): string {
	const interfaces = readCodes(payload);
	permit({ interfaces });
	const old = splitDenied(deniedOf(destination));
	change(destination, [...old, ...interfaces.filter((code) => !old.includes(code))]);
	return "";
}

/** Removes the codes in the payload, or `all`. */
export function removeDenied({ destination, payload, permit }: Call): string {
	const codes = payload.toString("latin1") === "all" ? null : readCodes(payload);
	permit({ interfaces: codes ?? "all" });
	const old = splitDenied(deniedOf(destination));
	change(destination, codes === null ? [] : old.filter((code) => !codes.includes(code)));
	return "";
}

/**
 * Refuses to attach by hand what may not be attached to a qube (spec 7.6). What an administrator has assigned to the qube is another matter; but then
 * it has to be assigned, as anybody can say so.
 */
export function refuseDenied(_source: unknown, _event: string, args: EventArgs): void {
	const { dest, device, mode } = args as { dest: Qube; device: VirtualDevice; mode: string };
	const denied = dest.hasProperty(PROPERTY) ? String(dest.get(PROPERTY) ?? "") : "";
	if (denied === "") return;
	const assigned: readonly Assignment[] = mode === "manual" ? [] : (dest.devices?.of(device.port.devclass).assigned() ?? []);
	const isRefused = (found: DeviceInfo): boolean =>
		isDenied(denied, found.interfaces) && !assigned.some((one) => one.device.matches(found));
	const refused = findExposed(device).find(isRefused);
	if (refused === undefined) return;
	throw new AdminError("PermissionDenied", `${refused.wireName} may not be attached to ${dest.name}: ${PROPERTY} is ${denied}`);
}

function readCodes(payload: Buffer): string[] {
	const codes = parseDenied(payload.toString("latin1"));
	const twice = codes.find((code, index) => codes.indexOf(code) !== index);
	if (twice !== undefined) throw new AdminError("ProtocolError", `device interface ${twice} is there twice`);
	return codes;
}

/** Throws a QubesVMError for a qube that no device can be attached to. */
function deniedOf(qube: Qube): string {
	if (qube.hasProperty(PROPERTY)) return String(qube.get(PROPERTY) ?? "");
	throw new AdminError("QubesVMError", `${qube.name}: a qube of class ${qube.klass} has no devices`);
}

function change(qube: Qube, codes: readonly string[]): void {
	const text = codes.join("");
	if (text !== deniedOf(qube)) qube.set(PROPERTY, text);
}
