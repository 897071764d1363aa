import { AdminError, type ErrorKind } from "../errors.ts";
import type { EventArgs } from "../events/handler-table.ts";
import type { Qube } from "../qubes/qube.ts";
import { type Assignment, type DeviceOptions, type Mode, type StoredMode, storedMode } from "./assignment.ts";
import type { DeviceInfo } from "./device-info.ts";
import { findExposed, listAttached, listExposed } from "./exposed.ts";
import type { Port, VirtualDevice } from "./port.ts";

type Stored = Assignment<StoredMode>;

/**
 * The devices of one class, as one qube sees them: those that it has itself, those that are assigned to it, those that are attached to it (spec 4.3).
 *
 * Handlers of pre-events can prevent what is done; those of the events after it undo what was done to an assignment, by throwing. They may take
 * their time, so what was checked before a pre-event is checked again after it.
 */
export class DeviceCollection {
	readonly qube: Qube;
	readonly devclass: string;
	/** By the key of the device, in the order in which they came. */
	private readonly stored = new Map<string, Stored>();
	private isUsed = false;
	/** Ports of this qube whose device is on its way to another qube or back. */
	private readonly moving = new Set<string>();

	constructor(qube: Qube, devclass: string) {
		this.qube = qube;
		this.devclass = devclass;
	}

	/** Whether there ever was an assignment: then the store names the class (spec 4.5). */
	get wasUsed(): boolean {
		return this.isUsed;
	}

	/** The devices that this qube has itself. */
	available(): DeviceInfo[] {
		return listExposed(this.qube, this.devclass);
	}

	/** What is assigned to this qube. */
	assigned(): Stored[] {
		return [...this.stored.values()];
	}

	/** What is attached to this qube: as its assignment says where there is one of exactly this device, else by hand. */
	attached(): Assignment[] {
		return listAttached(this.qube, this.devclass).map(
			([device, options]) => this.stored.get(device.key) ?? { device, frontend: this.qube, mode: "manual", options },
		);
	}

	/** Takes over an assignment of the store, without any event. */
	restore(device: VirtualDevice, mode: StoredMode, options: DeviceOptions): void {
		this.put(device, { device, frontend: this.qube, mode, options });
	}

	/** Makes these the assignments, without asking anybody; what is given back tells of it, for when all else is as it was too. */
	rollBack(assigned: readonly Stored[], wasUsed: boolean): (() => Promise<unknown>)[] {
		const before = new Map(this.stored);
		this.stored.clear();
		for (const assignment of assigned) this.stored.set(assignment.device.key, assignment);
		this.isUsed = wasUsed;
		const gone = [...before.values()].filter(({ device }) => !this.stored.has(device.key));
		const back = assigned.filter((one) => before.get(one.device.key) !== one);
		return [
			...gone.map(
				({ device }) =>
					() =>
						this.fire("device-unassign", { device }),
			),
			...back.map(({ device, options }) => {
				if (before.has(device.key)) return () => this.fire("device-assignment-changed", { device });
				return () => this.fire("device-assign", { device, options });
			}),
		];
	}

	/** Assigns a device. Throws DeviceAlreadyAssigned; a QubesValueError for `manual`. */
	async assign(device: VirtualDevice, mode: Mode, options: DeviceOptions): Promise<void> {
		this.refuseAssigned(device);
		const assignment = { device, frontend: this.qube, mode: storedMode(mode), options };
		await this.fire("device-pre-assign", { device, options }, true);
		this.refuseAssigned(device);
		refuseGone(device);
		await this.change(device, undefined, assignment, "device-assign", { device, options });
	}

	/** Changes how an assigned device is attached, and keeps its options. Throws a QubesValueError where it is not assigned; for `manual`. */
	async updateAssignment(device: VirtualDevice, mode: Mode): Promise<void> {
		const old = this.needAssigned(device, "QubesValueError");
		const assignment = { ...old, mode: storedMode(mode) };
		if (mode === old.mode) return;
		await this.fire("device-pre-assign", { device, options: old.options }, true);
		if (this.needAssigned(device, "QubesValueError") !== old) throw this.busy(device);
		await this.change(device, old, assignment, "device-assignment-changed", { device });
	}

	/** Takes an assignment back; what is attached stays so. Throws DeviceNotAssigned. */
	async unassign(device: VirtualDevice): Promise<void> {
		const old = this.needAssigned(device, "DeviceNotAssigned");
		await this.change(device, old, undefined, "device-unassign", { device });
	}

	/**
	 * Attaches a device to this qube until it is detached or the qube ends. Throws QubesVMNotRunningError, DeviceAlreadyAttached; a ProtocolError where
	 * there is no such device, or several.
	 */
	async attach(wanted: VirtualDevice, options: DeviceOptions): Promise<void> {
		this.refuseHalted();
		const device = this.findOne(wanted);
		if (device.attachment !== null || this.attached().some((one) => one.device.key === device.key)) {
			const owner = device.attachment ?? this.qube;
			throw new AdminError("DeviceAlreadyAttached", `${this.title(device)} already attached to ${owner.name}`);
		}
		await this.move(device, async () => {
			await this.fire("device-pre-attach", { device, options }, true);
			this.refuseHalted();
			await this.fire("device-attach", { device, options });
		});
	}

	/** Detaches the device at a port. Throws DeviceNotAssigned where none is attached; QubesVMNotHaltedError where the running qube requires it. */
	async detach(port: Port): Promise<void> {
		const isAt = ({ device }: Assignment): boolean => device.port.backend === port.backend && device.port.portId === port.portId;
		const found = this.attached().find(isAt);
		if (found === undefined) {
			throw new AdminError("DeviceNotAssigned", `${this.devclass} device ${port.wireName} not attached to ${this.qube.name}`);
		}
		const isRequired = this.assigned().some(({ mode, device }) => mode === "required" && device.matches(found.device));
		if (isRequired && this.qube.powerState !== "Halted") {
			throw new AdminError("QubesVMNotHaltedError", `${this.qube.name} requires ${this.title(found.device)} while it runs`);
		}
		const args = { port: found.device.port };
		await this.move(found.device, async () => {
			await this.fire("device-pre-detach", args, true);
			await this.fire("device-detach", args);
		});
	}

	private refuseHalted(): void {
		if (this.qube.powerState !== "Halted") return;
		throw new AdminError("QubesVMNotRunningError", `${this.qube.name} is not running: it cannot be given a device`);
	}

	private findOne(wanted: VirtualDevice): DeviceInfo {
		const [device, ...others] = findExposed(wanted);
		if (device === undefined) throw new AdminError("ProtocolError", `${this.title(wanted)} does not exist`);
		if (others.length === 0) return device;
		const names = [device, ...others].map(({ wireName }) => wireName).join(", ");
		throw new AdminError("ProtocolError", `${this.title(wanted)}: there are several, name one of ${names}`);
	}

	/** One thing at a time is done with the device at a port, whoever wants it. */
	private async move(device: VirtualDevice, work: () => Promise<void>): Promise<void> {
		const { backend, portId } = device.port;
		const moving = backend?.devices?.of(this.devclass).moving ?? this.moving;
		if (moving.has(portId)) throw this.busy(device);
		moving.add(portId);
		try {
			await work();
		} finally {
			moving.delete(portId);
		}
	}

	/** Puts one assignment in the place of another and tells of it; back again if a handler throws, unless more was done to it since. */
	private async change(
		device: VirtualDevice,
		from: Stored | undefined,
		to: Stored | undefined,
		event: string,
		args: EventArgs,
	): Promise<void> {
		this.put(device, to);
		try {
			await this.fire(event, args);
		} catch (error) {
			if (this.stored.get(device.key) === to) {
				this.put(device, from);
				// Another call may have saved it meanwhile.
				this.qube.app.isUnsaved = true;
			}
			throw error;
		}
	}

	private put(device: VirtualDevice, assignment: Stored | undefined): void {
		this.isUsed = true;
		if (assignment === undefined) this.stored.delete(device.key);
		else this.stored.set(device.key, assignment);
	}

	private async fire(event: string, args: EventArgs, pre = false): Promise<void> {
		await this.qube.fireAsync(`${event}:${this.devclass}`, args, { pre });
	}

	private refuseAssigned(device: VirtualDevice): void {
		if (!this.stored.has(device.key)) return;
		throw new AdminError("DeviceAlreadyAssigned", `${this.title(device)} already assigned to ${this.qube.name}`);
	}

	private needAssigned(device: VirtualDevice, kind: ErrorKind): Stored {
		const assignment = this.stored.get(device.key);
		if (assignment !== undefined) return assignment;
		throw new AdminError(kind, `${this.title(device)} not assigned to ${this.qube.name}`);
	}

	private busy(device: VirtualDevice): AdminError {
		return new AdminError("QubesException", `${this.title(device)}: another call is changing it`);
	}

	private title(device: VirtualDevice): string {
		return `${this.devclass} device ${device.wireName}`;
	}
}

/** While a handler took its time, the qube that has the device may have been removed. */
function refuseGone({ port: { backend } }: VirtualDevice): void {
	if (backend === null || backend.app.find(backend.name) === backend) return;
	throw new AdminError("QubesVMNotFoundError", `No such domain: '${backend.name}'`);
}
