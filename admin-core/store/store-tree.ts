// What a store looks like as elements: the canonical form and order of spec 5.1. render.ts makes text of it.
import { DEVICE_MODES, type DeviceData, type DeviceGroup, type DomainData, nameOf, type Pair, type StoreData } from "./data.ts";
import { quote, StoreError } from "./errors.ts";
import { keyOf } from "./keys.ts";
import { isXmlName } from "./xml-text.ts";

/** An element to be written. */
export interface Node {
	readonly name: string;
	/** The same as in Known: tells it from its siblings. */
	readonly key: string;
	readonly attributes: readonly Pair[];
	/** Elements, or text, also an empty one; `[]` makes `<x/>`, and `""` makes `<x></x>`. */
	readonly content: readonly Node[] | string;
}

/** The elements of a store. Throws a StoreError, `unsavable`, where they could not be read again. */
export function storeTree(data: StoreData): Node {
	const labels = [...data.labels].sort((a, b) => a.index - b.index);
	checkUnique(
		"label",
		labels.map(({ name }) => name),
	);
	return element("qubes", "qubes", [], {
		children: [
			container(
				"labels",
				labels.map(({ index, name, color }) => {
					const attributes: Pair[] = [["id", `label-${checkNumber("label", index)}`], need("color", color)];
					return element("label", keyOf.label(index), attributes, { text: need(`name of label ${index}`, name)[1] });
				}),
			),
			container(
				"pools",
				data.pools.map(({ name, driver, attributes }) => {
					const all: Pair[] = [need("name", name), need("driver", driver), ...attributes];
					return freeElement("pool", keyOf.pool(name), all);
				}),
			),
			container("properties", pairs("property", data.properties)),
			container("domains", domainNodes(data.domains)),
		],
	});
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
	const { qid, properties, features, tags, devices, volumes } = domain;
	const children = [
		container("properties", pairs("property", properties)),
		container("features", pairs("feature", features)),
		container(
			"tags",
			[...tags].sort().map((tag) => element("tag", keyOf.tag(tag), [need("name", tag)])),
		),
		...devices.map(groupNode),
	];
	if (volumes !== null) children.push(container("volume-config", volumes.map(volumeNode)));
	const id = `domain-${checkNumber("domain", qid)}`;
	return element("domain", keyOf.domain(qid, name), [["id", id], need("class", domain.class)], { children });
}

function pairs(name: "property" | "feature", list: readonly Pair[]): Node[] {
	return list.map(([key, text]) => element(name, keyOf[name](key), [need("name", key)], { text }));
}

function groupNode({ devclass, devices }: DeviceGroup): Node {
	return element("devices", keyOf.devices(devclass), [need("class", devclass)], { children: devices.map(deviceNode) });
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
	const children = [...options].map(([name, text]) => element("option", keyOf.option(name), [need("name", name)], { text }));
	return element("device", key, attributes, { children });
}

function volumeNode(attributes: ReadonlyMap<string, string>): Node {
	const [, name] = need("name of a volume", attributes.get("name") ?? "");
	return freeElement("volume", keyOf.volume(name), [...attributes]);
}

function container(name: string, children: readonly Node[]): Node {
	return element(name, name, [], { children });
}

interface Content {
	readonly children?: readonly Node[];
	readonly text?: string;
}

function element(name: string, key: string, attributes: readonly Pair[], { children = [], text }: Content = {}): Node {
	return { name, key, attributes, content: text ?? children };
}

/** One whose attributes are those of a driver, so any. */
function freeElement(name: string, key: string, attributes: readonly Pair[]): Node {
	const names = attributes.map(([name]) => name);
	const wrong = names.find((name) => !isXmlName(name));
	if (wrong !== undefined) throw unsavable(key, `attribute ${quote(wrong)}`, "a name that XML allows");
	checkUnique(`${key}, attribute`, names);
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
