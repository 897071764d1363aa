import { App } from "../../../../admin-core/model/app.ts";
import type { DeviceDescription, DeviceInfo } from "../../../../admin-core/model/devices/device-info.ts";
import { Port, VirtualDevice } from "../../../../admin-core/model/devices/port.ts";
import type { EventArgs } from "../../../../admin-core/model/events/handler-table.ts";
import type { LocalQube, Qube } from "../../../../admin-core/model/qubes/qube.ts";
import { addQube } from "../house.ts";

/** dom0, a template, two qubes that have devices, and two that may get some. */
export function makeDeviceHouse(): App {
	const app = new App(undefined, { deviceClasses: ["block", "mic", "pci", "usb"] });
	addQube(app, "AdminVM", "dom0", { label: "black" });
	addQube(app, "TemplateVM", "base", { label: "black" });
	addQube(app, "StandaloneVM", "sys-usb", { netvm: null });
	addQube(app, "StandaloneVM", "disks", { netvm: null });
	addQube(app, "AppVM", "work", { template: "base", netvm: null });
	addQube(app, "AppVM", "vault", { template: "base", netvm: null });
	addQube(app, "RemoteVM", "far");
	app.eventsEnabled = true;
	return app;
}

/** What a plugin for one class of devices does: it says which there are, attaches them, and forgets them with the qube. */
export class Dock {
	private readonly devclass: string;
	private readonly plugged = new Map<Qube, DeviceDescription[]>();
	private readonly attached = new Map<Qube, { device: DeviceInfo; options: unknown }[]>();
	/** Events on qubes in their order: `work device-attach:block sys-usb:sda:x`. */
	readonly told: string[] = [];

	constructor(app: App, devclass = "block") {
		this.devclass = devclass;
		for (const qube of app.qubes()) this.watch(qube);
	}

	/** Plugs a device into a port of a qube. */
	plug(qube: Qube, port: string, more: Partial<DeviceDescription> = {}): void {
		this.plugged.set(qube, [...(this.plugged.get(qube) ?? []), { port, ...more }]);
	}

	private watch(qube: Qube): void {
		const on = (event: string, handler: (args: EventArgs) => unknown): void =>
			qube.addHandler(event, (_qube, _event, args) => handler(args));
		on(`device-list:${this.devclass}`, () => this.list(qube));
		on(`device-get:${this.devclass}`, ({ port_id }) => this.list(qube).filter(({ port }) => port === port_id));
		on(`device-list-attached:${this.devclass}`, () => this.listAttached(qube));
		on(`device-attach:${this.devclass}`, ({ device, options }) => {
			this.attached.set(qube, [...(this.attached.get(qube) ?? []), { device: device as DeviceInfo, options }]);
		});
		on(`device-detach:${this.devclass}`, ({ port }) => {
			const left = (this.attached.get(qube) ?? []).filter(({ device }) => device.port.wireName !== (port as Port).wireName);
			this.attached.set(qube, left);
		});
		for (const end of ["domain-stopped", "domain-start-failed"]) on(end, () => void this.attached.delete(qube));
		qube.addHandler("device-*", (_qube, event, { device, port }) => {
			if (/^device-(list|get)/.test(event)) return;
			this.told.push(`${qube.name} ${event} ${((device ?? port) as { wireName: string }).wireName}`);
		});
	}

	private list(qube: Qube): DeviceDescription[] {
		const attachmentOf = (port: string): Qube | null => {
			const isHere = ({ device }: { device: DeviceInfo }): boolean => device.port.backend === qube && device.port.portId === port;
			return [...this.attached].find(([, devices]) => devices.some(isHere))?.[0] ?? null;
		};
		return (this.plugged.get(qube) ?? []).map((one) => ({ attachment: attachmentOf(one.port), ...one }));
	}

	private listAttached(qube: Qube): unknown[] {
		return (this.attached.get(qube) ?? []).map(({ device, options }) => [
			{ backend: device.port.backend, port: device.port.portId, id: device.deviceId },
			options,
		]);
	}
}

/** A device of class block, or of another one. */
export function deviceOf(backend: Qube | null, portId: string, deviceId = "*", devclass = "block"): VirtualDevice {
	return new VirtualDevice(new Port(backend, portId, devclass), deviceId);
}

/** A qube that can have devices. */
export function local(app: App, name: string): LocalQube {
	return app.qube(name) as LocalQube;
}
