// The way of a file into data: scan-xml.ts or parse-xml.ts makes a tree of it, meanwhile read-qubes.ts reads the qubes; this file takes out the rest
// that it understands and marks it, residue.ts keeps what is strange.
import type { DomainData, LabelData, PoolData, StoreData } from "./data.ts";
import { quote, type Source } from "./errors.ts";
import { keyOf } from "./keys.ts";
import { parseXml } from "./parse-xml.ts";
import { QubeReader, type ReadQube } from "./read-qubes.ts";
import { attributesOf, CONTAINER, childrenOf, FREE, Reading } from "./reading.ts";
import { collectResidue, type Residue } from "./residue.ts";
import { scanXml } from "./scan-xml.ts";
import type { Known, XmlElement } from "./xml-tree.ts";

/** The content of a store, and what is known about it beside. */
export interface ReadStore {
	readonly data: StoreData;
	/** Each a line for the log, with its place. */
	readonly warnings: readonly string[];
	/** What we do not understand, for the writer. */
	readonly residue: Residue;
}

const LABEL: Known = { attributes: ["id", "color"], isText: true };

/**
 * Reads the text of a qubes.xml (spec 5.1, 4.5), whatever the order of its parts. A part that is missing is empty.
 * Throws a StoreError, `malformed` or `invalid`, with line and column.
 */
export function readStore(source: Source): ReadStore {
	return readBy(source, (reader) => scanXml(source.text, reader)) ?? readExactly(source);
}

/** The same without the quick ways, which the tests compare. */
export function readExactly(source: Source): ReadStore {
	return readBy(source, (reader) => parseXml(source, { closed: reader.closed })) as ReadStore;
}

/** Null where there is no tree. */
function readBy(source: Source, parse: (reader: QubeReader) => XmlElement | null): ReadStore | null {
	const reading = new Reading(source);
	const reader = new QubeReader(reading);
	const document = parse(reader);
	if (document === null) return null;
	const root = document.children.find((child) => child.kind === "element") as XmlElement;
	if (root.name !== "qubes") reading.fail(root, `root element <${root.name}>: want <qubes>`);
	document.known = CONTAINER;
	root.known = CONTAINER;
	root.key = "qubes";
	const data = {
		labels: readLabels(reading, reading.container(root, "labels")),
		pools: readPools(reading, reading.container(root, "pools")),
		properties: reading.pairs(reading.container(root, "properties"), "property"),
		domains: listQubes(reading, reading.container(root, "domains"), reader.qubes),
	};
	return { data, warnings: reading.warnings(), residue: collectResidue(source.text, document, reader.qubes) };
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
		element.known = LABEL;
		element.key = keyOf.label(index);
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
		element.known = FREE;
		element.key = name;
		const attributes = attributesOf(element);
		attributes.delete("name");
		attributes.delete("driver");
		return { name, driver, attributes };
	});
}

function listQubes(reading: Reading, container: XmlElement | null, qubes: ReadonlyMap<XmlElement, ReadQube>): DomainData[] {
	const qids = new Set<number>();
	const names = new Set<string>();
	return childrenOf(container, "domain").map((element) => {
		const { domain, name } = qubes.get(element) as ReadQube;
		if (qids.has(domain.qid)) reading.fail(element, `domain-${domain.qid} is there twice: give one another id`);
		if (names.has(name)) reading.fail(element, `qube ${quote(name)} is there twice: rename one`);
		qids.add(domain.qid);
		names.add(name);
		return domain;
	});
}
