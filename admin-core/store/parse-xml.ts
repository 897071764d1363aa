import { SaxesParser } from "saxes";
import { placeOf, type Source, StoreError } from "./errors.ts";
import { isBlank } from "./xml-text.ts";
import { newElement, type Span, textNode, type Watcher, type XmlAttribute, type XmlElement, type XmlNode } from "./xml-tree.ts";

/**
 * Parses strict XML 1.0 into a tree that knows where everything stood; the element returned stands for the whole document.
 * Throws a StoreError with line and column, also for a document type with declarations in it: they could make a small file huge.
 */
export function parseXml(source: Source, watcher: Watcher = {}): XmlElement {
	return new TreeBuilder(source, watcher).build();
}

class TreeBuilder {
	private readonly source: Source;
	private readonly watcher: Watcher;
	private readonly parser = new SaxesParser({ position: false });
	/** The elements that are open, the document first. */
	private readonly open: XmlElement[] = [newElement("", 0, 0)];
	/** Everything before this offset is in the tree. */
	private done = 0;
	private attributes: XmlAttribute[] = [];

	constructor(source: Source, watcher: Watcher) {
		this.source = source;
		this.watcher = watcher;
	}

	build(): XmlElement {
		const { parser, source } = this;
		parser.on("opentagstart", () => {
			this.attributes = [];
		});
		parser.on("attribute", ({ name, value }) => this.addAttribute(name, value));
		parser.on("opentag", ({ name }) => this.openElement(name));
		parser.on("closetag", ({ isSelfClosing }) => this.closeElement(isSelfClosing));
		parser.on("text", (text) => this.addValue(text));
		parser.on("cdata", (text) => {
			this.addValue(text);
			this.add({ kind: "text", ...this.markup(parser.position) });
		});
		// A comment is reported before its last character.
		parser.on("comment", () => this.add({ kind: "other", ...this.markup(parser.position + 1) }));
		parser.on("processinginstruction", () => this.add({ kind: "other", ...this.markup(parser.position) }));
		parser.on("doctype", (type) => this.addDocumentType(type));
		parser.on("xmldecl", ({ version = "1.0", encoding = "UTF-8" }) => {
			if (version !== "1.0") this.fail(`XML version ${version}: want 1.0`, 0);
			if (!/^(utf-?8|us-ascii)$/i.test(encoding)) this.fail(`encoding ${encoding}: want UTF-8`, 0);
			this.add({ kind: "declaration", ...this.markup(parser.position) });
		});
		parser.on("error", ({ message }) =>
			this.fail(`not well-formed XML: ${message.replace(/\.$/, "")}`, Math.min(parser.position - 1, source.text.length)),
		);
		parser.write(source.text).close();
		this.addText(source.text.length);
		// The line end after the root is nobody's value.
		return Object.assign(this.top(), { text: "" });
	}

	private fail(detail: string, offset: number): never {
		throw new StoreError("malformed", detail, placeOf(this.source, Math.max(0, offset)));
	}

	private top(): XmlElement {
		return this.open.at(-1) as XmlElement;
	}

	private add(node: XmlNode): void {
		this.top().children.push(node);
	}

	private addValue(text: string): void {
		this.top().text += text;
	}

	/** Where the markup that ends here began; the text before it, which has no `<` in it, becomes a node of its own. */
	private markup(end: number): Span {
		const start = this.source.text.indexOf("<", this.done);
		this.addText(start);
		this.done = end;
		return { start, end };
	}

	private addText(end: number): void {
		if (end > this.done) this.add(textNode(this.source.text, this.done, end));
	}

	private addAttribute(name: string, value: string): void {
		// Where the first one starts is known when the tag is complete.
		const start = this.attributes.at(-1)?.end ?? this.done;
		this.attributes.push({ name, value, start, end: this.parser.position });
	}

	private openElement(name: string): void {
		const { start, end } = this.markup(this.parser.position);
		const element = newElement(name, start, end, this.attributes);
		const first = this.attributes[0];
		if (first !== undefined) first.start = start + 1 + name.length;
		this.add(element);
		this.open.push(element);
	}

	private closeElement(isSelfClosing: boolean): void {
		const element = this.top();
		if (!isSelfClosing) {
			const tag = this.markup(this.parser.position);
			element.contentEnd = tag.start;
			element.end = tag.end;
		}
		if (isBlank(element.text) && element.children.some(({ kind }) => kind === "element")) element.text = "";
		this.watcher.closed?.(this.open);
		this.open.pop();
	}

	private addDocumentType(type: string): void {
		const span = this.markup(this.parser.position);
		if (type.replace(/"[^"]*"|'[^']*'/g, "").includes("[")) {
			this.fail("document type with declarations in it: remove everything from <!DOCTYPE to its last >", span.start);
		}
		this.add({ kind: "other", ...span });
	}
}
