// The way of a file into data: parse-xml.ts makes a tree of it, this file and read-devices.ts take out what they understand and mark it,
// residue.ts keeps the rest.
import type { DomainData, LabelData, Pair, PoolData, StoreData } from "./data.ts";
import { quote, type Source } from "./errors.ts";
import { keyOf } from "./keys.ts";
import { parseXml } from "./parse-xml.ts";
import { readDevices } from "./read-devices.ts";
import { attributeOf, childrenOf, Reading } from "./reading.ts";
import { collectResidue, type Residue } from "./residue.ts";
import { scanXml } from "./scan-xml.ts";
import type { XmlElement } from "./xml-tree.ts";

/** The content of a store, and what is known about it beside. */
export interface ReadStore {
	readonly data: StoreData;
	/** Each a line for the log, with its place. */
	readonly warnings: readonly string[];
	/** What we do not understand, for the writer. */
	readonly residue: Residue;
}

/**
 * Reads the text of a qubes.xml (spec 5.1, 4.5), whatever the order of its parts. A part that is missing is empty.
 * Throws a StoreError, `malformed` or `invalid`, with line and column.
 */
export function readStore(source: Source): ReadStore {
	const document = scanXml(source.text) ?? parseXml(source);
	const reading = new Reading(source);
	const root = document.children.find((child) => child.kind === "element") as XmlElement;
	if (root.name !== "qubes") reading.fail(root, `root element <${root.name}>: want <qubes>`);
	document.known = { key: "document", attributes: [], isText: false };
	root.known = { key: "qubes", attributes: [], isText: false };
	const data = {
		labels: readLabels(reading, reading.container(root, "labels")),
		pools: readPools(reading, reading.container(root, "pools")),
		properties: readPairs(reading, reading.container(root, "properties"), "property"),
		domains: readDomains(reading, reading.container(root, "domains")),
	};
	return { data, warnings: reading.warnings, residue: collectResidue(source.text, document) };
}

function readLabels(reading: Reading, container: XmlElement | null): LabelData[] {
	const indices = new Set<number>();
	const names = new Set<string>();
	return childrenOf(container, "label").map((element) => {
		const index = reading.needNumber(element, "label-");
		const color = reading.need(element, "color");
		const name = element.text || reading.fail(element, `label ${index} without a name: want <label …>NAME</label>`);
		if (indices.has(index)) reading.fail(element, `label-${index} is there twice: remove one`);
		if (names.has(name)) reading.fail(element, `label ${quote(name)} is there twice: rename one`);
		indices.add(index);
		names.add(name);
		element.known = { key: keyOf.label(index), attributes: ["id", "color"], isText: true };
		// The grey of old releases (spec 5.4 step 1).
		return { index, name, color: color === "0x555753" ? "0x555555" : color };
	});
}

function readPools(reading: Reading, container: XmlElement | null): PoolData[] {
	const names = new Set<string>();
	return childrenOf(container, "pool").map((element) => {
		const name = reading.need(element, "name");
		const driver = reading.need(element, "driver");
		if (names.has(name)) reading.fail(element, `pool ${quote(name)} is there twice: remove one`);
		names.add(name);
		element.known = { key: keyOf.pool(name), attributes: "all", isText: false };
		const attributes = attributesOf(element);
		attributes.delete("name");
		attributes.delete("driver");
		return { name, driver, attributes };
	});
}

/** Properties and features: a name each, and text; in a property, a reference that is not empty is the text. */
function readPairs(reading: Reading, container: XmlElement | null, name: "property" | "feature"): Pair[] {
	const pairs: Pair[] = [];
	const seen = new Set<string>();
	const known = name === "property" ? ["name", "ref"] : ["name"];
	for (const element of childrenOf(container, name)) {
		const key = reading.need(element, "name");
		if (!reading.isFirst(element, keyOf[name](key), seen, known, true)) continue;
		pairs.push([key, (name === "property" && attributeOf(element, "ref")) || element.text]);
	}
	return pairs;
}

function readDomains(reading: Reading, container: XmlElement | null): DomainData[] {
	const qids = new Set<number>();
	const names = new Set<string>();
	return childrenOf(container, "domain").map((element) => {
		const domain = readDomain(reading, element);
		const name = readName(reading, element, domain);
		if (qids.has(domain.qid)) reading.fail(element, `domain-${domain.qid} is there twice: give one another id`);
		if (names.has(name)) reading.fail(element, `qube ${quote(name)} is there twice: rename one`);
		qids.add(domain.qid);
		names.add(name);
		element.known = { key: keyOf.domain(domain.qid, name), attributes: ["id", "class"], isText: false };
		return domain;
	});
}

function readDomain(reading: Reading, element: XmlElement): DomainData {
	const volumes = reading.container(element, "volume-config");
	return {
		qid: reading.needNumber(element, "domain-"),
		class: reading.need(element, "class"),
		properties: readPairs(reading, reading.container(element, "properties"), "property"),
		features: readPairs(reading, reading.container(element, "features"), "feature"),
		tags: readTags(reading, reading.container(element, "tags")),
		devices: readDevices(reading, element),
		volumes: volumes === null ? null : readVolumes(reading, volumes),
	};
}

function readName(reading: Reading, element: XmlElement, domain: DomainData): string {
	if (domain.qid === 0) return "dom0";
	const name = domain.properties.find(([name]) => name === "name")?.[1];
	return name || reading.fail(element, `domain-${domain.qid} without a name: add <property name="name">NAME</property>`);
}

function readTags(reading: Reading, container: XmlElement | null): string[] {
	const seen = new Set<string>();
	const tags = childrenOf(container, "tag").map((element) => ({ element, name: reading.need(element, "name") }));
	return tags.filter(({ element, name }) => reading.isFirst(element, keyOf.tag(name), seen, ["name"])).map(({ name }) => name);
}

function readVolumes(reading: Reading, container: XmlElement): Map<string, string>[] {
	const seen = new Set<string>();
	const isFirst = (element: XmlElement): boolean =>
		reading.isFirst(element, keyOf.volume(reading.need(element, "name")), seen, "all");
	return childrenOf(container, "volume").filter(isFirst).map(attributesOf);
}

function attributesOf(element: XmlElement): Map<string, string> {
	return new Map(element.attributes.map(({ name, value }) => [name, value]));
}
