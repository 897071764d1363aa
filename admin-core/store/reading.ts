import type { Pair } from "./data.ts";
import { formatPlace, placeOf, quote, type Source, StoreError } from "./errors.ts";
import { keyOf, titleOf } from "./keys.ts";
import type { Known, XmlElement } from "./xml-tree.ts";

/** What the readers of the single parts share: the place for messages, and how to mark what was understood. */
export class Reading {
	private readonly warned: { readonly at: XmlElement; readonly text: string }[] = [];
	readonly source: Source;

	constructor(source: Source) {
		this.source = source;
	}

	fail(at: XmlElement, detail: string): never {
		throw new StoreError("invalid", detail, placeOf(this.source, at.start));
	}

	/** `text` is what is wrong and what is done about it. */
	warn(at: XmlElement, text: string): void {
		this.warned.push({ at, text });
	}

	/** All warnings, `FILE:LINE:COLUMN: TEXT`, in the order of the file. */
	warnings(): string[] {
		const inOrder = [...this.warned].sort((a, b) => a.at.start - b.at.start);
		return inOrder.map(({ at, text }) => `${formatPlace(placeOf(this.source, at.start))}: ${text}`);
	}

	/** The value of an attribute that must be there and have something in it. */
	need(element: XmlElement, name: string): string {
		return attributeOf(element, name) || this.fail(element, `<${element.name}> without ${name}: add ${name}="…"`);
	}

	/** The number N of `id="PREFIX-N"`. */
	needNumber(element: XmlElement, prefix: string): number {
		const id = this.need(element, "id");
		const digits = id.startsWith(prefix) ? id.slice(prefix.length) : "";
		const number = Number(digits);
		if (!/^[0-9]+$/.test(digits) || !Number.isSafeInteger(number)) {
			this.fail(element, `invalid id ${quote(id)} of <${element.name}>: want ${prefix}N, N a number`);
		}
		return number;
	}

	/**
	 * The children of that name as one element, or null: where there are several, as only people write them, the others are emptied
	 * into the first. With `devclass`, only those of that class are meant.
	 */
	container(parent: XmlElement, name: string, devclass: string | null = null): XmlElement | null {
		const isMeant = (one: XmlElement): boolean => devclass === null || attributeOf(one, "class") === devclass;
		const [first, ...others] = childrenOf(parent, name).filter(isMeant);
		if (first === undefined) return null;
		first.known = devclass === null ? CONTAINER : DEVICES;
		first.key = devclass === null ? name : keyOf.devices(devclass);
		for (const other of others) {
			const isNew = (name: string): boolean => attributeOf(first, name) === undefined;
			first.attributes.push(...other.attributes.filter((one) => isNew(one.name)));
			first.children.push(...other.children);
			other.known = CONSUMED;
		}
		return first;
	}

	/** Properties and features: a name each, and text; in a property, a reference that is not empty is the text. */
	pairs(container: XmlElement | null, name: "property" | "feature"): Pair[] {
		const pairs: Pair[] = [];
		const seen = new Set<string>();
		for (const element of childrenOf(container, name)) {
			const key = this.need(element, "name");
			if (!this.isFirst(element, key, seen, name === "property" ? PROPERTY : NAMED)) continue;
			pairs.push([key, (name === "property" && attributeOf(element, "ref")) || element.text]);
		}
		return pairs;
	}

	/**
	 * Marks one of many as understood. True for the first of its key; another one gets a warning, is not to be read, and is gone with the
	 * next save: if it stayed, it would come back to life when the first is removed.
	 */
	isFirst(element: XmlElement, key: string, seen: Set<string>, known: Known): boolean {
		if (seen.has(key)) {
			this.warn(element, `${titleOf(element.name, key)} is there twice: the first is kept`);
			element.known = CONSUMED;
			return false;
		}
		seen.add(key);
		element.known = known;
		element.key = key;
		return true;
	}
}

/** Understood, but without a key, as it is not to be written again in this form. */
export const CONSUMED: Known = { attributes: "all", isText: false };
/** An element whose attributes are all understood, whatever they are. */
export const FREE: Known = { attributes: "all", isText: false };
/** An element with neither attributes nor text, only children. */
export const CONTAINER: Known = { attributes: [], isText: false };
const DEVICES: Known = { attributes: ["class"], isText: false };
const PROPERTY: Known = { attributes: ["name", "ref"], isText: true };
/** An element with a name and a text. */
export const NAMED: Known = { attributes: ["name"], isText: true };

/** The elements of a name directly in another one, in the order of the file; none if there is no parent. */
export function childrenOf(parent: XmlElement | null, name: string): XmlElement[] {
	const found: XmlElement[] = [];
	for (const child of parent?.children ?? []) if (child.kind === "element" && child.name === name) found.push(child);
	return found;
}

/** The value of an attribute, undefined if the element has none of that name. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
	for (const attribute of element.attributes) if (attribute.name === name) return attribute.value;
	return undefined;
}

/** The values of all attributes of an element by their names, in the order of the file. */
export function attributesOf(element: XmlElement): Map<string, string> {
	const attributes = new Map<string, string>();
	for (const { name, value } of element.attributes) attributes.set(name, value);
	return attributes;
}
