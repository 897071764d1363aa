import { type DeviceData, type DeviceGroup, type DeviceMode, type DomainData, nameOf, type Pair } from "./data.ts";
import { keyOf } from "./keys.ts";
import { PLAIN } from "./xml-text.ts";

/** Characters that are written as they are read. */
const TEXT = `[${PLAIN}]`;
const HEAD = new RegExp(`<domain id="domain-(0|[1-9][0-9]{0,8})" class="(${TEXT}+)">\n`, "y");
const PROPERTY = new RegExp(` {8}<property name="(${TEXT}+)">(${TEXT}*)</property>\n`, "y");
const FEATURE = new RegExp(` {8}<feature name="(${TEXT}+)">(${TEXT}*)</feature>\n`, "y");
const TAG = new RegExp(` {8}<tag name="(${TEXT}+)"/>\n`, "y");
const GROUP = new RegExp(` {6}<devices class="(${TEXT}+)"(/?)>\n`, "y");
const DEVICE = new RegExp(
	` {8}<device(?: backend-domain="(${TEXT}+)")? id="(${TEXT}*)" mode="(required|auto-attach|ask-to-attach)" identity="(${TEXT}*)"(/?)>\n`,
	"y",
);
const OPTION = new RegExp(` {10}<option name="(${TEXT}+)">(${TEXT}*)</option>\n`, "y");
const VOLUME = new RegExp(` {8}<volume((?: [a-z_]+="${TEXT}*")+)/>\n`, "y");

/** A qube, and where its element ends. */
export interface ScannedQube {
	readonly domain: DomainData;
	readonly end: number;
}

/**
 * Reads the element of a qube if it is written just as we write it, which is how nearly all of them are found, without making a tree of it. Null at the
 * first doubt: the other readers are told nothing of it, and read it again. The tests compare them.
 */
export function scanQube(source: string, start: number): ScannedQube | null {
	const scanner = new QubeScanner(source, start);
	const domain = scanner.read();
	return domain === null || scanner.isDoubtful ? null : { domain, end: scanner.at };
}

class QubeScanner {
	at: number;
	isDoubtful = false;
	private readonly source: string;

	constructor(source: string, start: number) {
		this.source = source;
		this.at = start;
	}

	read(): DomainData | null {
		const head = this.take(HEAD);
		if (head === null) return null;
		const domain = {
			qid: Number(head[1]),
			class: head[2] as string,
			properties: this.list("properties", () => this.pairs(PROPERTY)),
			features: this.list("features", () => this.pairs(FEATURE)),
			tags: this.list("tags", () => this.tags()),
			devices: this.groups(),
			volumes: this.skip("      <volume-config") ? this.rest("volume-config", () => this.volumes()) : null,
		};
		return this.skip("    </domain>") && nameOf(domain) !== null ? domain : null;
	}

	/** What is in an element that is always there. */
	private list<T>(name: string, read: () => T[]): T[] {
		if (this.skip(`      <${name}`)) return this.rest(name, read);
		this.isDoubtful = true;
		return [];
	}

	private rest<T>(name: string, read: () => T[]): T[] {
		if (this.skip("/>\n")) return [];
		const list = this.skip(">\n") ? read() : [];
		if (list.length === 0 || !this.skip(`      </${name}>\n`)) this.isDoubtful = true;
		return list;
	}

	private pairs(pattern: RegExp): Pair[] {
		const pairs: Pair[] = [];
		const seen = new Set<string>();
		for (let found = this.take(pattern); found !== null; found = this.take(pattern)) {
			const [, name, text] = found as unknown as [string, string, string];
			pairs.push([name, text]);
			seen.add(name);
		}
		return this.checked(pairs, seen);
	}

	private tags(): string[] {
		const tags: string[] = [];
		for (let found = this.take(TAG); found !== null; found = this.take(TAG)) tags.push(found[1] as string);
		return this.checked(tags, new Set(tags));
	}

	private groups(): DeviceGroup[] {
		const groups: DeviceGroup[] = [];
		for (let found = this.take(GROUP); found !== null; found = this.take(GROUP)) {
			const devices = found[2] === "/" ? [] : this.devices();
			groups.push({ devclass: found[1] as string, devices });
		}
		return this.checked(groups, new Set(groups.map(({ devclass }) => devclass)));
	}

	private devices(): DeviceData[] {
		const devices: DeviceData[] = [];
		for (let found = this.take(DEVICE); found !== null; found = this.take(DEVICE)) {
			const [, backend = null, port, mode, identity, isEmpty] = found as unknown as [string, string?, ...string[]];
			const options = isEmpty === "/" ? new Map<string, string>() : this.options();
			if (backend === "*" || options.has("identity")) this.isDoubtful = true;
			devices.push({ backend, port: port as string, identity: identity as string, mode: mode as DeviceMode, options });
		}
		if (devices.length === 0 || !this.skip("      </devices>\n")) this.isDoubtful = true;
		return this.checked(devices, new Set(devices.map(keyOf.device)));
	}

	private options(): Map<string, string> {
		const options = new Map(this.pairs(OPTION));
		if (options.size === 0 || !this.skip("        </device>\n")) this.isDoubtful = true;
		return options;
	}

	private volumes(): Map<string, string>[] {
		const volumes: Map<string, string>[] = [];
		for (let found = this.take(VOLUME); found !== null; found = this.take(VOLUME)) {
			volumes.push(this.attributes(found[1] as string));
		}
		const names = volumes.map((volume) => volume.get("name") ?? "");
		if (names.includes("")) this.isDoubtful = true;
		return this.checked(volumes, new Set(names));
	}

	/** Those in ` a="1" b="2"`. */
	private attributes(text: string): Map<string, string> {
		const attributes = new Map<string, string>();
		const parts = text.split('"');
		for (let i = 0; i + 1 < parts.length; i += 2) attributes.set((parts[i] as string).slice(1, -1), parts[i + 1] as string);
		if (attributes.size * 2 + 1 !== parts.length) this.isDoubtful = true;
		return attributes;
	}

	/** A list whose keys are these; where some are there twice, it is for the other readers to say what is done. */
	private checked<T>(list: T[], keys: ReadonlySet<string>): T[] {
		if (keys.size !== list.length) this.isDoubtful = true;
		return list;
	}

	private take(pattern: RegExp): RegExpExecArray | null {
		pattern.lastIndex = this.at;
		const found = pattern.exec(this.source);
		if (found !== null) this.at = pattern.lastIndex;
		return found;
	}

	private skip(text: string): boolean {
		if (!this.source.startsWith(text, this.at)) return false;
		this.at += text.length;
		return true;
	}
}
