import { DataError } from "./errors.ts";
import { afterPrefix, UUID_PREFIX } from "./names.ts";

type Entry = { readonly [field: string]: unknown };

/** Who the qubes of the system are: the answer of `internal.GetSystemInfo` (spec 4). */
export class SystemInfo {
	private readonly domains: Entry;
	private readonly known = new Map<string, Qube>();
	private all: readonly Qube[] | null = null;

	private constructor(domains: Entry) {
		this.domains = domains;
	}

	/**
	 * Takes the parsed JSON `{"domains": {NAME: ENTRY}}`, undefined where it was none; entries are checked when they are used.
	 * The object is kept and changed. Throws DataError.
	 */
	static from(value: unknown): SystemInfo {
		if (value === undefined) throw new DataError("the system information is not valid JSON");
		const domains = isRecord(value) ? value["domains"] : null;
		if (!isRecord(domains)) throw new DataError('the system information has no object "domains"');
		// So that no qube is found only because every object has a "constructor".
		return new SystemInfo(Object.setPrototypeOf(domains, null) as Entry);
	}

	/** The qube of this name or `uuid:UUID`, or null. Throws DataError if its entry is none. */
	find(name: string): Qube | null {
		const uuid = afterPrefix(name, UUID_PREFIX);
		if (uuid !== null) {
			// Of two with the same uuid, which qubesd never has, the original takes the last one.
			const qubes = this.qubes();
			for (let i = qubes.length - 1; i >= 0; i--) if (qubes[i]?.uuidOrNull() === uuid) return qubes[i] ?? null;
			return null;
		}
		const known = this.known.get(name);
		if (known !== undefined) return known;
		const entry = this.domains[name];
		if (entry === undefined) return null;
		if (!isRecord(entry)) throw new DataError(`the system information of qube "${name}" is no object`);
		const qube = new Qube(name, entry);
		this.known.set(name, qube);
		return qube;
	}

	/** Whether a qube relays for some RemoteVM; looks at nothing else, so that it never fails. */
	isRelay(name: string): boolean {
		return Object.keys(this.domains).some((key) => {
			const entry = this.domains[key];
			return isRecord(entry) && entry["relayvm"] === name;
		});
	}

	/** All qubes, as they come. */
	qubes(): readonly Qube[] {
		if (this.all === null) {
			const names = Object.keys(this.domains).filter((name) => !name.startsWith(UUID_PREFIX));
			this.all = names.map((name) => this.find(name) as Qube);
		}
		return this.all;
	}
}

/** One qube. Each question throws a DataError where the answer is missing or of the wrong type. */
export class Qube {
	readonly name: string;
	private readonly entry: Entry;

	constructor(name: string, entry: Entry) {
		this.name = name;
		this.entry = entry;
	}

	type(): string {
		return this.text("type");
	}

	hasTag(tag: string): boolean {
		const tags = this.entry["tags"];
		if (!Array.isArray(tags)) throw this.bad("tags", "a list");
		return tags.includes(tag);
	}

	isDisposableTemplate(): boolean {
		const value = this.entry["template_for_dispvms"];
		if (typeof value !== "boolean") throw this.bad("template_for_dispvms", "true or false");
		return value;
	}

	isRunning(): boolean {
		return this.text("power_state") === "Running";
	}

	icon(): string {
		return this.text("icon");
	}

	uuid(): string {
		return this.text("uuid");
	}

	/** Null only where there is none, which just matches nothing. */
	uuidOrNull(): string | null {
		return this.optional("uuid");
	}

	/** Who shows dialogs for this qube; null or empty is nobody. */
	guivm(): string | null {
		return this.entry["guivm"] === null ? null : this.text("guivm") || null;
	}

	defaultDispvm(): string | null {
		return this.optional("default_dispvm");
	}

	/** Empty is as null, also for the transport. */
	relayvm(): string | null {
		return this.optional("relayvm") || null;
	}

	transportRpc(): string | null {
		return this.optional("transport_rpc") || null;
	}

	/** Whether it is hidden where the user chooses: any value that is not empty. */
	isInternal(): boolean {
		return Boolean(this.entry["internal"]);
	}

	private text(field: string): string {
		const value = this.entry[field];
		if (typeof value !== "string") throw this.bad(field, "a string");
		return value;
	}

	private optional(field: string): string | null {
		const value = this.entry[field];
		if (value === null || value === undefined) return null;
		if (typeof value !== "string") throw this.bad(field, "a string or null");
		return value;
	}

	private bad(field: string, wanted: string): DataError {
		const found = this.entry[field] === undefined ? "missing" : "of the wrong type";
		return new DataError(`the system information of qube "${this.name}": "${field}" is ${found}: want ${wanted}`);
	}
}

function isRecord(value: unknown): value is Entry {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
