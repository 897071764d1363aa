import type { Qubesd } from "./client.ts";
import { EmptyReplyError, UsageError, unlessRemote } from "./errors.ts";
import { getFeature } from "./features.ts";
import { Properties } from "./properties.ts";
import { type Decoded, decode, displayText, type PropertyValue } from "./property-value.ts";
import type { Qube } from "./qubes.ts";
import { listVolumes, volumeInfo } from "./volumes.ts";

/** Figures of a volume, in bytes. */
export interface VolumeInfo {
	readonly size: number;
	readonly usage: number;
}

/** One qube of qvm-ls: everything about it is asked for when it is first needed, and only once (spec 11, qvm-ls). */
export class Row {
	readonly qube: Qube;
	private readonly qubesd: Qubesd;
	private readonly properties: Properties;
	private readonly answers = new Map<string, Promise<unknown>>();

	constructor(qubesd: Qubesd, qube: Qube) {
		this.qubesd = qubesd;
		this.qube = qube;
		this.properties = new Properties(qubesd, qube.name, "admin.vm.property");
	}

	/** The value of a property for programs; undefined where the qube has none, or it is unset. */
	async property(name: string): Promise<Decoded> {
		const value = await this.propertyValue(name);
		return value === undefined ? undefined : decode(value);
	}

	/** The value of a property as people write it: `True`, `None`. */
	async propertyText(name: string): Promise<string | undefined> {
		const value = await this.propertyValue(name);
		return value === undefined ? undefined : displayText(value);
	}

	feature(name: string): Promise<string | undefined> {
		return this.once(`feature ${name}`, () => getFeature(this.qubesd, this.qube.name, name));
	}

	tags(): Promise<readonly string[]> {
		return this.once("tags", () => this.qubesd.list(this.qube.name, "admin.vm.tag.List"));
	}

	/** The memory that a running qube has now, in MiB. */
	memory(): Promise<number | undefined> {
		return this.once("memory", async () => {
			if (this.qube.state !== "Running") return undefined;
			const kibibytes = /(?:^| )mem=(\d+)/.exec(await this.qubesd.call(this.qube.name, "admin.vm.CurrentState"))?.[1];
			return kibibytes === undefined ? undefined : Math.floor(Number(kibibytes) / 1024);
		});
	}

	volumeNames(): Promise<readonly string[]> {
		return this.once("volumes", () => listVolumes(this.qubesd, this.qube.name));
	}

	/** A volume, undefined where the qube has none of that name. */
	async volume(name: string): Promise<VolumeInfo | undefined> {
		if (!(await this.volumeNames()).includes(name)) return undefined;
		return this.once(`volume ${name}`, async () => {
			const info = await volumeInfo(this.qubesd, { qube: this.qube.name, volume: name });
			return { size: Number(info.get("size") ?? 0), usage: Number(info.get("usage") ?? 0) };
		});
	}

	/** From all properties at once; if the daemon fails to tell these, one by one. */
	private async propertyValue(name: string): Promise<PropertyValue | undefined> {
		const all = await this.once("properties", () => noneIfEmpty(this.properties.getAll()));
		if (all !== undefined && all.size > 0) return all.get(name);
		return this.once(`property ${name}`, () => noneIfEmpty(this.getOne(name)));
	}

	private async getOne(name: string): Promise<PropertyValue | undefined> {
		try {
			return await this.properties.get(name);
		} catch (error) {
			// Not every qube has every property.
			if (error instanceof UsageError) return undefined;
			throw error;
		}
	}

	private once<T>(what: string, ask: () => Promise<T>): Promise<T> {
		const answer = this.answers.get(what) ?? ask();
		this.answers.set(what, answer);
		return answer as Promise<T>;
	}
}

/** An empty reply is no data, while every other error is one. */
async function noneIfEmpty<T>(call: Promise<T>): Promise<T | undefined> {
	try {
		return await call;
	} catch (error) {
		if (error instanceof EmptyReplyError) return undefined;
		throw error;
	}
}

/** The rows for which a question has an answer that is not undefined; a qube that is gone meanwhile has none. */
export async function mapRows<T>(rows: readonly Row[], ask: (row: Row) => Promise<T | undefined>): Promise<T[]> {
	const found: T[] = [];
	for (const row of rows) {
		const answer = await unlessRemote(ask(row), "QubesVMNotFoundError");
		if (answer !== undefined) found.push(answer);
	}
	return found;
}
