import { AdminError } from "../errors.ts";
import { readBoolean } from "../properties/property.ts";
import type { Attributes } from "./attributes.ts";
import type { Pool, PoolUsage, Volume, VolumeOwner } from "./contract.ts";

const UNKNOWN: PoolUsage = { size: null, usage: null, details: new Map() };

/** A pool that nobody here can work with, as one of a driver that is not installed: it and its volumes are shown, and stay in the store as they are. */
export class OpaquePool implements Pool {
	readonly name: string;
	readonly driver: string;
	/** Why nobody can, for messages. */
	readonly reason: string;
	private readonly attributes: Attributes;
	private readonly byVid = new Map<string, OpaqueVolume>();

	constructor(name: string, driver: string, attributes: Attributes, reason: string) {
		this.name = name;
		this.driver = driver;
		this.attributes = attributes;
		this.reason = reason;
	}

	config(): Attributes {
		return this.attributes;
	}

	get revisionsToKeep(): number {
		return numberOf(this.attributes, "revisions_to_keep");
	}

	set revisionsToKeep(_value: number) {
		throw unusable(this.reason);
	}

	get ephemeralVolatile(): boolean {
		return flagOf(this.attributes, "ephemeral_volatile");
	}

	set ephemeralVolatile(_value: boolean) {
		throw unusable(this.reason);
	}

	async setup(): Promise<void> {
		throw unusable(this.reason);
	}

	async destroy(): Promise<void> {}

	initVolume(_owner: VolumeOwner): Volume {
		throw unusable(this.reason);
	}

	/** Takes in a volume of the store. */
	adopt(attributes: Attributes): OpaqueVolume {
		const volume = new OpaqueVolume(this, attributes, this.reason);
		this.byVid.set(volume.vid, volume);
		return volume;
	}

	getVolume(vid: string): Volume {
		const volume = this.byVid.get(vid);
		if (volume !== undefined) return volume;
		throw new AdminError("StoragePoolException", `no volume '${vid}' in pool ${this.name}`);
	}

	volumes(): readonly Volume[] {
		return [...this.byVid.values()];
	}

	async usage(): Promise<PoolUsage> {
		return UNKNOWN;
	}

	async includedIn(): Promise<Pool | null> {
		return null;
	}

	async settled(): Promise<void> {}

	toString(): string {
		return this.name;
	}
}

/** A volume that nobody here can work with: one of an opaque pool, or one whose description in the store makes no sense to its driver. */
export class OpaqueVolume implements Volume {
	readonly name: string;
	readonly pool: Pool;
	/** As they are in the store, all of them. */
	readonly attributes: Attributes;
	readonly source = null;
	readonly usage = 0;
	readonly path = "";
	readonly revisions: ReadonlyMap<string, string> = new Map();
	private readonly reason: string;

	constructor(pool: Pool, attributes: Attributes, reason: string) {
		this.pool = pool;
		this.attributes = attributes;
		this.reason = `volume ${attributes.get("name")}: ${reason}`;
		this.name = attributes.get("name") ?? "";
	}

	get vid(): string {
		return this.attributes.get("vid") ?? "";
	}

	get size(): number {
		return numberOf(this.attributes, "size");
	}

	get snapOnStart(): boolean {
		return flagOf(this.attributes, "snap_on_start");
	}

	get saveOnStop(): boolean {
		return flagOf(this.attributes, "save_on_stop");
	}

	get rw(): boolean {
		return flagOf(this.attributes, "rw");
	}

	set rw(_value: boolean) {
		throw unusable(this.reason);
	}

	get revisionsToKeep(): number {
		return numberOf(this.attributes, "revisions_to_keep");
	}

	set revisionsToKeep(_value: number) {
		throw unusable(this.reason);
	}

	get ephemeral(): boolean | undefined {
		return this.attributes.has("ephemeral") ? flagOf(this.attributes, "ephemeral") : undefined;
	}

	set ephemeral(_value: boolean | undefined) {
		throw unusable(this.reason);
	}

	isDirty(): boolean {
		return false;
	}

	isOutdated(): null {
		return null;
	}

	/** It cannot have been started by us, so there is nothing to stop. */
	async stop(): Promise<void> {}

	create = this.refuse;
	remove = this.refuse;
	verify = this.refuse;
	start = this.refuse;
	export = this.refuse;
	exportEnd = this.refuse;
	importData = this.refuse;
	importDataEnd = this.refuse;
	importVolume = this.refuse;
	resize = this.refuse;
	revert = this.refuse;

	toString(): string {
		return this.vid;
	}

	private async refuse(): Promise<never> {
		throw unusable(this.reason);
	}
}

function unusable(reason: string): AdminError {
	return new AdminError("StoragePoolException", reason);
}

function numberOf(attributes: Attributes, name: string): number {
	const number = Number(attributes.get(name) ?? "0");
	return Number.isSafeInteger(number) ? number : 0;
}

function flagOf(attributes: Attributes, name: string): boolean {
	return readBoolean(attributes.get(name) ?? "") ?? false;
}
