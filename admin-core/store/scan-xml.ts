import { newElement, textNode, type XmlAttribute, type XmlElement } from "./xml-tree.ts";

/** Characters that need a closer look: controls, carriage returns, those beyond 16 bits. */
const UNUSUAL = /[^\t\n\u0020-\ud7ff\ue000-\ufffd]|\]\]>/;
const OPEN = /<([A-Za-z_][A-Za-z0-9_.-]*)/y;
const ATTRIBUTE = /[ ]+([A-Za-z_][A-Za-z0-9_.-]*)="([^"<\t\n]*)"/y;
const ENTITY = /&(amp|lt|gt|quot|apos);/g;
const ENTITIES: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * The quick way to the tree that parse-xml.ts makes, for what stores are made of: elements, attributes in double quotes, plain text and comments. Null at
 * the first doubt, also for all errors, and then the exact one reads the file again. The tests compare the two.
 */
export function scanXml(source: string): XmlElement | null {
	if (UNUSUAL.test(source)) return null;
	const document = newElement("", 0, 0);
	const open = [document];
	const names = new Names();
	let done = 0;
	for (;;) {
		const top = open.at(-1) as XmlElement;
		const start = source.indexOf("<", done);
		const textEnd = start < 0 ? source.length : start;
		if (textEnd > done) {
			const node = textNode(source, done, textEnd);
			if (top === document && node.kind !== "blank") return null;
			top.children.push(node);
		}
		if (start < 0) return top === document && document.children.some(({ kind }) => kind === "element") ? document : null;
		const next = source.charCodeAt(start + 1);
		if (next === 0x2f) {
			done = start + 3 + top.name.length;
			if (top === document || !source.startsWith(`${top.name}>`, start + 2)) return null;
			top.contentEnd = start;
			top.end = done;
			const text = textOf(source, top);
			if (text === null) return null;
			top.text = text;
			open.pop();
		} else if (next === 0x21) {
			done = commentEnd(source, start);
			if (done < 0) return null;
			top.children.push({ kind: "other", start, end: done });
		} else {
			if (top === document && document.children.some(({ kind }) => kind === "element")) return null;
			const element = openTag(source, start, names);
			if (element === null) return null;
			top.children.push(element);
			done = element.end;
			if (source.charCodeAt(done - 2) !== 0x2f) open.push(element);
		}
	}
}

/** The text of an element that is complete; null for a reference that is not clear. */
function textOf(source: string, { children, contentStart, contentEnd }: XmlElement): string | null {
	// That is most of them: a value, or children with blanks between.
	if (children.length === 1 && children[0]?.kind === "text") return decode(source.slice(contentStart, contentEnd));
	if (children.some(({ kind }) => kind === "element") && children.every(({ kind }) => kind !== "text")) return "";
	const parts = children.filter(({ kind }) => kind === "text" || kind === "blank");
	return decode(parts.map(({ start, end }) => source.slice(start, end)).join(""));
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
	OPEN.lastIndex = start;
	const opened = OPEN.exec(source);
	if (opened === null) return null;
	const name = names.same(opened[1] as string);
	const attributes: XmlAttribute[] = [];
	let at = OPEN.lastIndex;
	for (;;) {
		ATTRIBUTE.lastIndex = at;
		const found = ATTRIBUTE.exec(source);
		if (found === null) break;
		const [, key, raw] = found as unknown as [string, string, string];
		const value = decode(raw);
		if (value === null || attributes.some((one) => one.name === key)) return null;
		attributes.push({ name: names.same(key), value, start: at, end: ATTRIBUTE.lastIndex });
		at = ATTRIBUTE.lastIndex;
	}
	if (source.charCodeAt(at) === 0x2f) at++;
	return source.charCodeAt(at) === 0x3e ? newElement(name, start, at + 1, attributes) : null;
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
