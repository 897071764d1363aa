/** A part of the source, from `start` to before `end`. */
export interface Span {
	start: number;
	end: number;
}

/** An attribute with the white space before it. */
export interface XmlAttribute extends Span {
	readonly name: string;
	readonly value: string;
}

/** An element with all that is in it, and what the reader makes of it. */
export interface XmlElement extends Span {
	readonly kind: "element";
	readonly name: string;
	readonly attributes: XmlAttribute[];
	readonly children: XmlNode[];
	/** All text and CDATA directly in it, decoded; empty where that is only blanks around its children. */
	text: string;
	/** What is between its tags, from here to before there; empty for `<x/>`. */
	readonly contentStart: number;
	contentEnd: number;
	/** What the reader understood of it; null while it is a stranger. */
	known: Known | null;
	/** Tells it from the other understood children of its parent; null where it is not to be written again (keys.ts). */
	key: string | null;
}

/** Looks on while a tree is made; `open` are the elements that are open, the document first. */
export interface Watcher {
	/** May give the element that starts at an offset, if it is known already: nothing in it is looked at then. */
	readonly shortcut?: (open: readonly XmlElement[], start: number) => XmlElement | null;
	/** Called when the last one is complete. */
	readonly closed?: (open: readonly XmlElement[]) => void;
}

/** How the reader marks an element that it understands; what is in it and not marked is kept as it is (residue.ts). */
export interface Known {
	/** The attributes that are understood. */
	readonly attributes: readonly string[] | "all";
	/** Its text is a value. */
	readonly isText: boolean;
}

/** Text or CDATA, text that is nothing but white space, the XML declaration, or else a comment, processing instruction or document type. */
export interface XmlOther extends Span {
	readonly kind: "text" | "blank" | "declaration" | "other";
}

/** Anything that can be in an element. */
export type XmlNode = XmlElement | XmlOther;

/** An element whose start tag is from `start` to `end`. */
export function newElement(name: string, start: number, end: number, attributes: XmlAttribute[] = []): XmlElement {
	return {
		kind: "element",
		name,
		start,
		end,
		attributes,
		children: [],
		text: "",
		contentStart: end,
		contentEnd: end,
		known: null,
		key: null,
	};
}

/** The node of text that is not empty. */
export function textNode(source: string, start: number, end: number): XmlOther {
	for (let at = start; at < end; at++) {
		const code = source.charCodeAt(at);
		if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return { kind: "text", start, end };
	}
	return { kind: "blank", start, end };
}
