import type { App } from "../app.ts";
import { QubeDevices } from "../devices/qube-devices.ts";
import { type FeatureSubject, Features } from "../features.ts";
import { PropertyHolder } from "../properties/holder.ts";
import { Storage } from "../storage/storage.ts";
import { Tags } from "../tags.ts";
import { DOM0_UUID, type QubeClassName } from "./name.ts";

/** What a qube does (spec 8.1). */
export type PowerState = "Running" | "Halted" | "Transient" | "Paused" | "Suspended" | "Halting" | "Dying" | "Crashed" | "NA";

/** What all qubes have: properties, features, tags (spec 3.8). Properties are declared in the files beside this one. */
export abstract class Qube extends PropertyHolder implements FeatureSubject {
	abstract readonly klass: QubeClassName;
	/** Null where a qube has none, as it is not of this machine. */
	abstract readonly devices: QubeDevices | null;
	readonly app: App;
	readonly features: Features = new Features(this);
	readonly tags: Tags = new Tags(this);
	/** Empty for dom0 and RemoteVMs. */
	readonly storage: Storage = new Storage(this);
	powerState: PowerState = "Halted";
	/** Resolves when nothing goes on with it any more (turns.ts). */
	underWay: Promise<unknown> = Promise.resolve();

	constructor(app: App) {
		super();
		this.app = app;
	}

	get name(): string {
		return String(this.get("name") ?? "");
	}

	get qid(): number {
		return Number(this.get("qid"));
	}

	get uuid(): string {
		return String(this.get("uuid") ?? "");
	}

	get wireName(): string {
		return this.name;
	}

	get holderName(): string {
		return this.name;
	}

	protected override get firesDeprecated(): boolean {
		return this.app.surroundings.deprecatedEvents;
	}

	/** The qube that a property names; null where there is no such property, or it is none or cannot be read. */
	related(property: string): Qube | null {
		if (!this.hasProperty(property)) return null;
		const value = this.get(property);
		return value instanceof Qube ? value : null;
	}

	adminvm(): Qube {
		return this.app.qube("dom0");
	}
}

/** A qube of this machine, dom0 included. */
export abstract class LocalQube extends Qube {
	override readonly devices: QubeDevices = new QubeDevices(this);
}

/** A qube that can be started and has volumes. */
export abstract class FullQube extends LocalQube {}

/** dom0 */
export class AdminVM extends LocalQube {
	readonly klass = "AdminVM";
	override powerState: PowerState = "Running";

	override get name(): string {
		return "dom0";
	}

	override get qid(): number {
		return 0;
	}

	override get uuid(): string {
		return DOM0_UUID;
	}
}

/** A qube that others are made of. */
export class TemplateVM extends FullQube {
	readonly klass = "TemplateVM";
}

/** A qube that has its own data and the system of a template. */
export class AppVM extends FullQube {
	readonly klass = "AppVM";
}

/** A qube with a system of its own. */
export class StandaloneVM extends FullQube {
	readonly klass = "StandaloneVM";
}

/** Qubes have numbers from 1 to this; 0 is dom0. */
export const MAX_QID = 10_000;

/** Disposables have numbers from 0 to this, besides those that all qubes have. */
export const MAX_DISPID = 9999;

/** A disposable qube. */
export class DispVM extends FullQube {
	readonly klass = "DispVM";
}

/** A qube on another machine, which a qube here relays calls to. */
export class RemoteVM extends Qube {
	readonly klass = "RemoteVM";
	readonly devices = null;
}

/** The classes by their names. */
export const QUBE_CLASSES: { readonly [name in QubeClassName]: new (app: App) => Qube } = {
	AdminVM,
	TemplateVM,
	AppVM,
	StandaloneVM,
	DispVM,
	RemoteVM,
};
