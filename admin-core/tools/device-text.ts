/** How devices and assignments are written in calls and replies (spec 4.4). */
import { UsageError } from "./errors.ts";

/** Where a device is, and which one; `*` stands for any port, or any device. */
export interface DeviceAddress {
	readonly backend: string;
	readonly port: string;
	readonly id: string;
}

/**
 * Items `KEY='VALUE'` with blanks between them; a quote in a value is written `\'`. The last value of a key counts, and what is no item
 * is passed over.
 */
export function parseItems(text: string): Map<string, string> {
	// A value ends at the first quote that the next key, or the end, follows.
	const items = text.trim().matchAll(/([^\s'=]+)='(.*?)'(?=$| +[^\s'=]+=')/gs);
	return new Map([...items].map(([, key = "", value = ""]) => [key, value.replaceAll("\\'", "'")]));
}

/** The reverse of `parseItems`. Throws UsageError for what cannot be written so. */
export function formatItems(items: Iterable<readonly [key: string, value: string]>): string {
	return [...items].map(formatItem).join(" ");
}

function formatItem([key, value]: readonly [string, string]): string {
	if (!/^[!-~]+$/.test(key) || /['"`=]/.test(key))
		throw new UsageError(`invalid option "${key}": want ASCII without quotes, = and spaces`);
	if (!/^[ -~]*$/.test(value)) throw new UsageError(`invalid value "${value}": want printable ASCII characters`);
	return `${key}='${value.replaceAll("'", "\\'")}'`;
}

/** `BACKEND:PORT` or `BACKEND:PORT:ID`, where the ID has further colons; null for an ID that is not there. Throws UsageError. */
export function parseAddress(word: string): Omit<DeviceAddress, "id"> & { readonly id: string | null } {
	const [, backend, port, id = null] = /^([^:]+):([^:]+)(?::(.+))?$/s.exec(word) ?? [];
	if (backend === undefined || port === undefined)
		throw new UsageError(`invalid device "${word}": want BACKEND:PORT or BACKEND:PORT:ID`);
	return { backend, port, id };
}

/** As people write it: `BACKEND:PORT:ID`. */
export function formatAddress({ backend, port, id }: DeviceAddress): string {
	return `${backend}:${port}:${id}`;
}

/**
 * As the argument of a call, which may hold no colon and no star.
 *
 * | address                        | argument                       |
 * | `sys-usb:1-2:*`                | `sys-usb+1-2+_`                |
 * | `sys-usb:*:0000:0009::u030101` | `sys-usb+_+0000+0009++u030101` |
 * | `dom0:sda:0000:0000::?******`  | `dom0+sda+0000+0000++_______`  |
 */
export function formatArgument({ backend, port, id }: DeviceAddress): string {
	const [portText, idText] = [port, id].map((text) => (text === "*" ? "_" : text));
	return `${backend}+${portText}+${idText?.replaceAll("?******", "_______").replaceAll(":", "+")}`;
}
