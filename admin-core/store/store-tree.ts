// What a store looks like as elements: the canonical form and order of spec 5.1. render.ts makes text of it.
import {
	DEVICE_MODES,
	type DeviceData,
	type DeviceGroup,
	type DomainData,
	type LabelData,
	nameOf,
	type Pair,
	type PoolData,
	type StoreData,
} from "./data.ts";
import { quote, StoreError } from "./errors.ts";
import { keyOf, titleOf } from "./keys.ts";
import { isXmlName } from "./xml-text.ts";

/** An element to be written. */
export interface Node {
	readonly name: string;
	/** The same as that of an element which was read: tells it from its siblings. */
	readonly key: string;
	readonly attributes: readonly Pair[];
	/** Text, also an empty one, or elements, which are made when they are written, once: all of them at a time would be much memory. `<x/>` has no elements, `<x></x>` no text. */
	readonly content: string | (() => readonly Node[]);
}

/** The elements of a store. It and the `content` of nodes throw a StoreError, `unsavable`, where they could not be read again. */
export function storeTree(data: StoreData): Node {
	return element("qubes", "qubes", [], () => [
		element("labels", "labels", [], () => labelNodes(data.labels)),
		element("pools", "pools", [], () => data.pools.map(poolNode)),
		element("properties", "properties", [], () => pairs("property", data.properties)),
		element("domains", "domains", [], () => domainNodes(data.domains)),
	]);
}

function labelNodes(labels: readonly LabelData[]): Node[] {
	checkUnique(
		"label",
		labels.map(({ name }) => name),
	);
	const sorted = [...labels].sort((a, b) => a.index - b.index);
	return sorted.map(({ index, name, color }) => {
		const attributes: Pair[] = [["id", `label-${checkNumber("label", index)}`], need("color", color)];
		return element("label", keyOf.label(index), attributes, need(`name of label ${index}`, name)[1]);
	});
}

function poolNode({ name, driver, attributes }: PoolData): Node {
	const twice = ["name", "driver"].find((known) => attributes.has(known));
	if (twice !== undefined)
		throw new StoreError("unsavable", `${titleOf("pool", name)}, attribute ${quote(twice)} is there twice: remove one`);
	return freeElement("pool", name, [need("name", name), need("driver", driver), ...attributes]);
}

function domainNodes(domains: readonly DomainData[]): Node[] {
	const named = domains.map((domain) => ({ domain, name: need(`name of domain-${domain.qid}`, nameOf(domain) ?? "")[1] }));
	checkUnique(
		"qube",
		named.map(({ name }) => name),
	);
	checkUnique(
		"domain id",
		named.map(({ domain }) => String(domain.qid)),
	);
	const byName = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
	named.sort((a, b) => Number(b.domain.qid === 0) - Number(a.domain.qid === 0) || byName(a.name, b.name));
	return named.map(({ domain, name }) => domainNode(domain, name));
}

function domainNode(domain: DomainData, name: string): Node {
	const attributes: Pair[] = [["id", `domain-${checkNumber("domain", domain.qid)}`], need("class", domain.class)];
	return element("domain", keyOf.domain(domain.qid, name), attributes, () => domainParts(domain));
}

function domainParts({ properties, features, tags, devices, volumes }: DomainData): Node[] {
	const parts = [
		element("properties", "properties", [], () => pairs("property", properties)),
		element("features", "features", [], () => pairs("feature", features)),
		element("tags", "tags", [], () => [...tags].sort().map((tag) => element("tag", tag, [need("name", tag)]))),
		...devices.map(groupNode),
	];
	if (volumes !== null) parts.push(element("volume-config", "volume-config", [], () => volumes.map(volumeNode)));
	return parts;
}

function pairs(name: "property" | "feature" | "option", list: Iterable<Pair>): Node[] {
	return Array.from(list, ([key, text]) => element(name, key, [need("name", key)], text));
}

function groupNode({ devclass, devices }: DeviceGroup): Node {
	return element("devices", keyOf.devices(devclass), [need("class", devclass)], () => devices.map(deviceNode));
}

function deviceNode(device: DeviceData): Node {
	const { backend, port, identity, mode, options } = device;
	const key = keyOf.device(device);
	if (backend === "" || backend === "*") throw unsavable(key, `backend ${quote(backend)}`, "null for none");
	if (!DEVICE_MODES.includes(mode)) throw unsavable(key, `mode ${quote(mode)}`, DEVICE_MODES.join(", "));
	if (options.has("identity")) throw unsavable(key, "option identity", "it as the identity of the device");
	const attributes: Pair[] = [
		["id", port],
		["mode", mode],
		["identity", identity],
	];
	if (backend !== null) attributes.unshift(["backend-domain", backend]);
	return element("device", key, attributes, () => pairs("option", options));
}

function volumeNode(attributes: ReadonlyMap<string, string>): Node {
	const [, name] = need("name of a volume", attributes.get("name") ?? "");
	return freeElement("volume", name, [...attributes]);
}

function element(name: string, key: string, attributes: readonly Pair[], content: Node["content"] = () => []): Node {
	return { name, key, attributes, content };
}

/** One whose attributes are those of a driver, so any. */
function freeElement(name: string, key: string, attributes: readonly Pair[]): Node {
	for (const [attribute] of attributes) {
		if (!isXmlName(attribute)) throw unsavable(titleOf(name, key), `attribute ${quote(attribute)}`, "a name that XML allows");
	}
	return element(name, key, attributes);
}

function need(what: string, text: string): Pair {
	if (text === "") throw new StoreError("unsavable", `${what} is empty: want a text`);
	return [what, text];
}

function checkNumber(what: string, number: number): number {
	if (!Number.isSafeInteger(number) || number < 0) throw unsavable(what, `number ${number}`, "0 or more");
	return number;
}

function checkUnique(what: string, names: readonly string[]): void {
	const seen = new Set<string>();
	for (const name of names) {
		if (seen.has(name)) throw new StoreError("unsavable", `${what} ${quote(name)} is there twice: remove one`);
		seen.add(name);
	}
}

function unsavable(where: string, what: string, wanted: string): StoreError {
	return new StoreError("unsavable", `${where}: ${what}: want ${wanted}`);
}
