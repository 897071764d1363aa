import { DEVICE_MODES, type DeviceData, type DeviceGroup, type DeviceMode } from "./data.ts";
import { quote } from "./errors.ts";
import { keyOf, titleOf } from "./keys.ts";
import { attributeOf, CONSUMED, childrenOf, NAMED, type Reading } from "./reading.ts";
import { isBlank } from "./xml-text.ts";
import type { Known, XmlElement } from "./xml-tree.ts";

const DEVICE: Known = { attributes: ["backend-domain", "id", "mode", "required", "identity"], isText: false };

/**
 * Reads the `devices` of a qube, each class as one group (spec 4.5). An entry that we must not act on, as its mode or its options are not clear, gets
 * a warning and stays in the file as it is; there is no such assignment then. The options are in the order of the file.
 */
export function readDevices(reading: Reading, domain: XmlElement): DeviceGroup[] {
	const classes = new Set(childrenOf(domain, "devices").map((element) => reading.need(element, "class")));
	return [...classes].map((devclass) => ({ devclass, devices: readGroup(reading, domain, devclass) }));
}

function readGroup(reading: Reading, domain: XmlElement, devclass: string): DeviceData[] {
	const group = reading.container(domain, "devices", devclass);
	const devices: DeviceData[] = [];
	const seen = new Set<string>();
	for (const element of childrenOf(group, "device")) {
		const unclear = whyUnclear(element);
		if (unclear !== null) {
			reading.warn(element, `${unclear}: not used, but kept as it is`);
			continue;
		}
		const device = readDevice(reading, element);
		if (reading.isFirst(element, keyOf.device(device), seen, DEVICE)) devices.push(device);
	}
	return devices;
}

function whyUnclear(element: XmlElement): string | null {
	const mode = attributeOf(element, "mode");
	const required = attributeOf(element, "required");
	if (required !== undefined) {
		if (parseBoolean(required) === null) return `required ${quote(required)} of a device: want yes or no`;
	} else if (mode !== undefined && !isMode(mode)) {
		return `mode ${quote(mode)} of a device: want ${DEVICE_MODES.join(", ")}`;
	}
	const isFilled = ({ text, children }: XmlElement): boolean =>
		!isBlank(text) || children.some(({ kind }) => kind === "element" || kind === "other");
	return childrenOf(element, "options").some(isFilled)
		? "<options> of a device with something in it: want attributes only"
		: null;
}

function readDevice(reading: Reading, element: XmlElement): DeviceData {
	const options = readOptions(reading, element);
	// Historic files have the identity among the options, and there it wins.
	const identity = options.get("identity") ?? attributeOf(element, "identity") ?? "*";
	options.delete("identity");
	const backend = attributeOf(element, "backend-domain") || "*";
	return {
		backend: backend === "*" ? null : backend,
		port: attributeOf(element, "id") ?? "*",
		identity,
		mode: readMode(element),
		options,
	};
}

/** `required` is the older way to say it, and wins. */
function readMode(element: XmlElement): DeviceMode {
	const required = attributeOf(element, "required");
	if (required !== undefined) return parseBoolean(required) ? "required" : "auto-attach";
	return (attributeOf(element, "mode") as DeviceMode | undefined) ?? "required";
}

/** The `option` children, then the attributes of the older `options`, which say nothing about an option that is there already. */
function readOptions(reading: Reading, element: XmlElement): Map<string, string> {
	const options = new Map<string, string>();
	const seen = new Set<string>();
	for (const option of childrenOf(element, "option")) {
		const name = reading.need(option, "name");
		if (!reading.isFirst(option, name, seen, NAMED)) continue;
		options.set(name, option.text);
		if (name === "identity") option.key = null;
	}
	for (const older of childrenOf(element, "options")) {
		for (const { name, value } of older.attributes) {
			if (!options.has(name)) options.set(name, value);
			else reading.warn(older, `${titleOf("option", name)} is there twice: the first is kept`);
		}
		older.known = CONSUMED;
	}
	return options;
}

function isMode(text: string): text is DeviceMode {
	return DEVICE_MODES.some((mode) => mode === text);
}

/** As upstream reads booleans (spec 3.1). */
function parseBoolean(text: string): boolean | null {
	if (/^(1|yes|true|on)$/i.test(text)) return true;
	return /^(0|no|false|off)$/i.test(text) ? false : null;
}
