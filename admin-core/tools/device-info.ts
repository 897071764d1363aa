import { findDevice } from "./device-find.ts";
import type { DeviceCall } from "./device-options.ts";
import { formatAddress } from "./device-text.ts";
import type { Device } from "./devices.ts";
import { renderJson, renderTable } from "./table.ts";

/** `qvm-device CLASS info`: all that is known of a device. */
export async function info({ options, devices, io }: DeviceCall, [word = ""]: readonly string[]): Promise<number> {
	const device = await findDevice(devices, word);
	const { backend, port, id } = device;
	if (options.json === true) {
		io.stdout.write(renderJson({ backend, port, device_id: id, ...deviceAsJson(device) }));
		return 0;
	}
	const rows = [
		["device", formatAddress(device)],
		["description", describeDevice(device)],
		...device.details,
		...(device.interfaces.length === 0 ? [] : [["interfaces", device.interfaces.join(", ")]]),
		...device.data,
	];
	io.stdout.write(renderTable(rows));
	return 0;
}

/** Vendor, product and name, as far as they are known. */
export function describeDevice({ details }: Device): string {
	const words = [details.get("vendor") ?? details.get("manufacturer"), details.get("product"), details.get("name")];
	const serial = details.get("serial");
	const known = [...new Set(words.filter((one) => one !== undefined)), ...(serial === undefined ? [] : [`(${serial})`])];
	return known.join(" ") || "unknown";
}

/** What is known of a device besides its address. */
export function deviceAsJson({ details, interfaces, data }: Device): object {
	return { ...Object.fromEntries(details), interfaces, data: Object.fromEntries(data) };
}
