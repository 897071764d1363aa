import { type DomainData, nameOf } from "./data.ts";
import { keyOf } from "./keys.ts";
import { readDevices } from "./read-devices.ts";
import { attributesOf, childrenOf, FREE, type Reading } from "./reading.ts";
import { type Residue, residueOf } from "./residue.ts";
import { scanQube } from "./scan-qube.ts";
import { type Known, newElement, type Watcher, type XmlElement } from "./xml-tree.ts";

/** A qube that was read, and what of its element was not understood. */
export interface ReadQube {
	readonly domain: DomainData;
	readonly name: string;
	readonly residue: Residue | null;
}

const DOMAIN: Known = { attributes: ["id", "class"], isText: false };
const TAG: Known = { attributes: ["name"], isText: false };

/**
 * Reads each qube as soon as it is there, while the tree of the file is made, and keeps nothing of its own tree: the trees of all qubes would be most of
 * the memory that a big store takes, and of the time. Throws a StoreError, `invalid`.
 */
export class QubeReader implements Watcher {
	/** By the elements, which are marked as understood, and empty. */
	readonly qubes = new Map<XmlElement, ReadQube>();
	private readonly reading: Reading;

	constructor(reading: Reading) {
		this.reading = reading;
	}

	readonly shortcut = (open: readonly XmlElement[], start: number): XmlElement | null => {
		const scanned = open.length === 3 && isForQubes(open) ? scanQube(this.reading.source.text, start) : null;
		if (scanned === null) return null;
		const element = newElement("domain", start, scanned.end);
		this.add(element, scanned.domain, null);
		return element;
	};

	readonly closed = (open: readonly XmlElement[]): void => {
		const element = open[3];
		if (element?.name !== "domain" || open.length !== 4 || !isForQubes(open)) return;
		const domain = readDomain(this.reading, element);
		element.known = DOMAIN;
		this.add(element, domain, residueOf(this.reading.source.text, element));
		element.children.length = 0;
	};

	private add(element: XmlElement, domain: DomainData, residue: Residue | null): void {
		const missing = `domain-${domain.qid} without a name: add <property name="name">NAME</property>`;
		const name = nameOf(domain) ?? this.reading.fail(element, missing);
		element.known = DOMAIN;
		element.key = keyOf.domain(domain.qid, name);
		this.qubes.set(element, { domain, name, residue });
	}
}

/** Whether the elements that are open are those around the qubes of a store. */
function isForQubes([, root, container]: readonly XmlElement[]): boolean {
	return root?.name === "qubes" && container?.name === "domains";
}

function readDomain(reading: Reading, element: XmlElement): DomainData {
	const volumes = reading.container(element, "volume-config");
	return {
		qid: reading.needNumber(element, "domain-"),
		class: reading.need(element, "class"),
		properties: reading.pairs(reading.container(element, "properties"), "property"),
		features: reading.pairs(reading.container(element, "features"), "feature"),
		tags: readTags(reading, reading.container(element, "tags")),
		devices: readDevices(reading, element),
		volumes: volumes === null ? null : readVolumes(reading, volumes),
	};
}

function readTags(reading: Reading, container: XmlElement | null): string[] {
	const seen = new Set<string>();
	for (const element of childrenOf(container, "tag")) reading.isFirst(element, reading.need(element, "name"), seen, TAG);
	return [...seen];
}

function readVolumes(reading: Reading, container: XmlElement): Map<string, string>[] {
	const seen = new Set<string>();
	const isFirst = (element: XmlElement): boolean => reading.isFirst(element, reading.need(element, "name"), seen, FREE);
	return childrenOf(container, "volume").filter(isFirst).map(attributesOf);
}
