import type { Qubesd } from "./client.ts";
import { type DeviceAddress, formatArgument, formatItems, parseItems } from "./device-text.ts";
import { DaemonError, unlessRemote } from "./errors.ts";

/** A device that a qube offers. */
export interface Device extends DeviceAddress {
	readonly klass: string;
	/** `vendor`, `product`, `manufacturer`, `name`, `serial`, `attachment`, `parent_port_id`, `parent_devclass`: those that are known. */
	readonly details: ReadonlyMap<string, string>;
	/** Seven characters each (spec 4.3). */
	readonly interfaces: readonly string[];
	/** What the backend says besides. */
	readonly data: ReadonlyMap<string, string>;
}

/** A device of which somebody wants or has the use. */
export interface Assignment extends DeviceAddress {
	readonly frontend: string;
	/** `manual`, `auto-attach`, `ask-to-attach` or `required`. */
	readonly mode: string;
	readonly options: ReadonlyMap<string, string>;
}

/** The devices of a class, asked for qube by qube; what was asked once is known. */
export class Devices {
	readonly klass: string;
	private readonly qubesd: Qubesd;
	private readonly known = new Map<string, Promise<Device[]>>();

	constructor(qubesd: Qubesd, klass: string) {
		this.qubesd = qubesd;
		this.klass = klass;
	}

	/** What a qube offers; nothing if it is gone. */
	available(backend: string): Promise<Device[]> {
		const found = this.known.get(backend) ?? this.lines(backend, "Available").then((lines) => lines.map(parseDevice));
		this.known.set(backend, found);
		return found;
	}

	/** What a qube has now, or is to have when it runs; nothing if it is gone. */
	async assignments(frontend: string, which: "Attached" | "Assigned"): Promise<Assignment[]> {
		return (await this.lines(frontend, which)).map((line) => parseAssignment(line, frontend));
	}

	async attach(assignment: Assignment): Promise<void> {
		await this.send("Attach", assignment);
	}

	async assign(assignment: Assignment): Promise<void> {
		await this.send("Assign", assignment);
	}

	async detach(frontend: string, address: DeviceAddress): Promise<void> {
		await this.qubesd.call(frontend, this.method("Detach"), formatArgument(address));
	}

	async unassign(frontend: string, address: DeviceAddress): Promise<void> {
		await this.qubesd.call(frontend, this.method("Unassign"), formatArgument(address));
	}

	private async send(action: string, assignment: Assignment): Promise<void> {
		const payload = formatItems([
			["device_id", assignment.id],
			["port_id", assignment.port],
			["devclass", this.klass],
			["backend_domain", assignment.backend],
			["mode", assignment.mode],
			["frontend_domain", assignment.frontend],
			...[...assignment.options].map(([name, value]) => [`_${name}`, value] as const),
		]);
		await this.qubesd.call(assignment.frontend, this.method(action), formatArgument(assignment), payload);
	}

	private async lines(qube: string, action: string): Promise<string[]> {
		return (await unlessRemote(this.qubesd.list(qube, this.method(action)), "QubesVMNotFoundError")) ?? [];
	}

	private method(action: string): string {
		return `admin.vm.device.${this.klass}.${action}`;
	}
}

const DETAILS = ["vendor", "product", "manufacturer", "name", "serial", "attachment", "parent_port_id", "parent_devclass"];

/** `PORT:ID ITEMS`; all of it is in the items too. */
function parseDevice(line: string): Device {
	const items = parseLine(line);
	const details = DETAILS.flatMap((key): [string, string][] => {
		const value = items.get(key);
		return value === undefined ? [] : [[key, value]];
	});
	return {
		...addressOf(items),
		klass: items.get("devclass") ?? "",
		details: new Map(details),
		interfaces: items.get("interfaces")?.match(/.{7}/gs) ?? [],
		data: freeItems(items),
	};
}

/** `BACKEND+PORT:ID ITEMS`. */
function parseAssignment(line: string, frontend: string): Assignment {
	const items = parseLine(line);
	return { ...addressOf(items), frontend, mode: items.get("mode") ?? "manual", options: freeItems(items) };
}

/** Throws DaemonError for a line that does not say which device it is. */
function parseLine(line: string): Map<string, string> {
	const items = parseItems(line.slice(line.indexOf(" ") + 1));
	if (items.has("backend_domain") && items.has("port_id")) return items;
	throw new DaemonError(`qubesd lists an invalid device: "${line}"`);
}

function addressOf(items: ReadonlyMap<string, string>): DeviceAddress {
	return { backend: items.get("backend_domain") ?? "", port: items.get("port_id") ?? "*", id: items.get("device_id") ?? "*" };
}

/** Those whose keys begin with `_`, which is not part of their names. */
function freeItems(items: ReadonlyMap<string, string>): Map<string, string> {
	return new Map([...items].filter(([key]) => key.startsWith("_")).map(([key, value]) => [key.slice(1), value]));
}

/** Whether an address, in which `*` is anything, means this one. */
export function isSameDevice(device: DeviceAddress, address: DeviceAddress): boolean {
	const fits = (value: string, wanted: string): boolean => wanted === "*" || wanted === value;
	return device.backend === address.backend && fits(device.port, address.port) && fits(device.id, address.id);
}
