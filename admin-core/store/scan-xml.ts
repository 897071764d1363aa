import { newElement, textNode, type Watcher, type XmlAttribute, type XmlElement, type XmlNode } from "./xml-tree.ts";

/** Characters that need a closer look: controls, carriage returns, those beyond 16 bits. */
const UNUSUAL = /[^\t\n\u0020-\ud7ff\ue000-\ufffd]|\]\]>/;
/** Only tested, as what `exec` gives back would be most of the memory. */
const NAME = /[A-Za-z_][A-Za-z0-9_.-]*/y;
const BLANKS = /[ ]+/y;
const VALUE = /="[^"<\t\n]*"/y;
const ENTITY = /&(amp|lt|gt|quot|apos);/g;
const ENTITIES: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * The quick way to the tree that parse-xml.ts makes, for what stores are made of: elements, attributes in double quotes, plain text and comments. Null at
 * the first doubt, also for all errors, and then the exact one reads the file again. The tests compare the two.
 */
export function scanXml(source: string, watcher: Watcher = {}): XmlElement | null {
	return UNUSUAL.test(source) ? null : new Scanner(source, watcher).scan();
}

class Scanner {
	private readonly source: string;
	private readonly watcher: Watcher;
	private readonly names = new Names();
	private readonly document = newElement("", 0, 0);
	/** The elements that are open, the document first. */
	private readonly open = [this.document];
	/** Everything before this offset is in the tree. */
	private done = 0;

	constructor(source: string, watcher: Watcher) {
		this.source = source;
		this.watcher = watcher;
	}

	scan(): XmlElement | null {
		const { source } = this;
		for (;;) {
			const start = source.indexOf("<", this.done);
			if (!this.addText(start < 0 ? source.length : start)) return null;
			if (start < 0) return this.open.length === 1 && this.hasRoot() ? this.document : null;
			const next = source.charCodeAt(start + 1);
			const isClear = next === 0x2f ? this.closeTop(start) : next === 0x21 ? this.addComment(start) : this.addElement(start);
			if (!isClear) return null;
		}
	}

	// Each of these takes one thing into the tree; false where it is not clear.

	private addText(end: number): boolean {
		if (end === this.done) return true;
		const node = textNode(this.source, this.done, end);
		this.top().children.push(node);
		return this.open.length > 1 || node.kind === "blank";
	}

	private closeTop(start: number): boolean {
		const top = this.top();
		if (top === this.document || !this.source.startsWith(`${top.name}>`, start + 2)) return false;
		this.done = start + 3 + top.name.length;
		top.contentEnd = start;
		top.end = this.done;
		const text = textOf(this.source, top);
		if (text === null) return false;
		top.text = text;
		this.pop();
		return true;
	}

	private addComment(start: number): boolean {
		const end = commentEnd(this.source, start);
		this.top().children.push({ kind: "other", start, end });
		this.done = end;
		return end >= 0;
	}

	private addElement(start: number): boolean {
		const top = this.top();
		if (top === this.document && this.hasRoot()) return false;
		const known = this.watcher.shortcut?.(this.open, start) ?? null;
		const element = known ?? openTag(this.source, start, this.names);
		if (element === null) return false;
		top.children.push(element);
		this.done = element.end;
		if (known !== null) return true;
		this.open.push(element);
		if (this.source.charCodeAt(this.done - 2) === 0x2f) this.pop();
		return true;
	}

	private pop(): void {
		this.watcher.closed?.(this.open);
		this.open.pop();
	}

	private top(): XmlElement {
		return this.open.at(-1) as XmlElement;
	}

	private hasRoot(): boolean {
		return hasKind(this.document.children, "element");
	}
}

/** The text of an element that is complete; null for a reference that is not clear. */
function textOf(source: string, { children, contentStart, contentEnd }: XmlElement): string | null {
	// That is most of them: a value, or children with blanks between.
	if (children.length === 1 && children[0]?.kind === "text") return decode(source.slice(contentStart, contentEnd));
	if (hasKind(children, "element") && !hasKind(children, "text")) return "";
	const parts = children.filter(({ kind }) => kind === "text" || kind === "blank");
	return decode(parts.map(({ start, end }) => source.slice(start, end)).join(""));
}

function hasKind(nodes: readonly XmlNode[], kind: XmlNode["kind"]): boolean {
	for (const node of nodes) if (node.kind === kind) return true;
	return false;
}

/** Null for a reference to a character or to an entity of its own. */
function decode(text: string): string | null {
	if (!text.includes("&")) return text;
	if (text.replace(ENTITY, "").includes("&")) return null;
	return text.replace(ENTITY, (_, name: string) => ENTITIES[name] as string);
}

function commentEnd(source: string, start: number): number {
	if (!source.startsWith("<!--", start)) return -1;
	const dashes = source.indexOf("--", start + 4);
	return dashes >= 0 && source.charAt(dashes + 2) === ">" ? dashes + 3 : -1;
}

function openTag(source: string, start: number, names: Names): XmlElement | null {
	let at = endOf(NAME, source, start + 1);
	if (at < 0) return null;
	const name = names.same(source.slice(start + 1, at));
	const attributes: XmlAttribute[] = [];
	for (let blanks = endOf(BLANKS, source, at); blanks >= 0; blanks = endOf(BLANKS, source, at)) {
		const nameEnd = endOf(NAME, source, blanks);
		const end = nameEnd < 0 ? -1 : endOf(VALUE, source, nameEnd);
		if (end < 0) return null;
		const key = names.same(source.slice(blanks, nameEnd));
		const value = decode(source.slice(nameEnd + 2, end - 1));
		if (value === null) return null;
		for (const one of attributes) if (one.name === key) return null;
		attributes.push({ name: key, value, start: at, end });
		at = end;
	}
	if (source.charCodeAt(at) === 0x2f) at++;
	return source.charCodeAt(at) === 0x3e ? newElement(name, start, at + 1, attributes) : null;
}

/** Where that ends which a pattern matches at an offset; -1 where it does not. */
function endOf(pattern: RegExp, source: string, at: number): number {
	pattern.lastIndex = at;
	return pattern.test(source) ? pattern.lastIndex : -1;
}

/** Keeps one string for all that are equal: a big store has few names, and memory that lives costs time. */
class Names {
	private readonly names = new Map<string, string>();

	same(name: string): string {
		const known = this.names.get(name);
		if (known !== undefined) return known;
		this.names.set(name, name);
		return name;
	}
}
