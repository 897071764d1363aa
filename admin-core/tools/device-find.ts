import { type DeviceAddress, parseAddress } from "./device-text.ts";
import { type Device, type Devices, isSameDevice } from "./devices.ts";
import { UsageError } from "./errors.ts";

/** A device as the words call it, and the one that is meant, if it is there. */
export interface Found {
	/** With the ID as given, else that of the device, else `*`. */
	readonly address: DeviceAddress;
	readonly device: Device | undefined;
}

/** Looks a device up where its backend says what there is. Throws UsageError for what is no address, and for one that fits several devices. */
export async function lookUp(devices: Devices, word: string): Promise<Found> {
	const { backend, port, id } = parseAddress(word);
	if (port === "*" && (id === null || id === "*")) throw new UsageError(`invalid device "${word}": want a port or an ID`);
	const wanted = { backend, port, id: id ?? "*" };
	const [device, another] = (await devices.available(backend)).filter((one) => isSameDevice(one, wanted));
	if (another !== undefined && device !== undefined) {
		throw new UsageError(`"${word}" is at several ports: ${device.port}, ${another.port}`);
	}
	return { address: { ...wanted, id: id ?? device?.id ?? "*" }, device };
}

/** The same for a device that has to be there. Throws UsageError if it is not. */
export async function findDevice(devices: Devices, word: string): Promise<Device> {
	const { address, device } = await lookUp(devices, word);
	if (device !== undefined) return device;
	const others = (await devices.available(address.backend)).map(({ port, id }) => `${port}:${id}`);
	const hint = others.length === 0 ? "it has none" : `it has ${others.join(", ")}`;
	throw new UsageError(`${address.backend} has no ${devices.klass} device "${word}": ${hint}`);
}
