import { isBlank } from "./xml-text.ts";
import type { Known, Span, XmlElement, XmlNode } from "./xml-tree.ts";

/**
 * What we do not understand in an element that we understand, as it was written. Only elements that have something of the kind have one.
 *
 *     <tags>                      order ["tag a"]
 *       <tag name="a" x="1"/>     runs  {0: "", 1: "\n  <!-- why -->\n  <new/>"}, so behind tag a
 *       <!-- why -->              children {"tag a": attributes {order ["name"], runs {1: ' x="1"'}}}
 *       <new/>
 *     </tags>
 */
export interface Residue {
	readonly attributes: Runs | null;
	readonly content: Runs | null;
	/** By the keys of understood children. */
	readonly children: ReadonlyMap<string, Residue>;
	/** Of an element with a value, in which there is more than text. */
	readonly text: MixedText | null;
}

/** Raw source between understood siblings. */
export interface Runs {
	/** The keys of the understood siblings, in the order of the file. */
	readonly order: readonly string[];
	/** The source behind the sibling before that index of `order`; at 0, before all of them. */
	readonly runs: ReadonlyMap<number, string>;
}

/** The content of an element whose text is a value, where something else is written among it. */
export interface MixedText {
	/** The text alone, and the content as it was written with it. */
	readonly value: string;
	readonly raw: string;
	/** The content without the text. */
	readonly rest: string;
}

/** What is not marked as understood in a tree, which itself is; that of qubes is known already. */
export function collectResidue(
	source: string,
	document: XmlElement,
	qubes: ReadonlyMap<XmlElement, { readonly residue: Residue | null }>,
): Residue {
	const ofChild = (child: XmlElement): Residue | null => {
		const qube = qubes.get(child);
		return qube === undefined ? strangeIn(source, child, ofChild) : qube.residue;
	};
	return strangeIn(source, document, ofChild) ?? { attributes: null, content: null, children: new Map(), text: null };
}

/** What is not marked as understood in an element, which itself is; null where there is nothing. */
export function residueOf(source: string, element: XmlElement): Residue | null {
	return isUnderstood(element) ? null : strangeIn(source, element, (child) => residueOf(source, child));
}

/** Whether there is nothing strange in an element, as in most. */
function isUnderstood({ known, attributes, children }: XmlElement): boolean {
	const { attributes: names, isText } = known as Known;
	if (names !== "all") for (const { name } of attributes) if (!names.includes(name)) return false;
	for (const child of children) {
		if (child.kind === "blank" || (isText && child.kind === "text")) continue;
		if (isText || child.kind !== "element" || child.key === null || !isUnderstood(child)) return false;
	}
	return true;
}

function strangeIn(source: string, element: XmlElement, ofChild: (child: XmlElement) => Residue | null): Residue | null {
	const known = element.known as Known;
	const attributes = known.attributes === "all" ? null : strangeAttributes(source, element, known.attributes);
	if (known.isText) {
		const text = mixedText(source, element);
		return attributes === null && text === null ? null : { attributes, content: null, children: new Map(), text };
	}
	const content = strangeContent(source, element);
	const children = new Map<string, Residue>();
	for (const child of element.children) {
		const key = keyOfNode(child);
		const residue = key === null ? null : ofChild(child as XmlElement);
		if (residue !== null) children.set(key as string, residue);
	}
	return attributes === null && content === null && children.size === 0 ? null : { attributes, content, children, text: null };
}

function strangeAttributes(source: string, { attributes }: XmlElement, known: readonly string[]): Runs | null {
	const isKnown = (name: string): boolean => known.includes(name);
	if (attributes.every(({ name }) => isKnown(name))) return null;
	return runsOf(attributes, (one) => (isKnown(one.name) ? { key: one.name } : { raw: raw(source, one) }));
}

/** Where there is nothing but white space between two that are understood, there is nothing to keep. */
function strangeContent(source: string, { children }: XmlElement): Runs | null {
	if (children.every((node) => node.kind === "blank" || keyOfNode(node) !== null)) return null;
	const found = runsOf(children, (node) => {
		const key = keyOfNode(node);
		if (key !== null) return { key };
		const isGone = node.kind === "declaration" || (node.kind === "element" && node.known !== null);
		return { raw: isGone ? "" : raw(source, node) };
	});
	const runs = new Map([...found.runs].filter(([, run]) => !isBlank(run)));
	return runs.size === 0 ? null : { order: found.order, runs };
}

type Part = { readonly key: string } | { readonly raw: string };

function runsOf<T>(items: readonly T[], partOf: (item: T) => Part): Runs {
	const order: string[] = [];
	const runs = new Map<number, string>();
	for (const item of items) {
		const part = partOf(item);
		if ("key" in part) order.push(part.key);
		else if (part.raw !== "") runs.set(order.length, (runs.get(order.length) ?? "") + part.raw);
	}
	return { order, runs };
}

function mixedText(source: string, { text, children, contentStart, contentEnd }: XmlElement): MixedText | null {
	const strange = children.filter(({ kind }) => kind === "element" || kind === "other");
	if (strange.length === 0) return null;
	return { value: text, raw: source.slice(contentStart, contentEnd), rest: strange.map((node) => raw(source, node)).join("") };
}

/** Null where a node is not understood, or not to be written again. */
function keyOfNode(node: XmlNode): string | null {
	return node.kind === "element" ? node.key : null;
}

function raw(source: string, { start, end }: Span): string {
	return source.slice(start, end);
}
