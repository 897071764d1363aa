import type { Assignment } from "./assignment.ts";
import { type DeviceInfo, UNKNOWN } from "./device-info.ts";
import { ANY, type VirtualDevice } from "./port.ts";

// How devices are written in replies (spec 4.4): `key='value'`, one space between two. parse-wire.ts is the way back.

/** A device that is there: what it is, where, and whatever is known of it. */
export function serializeInfo(device: DeviceInfo): string {
	const { vendor, product, manufacturer, name, serial, interfaces, parent, attachment, data } = device;
	const words = Object.entries({ vendor, product, manufacturer, name, serial }).filter(([, word]) => word !== UNKNOWN);
	return [
		serializeDevice(device),
		// Empty where nothing is known, so that there are two spaces: clients know it so.
		items(words),
		...(attachment === null ? [] : [item("attachment", attachment.name)]),
		item("interfaces", interfaces.join("")),
		...(parent === null ? [] : [item("parent_port_id", parent.portId), item("parent_devclass", parent.devclass)]),
		...free(data),
	].join(" ");
}

/** An assignment or an attachment. One without a backend does not say to whom it belongs (spec 12, 7). */
export function serializeAssignment({ device, frontend, mode, options }: Assignment): string {
	const belongs = device.port.backend === null ? [] : [item("frontend_domain", frontend.name)];
	return [serializeDevice(device), item("mode", mode), ...belongs, ...free(options)].join(" ");
}

function serializeDevice({ deviceId, port }: VirtualDevice): string {
	return items([
		["device_id", deviceId],
		["port_id", port.portId],
		["devclass", port.devclass],
		["backend_domain", port.backend?.name ?? ANY],
	]);
}

/** What has keys of its own is told by a `_` before them. */
function free(entries: ReadonlyMap<string, string>): string[] {
	return [...entries].map(([key, value]) => item(`_${key.replace(/[^!#-&(-<>-_a-~]/gu, "_")}`, value));
}

function items(pairs: readonly (readonly [key: string, value: string])[]): string {
	return pairs.map(([key, value]) => item(key, value)).join(" ");
}

/** What a value cannot carry is shown as `_`: a store or a plugin may say anything, and no line hides the others. */
function item(key: string, value: string): string {
	return `${key}='${value.replace(/[^ -~]/gu, "_").replaceAll("'", "\\'")}'`;
}
