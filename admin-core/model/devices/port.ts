import type { Qube } from "../qubes/qube.ts";

/** Stands for any port, or any device; to people also for a backend that is not there. */
export const ANY = "*";

/** Where a device is plugged in: a port of a qube, its backend (spec 4.3). */
export class Port {
	/** Null only where a store names none. */
	readonly backend: Qube | null;
	/** `*` is any port of the backend. */
	readonly portId: string;
	/** The class of devices, such as `usb`. */
	readonly devclass: string;

	constructor(backend: Qube | null, portId: string, devclass: string) {
		this.backend = backend;
		this.portId = portId;
		this.devclass = devclass;
	}

	get backendName(): string {
		return this.backend?.name ?? ANY;
	}

	/** `BACKEND:PORT` */
	get wireName(): string {
		return `${this.backendName}:${this.portId}`;
	}
}

/** A device as it is asked for: at a port, or any; with an id, or any (spec 4.3). */
export class VirtualDevice {
	readonly port: Port;
	/** `*` is any device. */
	readonly deviceId: string;

	constructor(port: Port, deviceId: string) {
		this.port = port;
		this.deviceId = deviceId;
	}

	/** `BACKEND:PORT:DEVID` */
	get wireName(): string {
		return `${this.port.wireName}:${this.deviceId}`;
	}

	/** What tells it from all others of its class. */
	get key(): string {
		const { backend, portId } = this.port;
		return JSON.stringify([backend?.name ?? null, portId, this.deviceId]);
	}

	/** Whether a device is one of those that are asked for. */
	matches({ port, deviceId }: VirtualDevice): boolean {
		const { backend, portId, devclass } = this.port;
		const isThere = devclass === port.devclass && backend === port.backend && (portId === ANY || portId === port.portId);
		return isThere && (this.deviceId === ANY || this.deviceId === deviceId);
	}
}
