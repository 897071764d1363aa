import { randomUUID } from "node:crypto";
import { AdminError } from "./errors.ts";
import { type Label, Labels } from "./labels.ts";
import { PropertyHolder } from "./properties/holder.ts";
import type { Value } from "./properties/property.ts";
import { checkQubeName, compareQubeNames, isUuid, type QubeClassName } from "./qubes/name.ts";
import { QUBE_CLASSES, type Qube } from "./qubes/qube.ts";
import type { DriverSource } from "./storage/contract.ts";

/** Qubes have numbers from 1 to this; 0 is dom0. */
const MAX_QID = 10_000;

/** What the model is told of the world around it. */
export interface Surroundings {
	/** Where kernels are kept, each in a folder of its own (spec 3.7). */
	readonly kernelsDir: string;
	/** The classes of devices that plugins serve. */
	readonly deviceClasses: readonly string[];
	readonly drivers: DriverSource;
}

const BARE: Surroundings = {
	kernelsDir: "/var/lib/qubes/vm-kernels",
	deviceClasses: [],
	drivers: { list: () => [], load: () => null },
};

/** The whole system: its qubes, labels and global properties, which are declared in app-properties.ts (spec 3.7). */
export class App extends PropertyHolder {
	readonly holderName = "Qubes";
	/** Its events have no subject in the event stream (spec 7.5). */
	readonly wireName = "";
	readonly labels: Labels;
	readonly surroundings: Surroundings;
	private readonly byName = new Map<string, Qube>();

	constructor(labels?: Iterable<Label>, surroundings: Partial<Surroundings> = {}) {
		super();
		this.labels = new Labels(labels);
		this.surroundings = { ...BARE, ...surroundings };
	}

	/** All qubes: dom0, then by name (spec 3.9). */
	qubes(): Qube[] {
		return [...this.byName.values()].sort((a, b) => compareQubeNames(a.name, b.name));
	}

	/** The qube of a name or `uuid:UUID`, null if there is none. */
	find(name: string): Qube | null {
		if (!name.startsWith("uuid:")) return this.byName.get(name) ?? null;
		const uuid = name.slice("uuid:".length);
		return [...this.byName.values()].find((qube) => qube.uuid === uuid) ?? null;
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
		this.byName.set(qube.name, qube);
		this.fire("domain-add", { vm: qube });
	}

	/** Takes a qube out of the collection; handlers of `domain-pre-delete` can prevent it. Its own events stay on. */
	remove(qube: Qube): void {
		this.fire("domain-pre-delete", { vm: qube }, { pre: true });
		this.byName.delete(qube.name);
		this.fire("domain-delete", { vm: qube });
	}

	/** Takes back a qube whose making failed after it was added: nobody can prevent that. */
	forget(qube: Qube): void {
		this.byName.delete(qube.name);
		qube.eventsEnabled = false;
		this.fire("domain-delete", { vm: qube });
	}

	/** Who names a qube in a property that is set: `work.netvm`, or `Qubes.clockvm` for the app. */
	usersOf(qube: Qube): string[] {
		const holders: PropertyHolder[] = [this, ...this.qubes().filter((other) => other !== qube)];
		return holders.flatMap((holder) => {
			const names = holder.explicitValues().filter(([, value]) => value === qube);
			return names.map(([name]) => `${holder.holderName}.${name}`);
		});
	}

	private checkNew({ name, qid, uuid }: Qube): void {
		for (const other of this.byName.values()) {
			if (other.name !== name && other.qid !== qid && (uuid === "" || other.uuid !== uuid)) continue;
			throw new AdminError("QubesVMAlreadyExistsError", `qube ${name} has the name, number or uuid of ${other.name}`);
		}
	}

	/** A number that no qube has. Throws a QubesException when all are taken. */
	freeQid(): number {
		const taken = new Set(this.qubes().map(({ qid }) => qid));
		for (let qid = 1; qid <= MAX_QID; qid++) if (!taken.has(qid)) return qid;
		throw new AdminError("QubesException", `all ${MAX_QID} numbers of qubes are taken`);
	}
}
