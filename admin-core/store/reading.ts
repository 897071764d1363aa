import { formatPlace, placeOf, quote, type Source, StoreError } from "./errors.ts";
import type { XmlElement } from "./xml-tree.ts";

/** What the readers of the single parts share: the place for messages, and how to mark what was understood. */
export class Reading {
	/** `FILE:LINE:COLUMN: what: what is done about it`, in the order of the file. */
	readonly warnings: string[] = [];
	private readonly source: Source;

	constructor(source: Source) {
		this.source = source;
	}

	fail(at: XmlElement, detail: string): never {
		throw new StoreError("invalid", detail, placeOf(this.source, at.start));
	}

	warn(at: XmlElement, text: string): void {
		this.warnings.push(`${formatPlace(placeOf(this.source, at.start))}: ${text}`);
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
		first.known = {
			key: devclass === null ? name : `${name} ${quote(devclass)}`,
			attributes: devclass === null ? [] : ["class"],
			isText: false,
		};
		for (const other of others) {
			const isNew = (name: string): boolean => attributeOf(first, name) === undefined;
			first.attributes.push(...other.attributes.filter((one) => isNew(one.name)));
			first.children.push(...other.children);
			other.known = CONSUMED;
		}
		return first;
	}

	/**
	 * Marks one of many as understood. True for the first of its key; another one gets a warning, is not to be read, and is gone with the
	 * next save: if it stayed, it would come back to life when the first is removed.
	 */
	isFirst(element: XmlElement, key: string, seen: Set<string>, attributes: readonly string[] | "all", isText = false): boolean {
		if (seen.has(key)) {
			this.warn(element, `${key} is there twice: the first is kept`);
			element.known = CONSUMED;
			return false;
		}
		seen.add(key);
		element.known = { key, attributes, isText };
		return true;
	}
}

/** Understood, but not to be written again in this form. */
export const CONSUMED = { key: null, attributes: "all", isText: false } as const;

export function childrenOf(parent: XmlElement | null, name: string): XmlElement[] {
	const found: XmlElement[] = [];
	for (const child of parent?.children ?? []) if (child.kind === "element" && child.name === name) found.push(child);
	return found;
}

export function attributeOf(element: XmlElement, name: string): string | undefined {
	for (const attribute of element.attributes) if (attribute.name === name) return attribute.value;
	return undefined;
}
