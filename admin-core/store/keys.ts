// What tells an element from its siblings. The reader and the writer agree on them, so that what we do not understand in an element, or behind
// it, is found again when it is written. Where all siblings are of one kind and have a name, that is enough.
import type { DeviceData } from "./data.ts";
import { quote } from "./errors.ts";

const NAMED: ReadonlySet<string> = new Set(["property", "feature", "tag", "option", "volume", "pool"]);

/** The keys of those elements that need more than a name: labels, qubes, groups of devices, and devices. */
export const keyOf = {
	label: (index: number): string => `label ${index}`,
	/** With the name, as the number of a removed qube is given to the next one. */
	domain: (qid: number, name: string): string => `domain ${qid} ${quote(name)}`,
	devices: (devclass: string): string => `devices ${quote(devclass)}`,
	device: ({ backend, port, identity }: Pick<DeviceData, "backend" | "port" | "identity">): string =>
		`device ${quote(backend ?? "")} ${quote(port)} ${quote(identity)}`,
};

/** How messages call an element with this key. */
export function titleOf(element: string, key: string): string {
	return NAMED.has(element) ? `${element} ${quote(key)}` : key;
}
