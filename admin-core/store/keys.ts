// What tells an element from its siblings, in words that can stand in a message. The reader and the writer agree on them, so that what we do
// not understand in an element, or behind it, is found again when it is written.
import type { DeviceData } from "./data.ts";
import { quote } from "./errors.ts";

export const keyOf = {
	label: (index: number): string => `label ${index}`,
	/** With the name, as the number of a removed qube is given to the next one. */
	domain: (qid: number, name: string): string => `domain ${qid} ${quote(name)}`,
	pool: (name: string): string => `pool ${quote(name)}`,
	property: (name: string): string => `property ${quote(name)}`,
	feature: (name: string): string => `feature ${quote(name)}`,
	tag: (name: string): string => `tag ${quote(name)}`,
	devices: (devclass: string): string => `devices ${quote(devclass)}`,
	device: ({ backend, port, identity }: Pick<DeviceData, "backend" | "port" | "identity">): string =>
		`device ${quote(backend ?? "")} ${quote(port)} ${quote(identity)}`,
	option: (name: string): string => `option ${quote(name)}`,
	volume: (name: string): string => `volume ${quote(name)}`,
};
