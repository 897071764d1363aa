/** The uuid of dom0, without the `uuid:` prefix. */
const DOM0_UUID = "00000000-0000-0000-0000-000000000000";

export const UUID_PREFIX = "uuid:";
export const DISPVM_PREFIX = "@dispvm:";

/** Whether a name is one of the three spellings of the admin qube (spec 5). */
export function isDom0(name: string): boolean {
	return name === "dom0" || name === "@adminvm" || name === UUID_PREFIX + DOM0_UUID;
}

/** The name behind `uuid:` or `@dispvm:`, or null if the text does not start with that prefix. */
export function afterPrefix(text: string, prefix: string): string | null {
	return text.startsWith(prefix) ? text.slice(prefix.length) : null;
}
