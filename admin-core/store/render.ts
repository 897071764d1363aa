import { StoreError } from "./errors.ts";
import { titleOf } from "./keys.ts";
import type { MixedText, Residue, Runs } from "./residue.ts";
import type { Node } from "./store-tree.ts";
import { escapeAttribute, escapeText, findForbidden, isBlank, isPlain, trimEnd } from "./xml-text.ts";

/** The content of a file, and what of the residue found its place in it: that of removed elements is gone. */
export interface Rendered {
	/** UTF-8 */
	readonly bytes: Buffer;
	readonly residue: Residue;
}

/**
 * Writes elements, two blanks for each level, with what was not understood in its place: behind the sibling that it followed, else behind the nearest
 * one before that which is still there, else at the start. Where white space is all there is between two elements, it is ours.
 * Throws a StoreError, `unsavable`, for a character that XML cannot carry, and where siblings have the same key.
 */
export function render(root: Node, residue: Residue): Rendered {
	const renderer = new Renderer();
	const around = placeRuns(residue.content, [root.key]);
	const prolog = trimEnd(around.get(0) ?? "").replace(/^[ \t\r\n]+/, "");
	if (prolog !== "") renderer.text = `${prolog}\n`;
	const rest = renderer.write(root, residue.children.get(root.key) ?? null, "");
	renderer.text += `${trimEnd(around.get(1) ?? "")}\n`;
	const children = new Map(rest === null ? [] : [[root.key, rest]]);
	return { bytes: renderer.end(), residue: { ...residue, children } };
}

/** How much text is put together before it is turned into bytes: all the pieces of a text live until then. */
const CHUNK = 16_384;

class Renderer {
	text = "";
	private readonly chunks: Buffer[] = [];
	/** Those that are open, for messages. */
	private readonly path: Node[] = [];

	/** Writes an element and returns what of its residue is in it. */
	write(node: Node, residue: Residue | null, indent: string): Residue | null {
		this.path.push(node);
		const rest = residue === null ? this.writePlain(node, indent) : this.writeMixed(node, residue, indent);
		this.path.pop();
		return rest;
	}

	/** All that was written, as bytes. */
	end(): Buffer {
		return Buffer.concat([...this.chunks, Buffer.from(this.text)]);
	}

	private flush(): void {
		if (this.text.length < CHUNK) return;
		this.chunks.push(Buffer.from(this.text));
		this.text = "";
	}

	/** Writes an element with nothing strange in it, as nearly all are. */
	private writePlain({ name, attributes, content }: Node, indent: string): null {
		let tag = `<${name}`;
		for (const [key, value] of attributes) tag += ` ${key}="${this.escape(value, escapeAttribute)}"`;
		if (typeof content === "string") {
			this.text += `${tag}>${this.escape(content, escapeText)}</${name}>`;
			return null;
		}
		const nodes = content();
		this.checkUnique(nodes);
		this.text += nodes.length === 0 ? `${tag}/>` : `${tag}>`;
		for (const node of nodes) {
			this.text += `\n${indent}  `;
			this.write(node, null, `${indent}  `);
			this.flush();
		}
		if (nodes.length > 0) this.text += `\n${indent}</${name}>`;
		return null;
	}

	private writeMixed(node: Node, residue: Residue, indent: string): Residue | null {
		this.text += `<${node.name}`;
		const attributes = this.writeAttributes(node, residue.attributes);
		const rest =
			typeof node.content === "string"
				? this.writeText(node.name, node.content, residue.text)
				: this.writeChildren(node.name, node.content(), residue, indent);
		return attributes === null && rest === null ? null : { ...NOTHING, ...rest, attributes };
	}

	private writeAttributes({ attributes }: Node, strange: Runs | null): Runs | null {
		const order = attributes.map(([name]) => name);
		const runs = placeRuns(strange, order);
		this.text += runs.get(0) ?? "";
		for (const [index, [name, value]] of attributes.entries()) {
			this.text += ` ${name}="${this.escape(value, escapeAttribute)}"${runs.get(index + 1) ?? ""}`;
		}
		return runs.size === 0 ? null : { order, runs };
	}

	/** As long as the value is the same, what is written beside it stays exactly where it is; else it follows the value. */
	private writeText(name: string, value: string, old: MixedText | null): Partial<Residue> | null {
		const text = this.escape(value, escapeText);
		const raw = old === null ? text : old.value === value ? old.raw : text + old.rest;
		this.text += `>${raw}</${name}>`;
		return old === null ? null : { text: { value, raw, rest: old.rest } };
	}

	private writeChildren(name: string, nodes: readonly Node[], residue: Residue, indent: string): Partial<Residue> | null {
		this.checkUnique(nodes);
		const order = nodes.map(({ key }) => key);
		const runs = placeRuns(residue.content, order);
		const content = runs.size === 0 ? null : { order, runs };
		if (nodes.length === 0) {
			this.text += content === null ? "/>" : `>${runs.get(0)}</${name}>`;
			return content && { content };
		}
		const children = new Map<string, Residue>();
		this.text += `>${trimEnd(runs.get(0) ?? "")}`;
		for (const [index, node] of nodes.entries()) {
			this.text += `\n${indent}  `;
			const rest = this.write(node, residue.children.get(node.key) ?? null, `${indent}  `);
			if (rest !== null) children.set(node.key, rest);
			this.text += trimEnd(runs.get(index + 1) ?? "");
			this.flush();
		}
		this.text += `\n${indent}</${name}>`;
		return content === null && children.size === 0 ? null : { content, children };
	}

	private checkUnique(nodes: readonly Node[]): void {
		const seen = new Set<string>();
		for (const node of nodes) {
			if (seen.has(node.key)) throw new StoreError("unsavable", `${this.where(node)} is there twice: remove one`);
			seen.add(node.key);
		}
	}

	/** The open elements, and perhaps one in them. */
	private where(...more: readonly Node[]): string {
		return [...this.path, ...more].map(({ name, key }) => titleOf(name, key)).join(", ");
	}

	private escape(text: string, slowly: (text: string) => string): string {
		if (isPlain(text)) return text;
		const character = findForbidden(text);
		if (character === null) return slowly(text);
		throw new StoreError("unsavable", `${this.where()}: XML cannot carry the character ${character}: remove it`);
	}
}

const NOTHING: Residue = { attributes: null, content: null, children: new Map(), text: null };

const NO_RUNS: ReadonlyMap<number, string> = new Map();

/** The runs by the index in `keys` of the sibling that they follow, plus one; 0 is the start. */
function placeRuns(strange: Runs | null, keys: readonly string[]): ReadonlyMap<number, string> {
	if (strange === null) return NO_RUNS;
	const placed = new Map<number, string>();
	const positions = new Map(keys.map((key, index) => [key, index + 1]));
	for (const [index, run] of strange.runs) {
		let anchor = index;
		while (anchor > 0 && !positions.has(strange.order[anchor - 1] as string)) anchor--;
		const position = positions.get(strange.order[anchor - 1] ?? "") ?? 0;
		const before = placed.get(position) ?? "";
		// Two that were apart do not become one word.
		const gap = before === "" || isBlank(run.charAt(0)) ? "" : "\n";
		placed.set(position, before + gap + run);
	}
	return placed;
}
