import { randomInt, randomUUID } from "node:crypto";
import { AdminError } from "./errors.ts";
import { type Hypervisor, NO_HYPERVISOR } from "./hypervisor.ts";
import { type Label, Labels } from "./labels.ts";
import type { PolicyEvaluator } from "./policy.ts";
import { NO_PROGRAMS, type Programs } from "./programs.ts";
import { PropertyHolder } from "./properties/holder.ts";
import type { Value } from "./properties/property.ts";
import { QubeCollection } from "./qubes/collection.ts";
import { checkQubeName, isUuid, type QubeClassName } from "./qubes/name.ts";
import { MAX_DISPID, MAX_QID, QUBE_CLASSES, type Qube } from "./qubes/qube.ts";
import type { DriverSource } from "./storage/contract.ts";
import { NO_ENCRYPTION, type VolumeEncryption } from "./storage/ephemeral.ts";
import { Pools } from "./storage/pools.ts";

/** What the model is told of the world around it. */
export interface Surroundings {
	/** Where kernels are kept, each in a folder of its own (spec 3.7). */
	readonly kernelsDir: string;
	/** The classes of devices that plugins serve. */
	readonly deviceClasses: readonly string[];
	readonly drivers: DriverSource;
	readonly encryption: VolumeEncryption;
	/** Where qubes have their directories (model/files.ts). */
	readonly baseDir: string;
	/** For files that the next start of the machine shall not find. */
	readonly runDir: string;
	/** Where the profiles of backups are (spec 8.9). */
	readonly backupProfilesDir: string;
	readonly programs: Programs;
	readonly hypervisor: Hypervisor;
	/** Judges what qubes other than dom0 see of the system (spec 7.6). */
	readonly policy: PolicyEvaluator;
	/** Whether `property-pre-del:*` and `property-del:*` are fired beside their new names (spec 3.3). */
	readonly deprecatedEvents: boolean;
}

const BARE: Surroundings = {
	kernelsDir: "/var/lib/qubes/vm-kernels",
	deviceClasses: [],
	drivers: { list: () => [], load: () => null },
	encryption: NO_ENCRYPTION,
	baseDir: "/var/lib/qubes",
	runDir: "/var/run/qubes",
	backupProfilesDir: "/etc/qubes/backup",
	programs: NO_PROGRAMS,
	hypervisor: NO_HYPERVISOR,
	policy: { allows: () => false },
	deprecatedEvents: true,
};

/** The whole system: its qubes, labels and global properties, which are declared in app-properties.ts (spec 3.7). */
export class App extends PropertyHolder {
	readonly holderName = "Qubes";
	/** Its events have no subject in the event stream (spec 7.5). */
	readonly wireName = "";
	readonly labels: Labels;
	readonly pools: Pools = new Pools(this);
	readonly surroundings: Surroundings;
	/** Whether something was changed that has to be saved, though the method that is called may fail or is for something else. */
	isUnsaved = false;
	private readonly collection = new QubeCollection();
	/** Names that no new qube may have for a while. */
	private readonly taken = new Set<string>();

	constructor(labels?: Iterable<Label>, surroundings: Partial<Surroundings> = {}) {
		super();
		this.labels = new Labels(labels);
		this.surroundings = { ...BARE, ...surroundings };
	}

	protected override get firesDeprecated(): boolean {
		return this.surroundings.deprecatedEvents;
	}

	/** All qubes: dom0, then by name (spec 3.9). */
	qubes(): readonly Qube[] {
		return this.collection.list();
	}

	/** The qube of a name or `uuid:UUID`, null if there is none. */
	find(name: string): Qube | null {
		return name.startsWith("uuid:") ? this.collection.findUuid(name.slice("uuid:".length)) : this.collection.find(name);
	}

	/**
	 * The qube of a name or `uuid:UUID`, as a client names it (spec 7.2).
	 * Throws QubesVMNotFoundError, QubesVMInvalidUUIDError, or QubesValueError for what is no name.
	 */
	qube(name: string): Qube {
		const qube = this.find(name);
		if (qube !== null) return qube;
		if (!name.startsWith("uuid:")) checkQubeName(name);
		else if (!isUuid(name.slice("uuid:".length))) throw new AdminError("QubesVMInvalidUUIDError", `Invalid UUID: '${name}'`);
		throw new AdminError("QubesVMNotFoundError", `No such domain: '${name}'`);
	}

	/**
	 * Makes a qube with properties, which are set in their order, and takes it into the collection; a number and a uuid are found for it.
	 * Its events are `domain-init`, then `domain-add` of the app (spec 1.6). Throws AdminError; then there is no new qube.
	 */
	create(klass: QubeClassName, properties: Iterable<readonly [name: string, value: Value]>): Qube {
		const qube = new QUBE_CLASSES[klass](this);
		qube.set("qid", this.freeQid());
		qube.set("uuid", randomUUID());
		for (const [name, value] of properties) qube.set(name, value);
		this.checkNew(qube);
		qube.eventsEnabled = true;
		qube.fire("domain-init");
		try {
			this.add(qube);
		} catch (error) {
			this.forget(qube);
			throw error;
		}
		return qube;
	}

	/** Takes a qube into the collection and tells of it. Throws QubesVMAlreadyExistsError for a name, qid or uuid that is taken. */
	add(qube: Qube): void {
		this.checkNew(qube);
		this.collection.add(qube);
		this.fire("domain-add", { vm: qube });
	}

	/** Takes a qube out of the collection; handlers of `domain-pre-delete` can prevent it. Its own events stay on. */
	remove(qube: Qube): void {
		this.fire("domain-pre-delete", { vm: qube }, { pre: true });
		this.collection.delete(qube);
		this.fire("domain-delete", { vm: qube });
	}

	/** Takes back a qube whose making failed after it was added, if that was not done already: nobody can prevent it. */
	forget(qube: Qube): void {
		const isThere = this.collection.has(qube);
		if (isThere) this.collection.delete(qube);
		qube.eventsEnabled = false;
		if (isThere) this.fire("domain-delete", { vm: qube });
	}

	/**
	 * Makes these the qubes, without asking anybody; what is given back tells of it, for when all else is as it was too. Those that are gone keep their
	 * events on, as their disk is to be cleared.
	 */
	rollBackQubes(qubes: readonly Qube[]): (() => void)[] {
		const gone = this.qubes().filter((qube) => !qubes.includes(qube));
		const back = qubes.filter((qube) => !this.collection.has(qube));
		for (const qube of gone) this.collection.delete(qube);
		for (const qube of back) this.collection.add(qube);
		for (const qube of back) qube.eventsEnabled = true;
		return [
			...gone.map((vm) => () => void this.fire("domain-delete", { vm })),
			...back.map((vm) => () => void this.fire("domain-add", { vm })),
		];
	}

	/** Whether something is done to the disk of a qube of this name that is not there any more, or not yet. */
	isTaken(name: string): boolean {
		return this.taken.has(name);
	}

	/** Does something while nobody else can have a name, as clearing the disk of a qube that is gone. */
	async whileTaken(name: string, work: () => Promise<void>): Promise<void> {
		this.taken.add(name);
		try {
			await work();
		} finally {
			this.taken.delete(name);
		}
	}

	/** Who names a qube in a property that is set: `work.netvm`, or `Qubes.clockvm` for the app. */
	usersOf(qube: Qube): string[] {
		const holders: PropertyHolder[] = [this, ...this.qubes().filter((other) => other !== qube)];
		return holders.flatMap((holder) => {
			const names = holder.explicitValues().filter(([, value]) => value === qube);
			return names.map(([name]) => `${holder.holderName}.${name}`);
		});
	}

	private checkNew(qube: Qube): void {
		const { name } = qube;
		if (this.taken.has(name)) throw new AdminError("QubesVMAlreadyExistsError", `qube ${name} is still being removed`);
		const other = this.collection.clash(qube);
		if (other === null) return;
		throw new AdminError("QubesVMAlreadyExistsError", `qube ${name} has the name, number or uuid of ${other.name}`);
	}

	/** A number that no qube has. Throws a QubesException when all are taken. */
	freeQid(): number {
		const taken = new Set(this.qubes().map(({ qid }) => qid));
		for (let qid = 1; qid <= MAX_QID; qid++) if (!taken.has(qid)) return qid;
		throw new AdminError("QubesException", `all ${MAX_QID} numbers of qubes are taken`);
	}

	/** A number that no disposable has; by chance, so that it tells nothing of the others. Throws a QubesException when all are taken. */
	freeDispid(): number {
		const taken = new Set(this.qubes().flatMap((qube) => (qube.klass === "DispVM" ? [qube.get("dispid")] : [])));
		if (taken.size > MAX_DISPID) throw new AdminError("QubesException", "all numbers of disposables are taken");
		for (;;) {
			const dispid = randomInt(0, MAX_DISPID + 1);
			if (!taken.has(dispid)) return dispid;
		}
	}
}
