import { StoreError } from "./errors.ts";
import type { Residue, Runs } from "./residue.ts";
import type { Node } from "./store-tree.ts";
import { escapeAttribute, escapeText, findForbidden, isBlank, trimEnd } from "./xml-text.ts";

/** The text of a file, and what of the residue found its place in it: that of removed elements is gone. */
export interface Rendered {
	readonly text: string;
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
	return { text: renderer.text, residue: { ...residue, children } };
}

class Renderer {
	text = "";
	/** The keys of the elements that are open, for messages. */
	private readonly path: string[] = [];

	/** Writes an element and returns what of its residue is in it. */
	write(node: Node, residue: Residue | null, indent: string): Residue | null {
		this.path.push(node.key);
		this.text += `<${node.name}`;
		const attributes = this.writeAttributes(node, residue?.attributes ?? null);
		const rest =
			typeof node.content === "string"
				? this.writeText(node.name, node.content, residue)
				: this.writeChildren(node.name, node.content, residue, indent);
		this.path.pop();
		return attributes === null && rest === null ? null : { ...NOTHING, ...rest, attributes };
	}

	private writeAttributes({ attributes }: Node, strange: Runs | null): Runs | null {
		const order = strange === null ? [] : attributes.map(([name]) => name);
		const runs = placeRuns(strange, order);
		this.text += runs.get(0) ?? "";
		for (const [index, [name, value]] of attributes.entries()) {
			this.check(value);
			this.text += ` ${name}="${escapeAttribute(value)}"${runs.get(index + 1) ?? ""}`;
		}
		return runs.size === 0 ? null : { order, runs };
	}

	/** As long as the value is the same, what is written beside it stays exactly where it is; else it follows the value. */
	private writeText(name: string, value: string, residue: Residue | null): Partial<Residue> | null {
		this.check(value);
		const old = residue?.text ?? null;
		const raw = old === null ? escapeText(value) : old.value === value ? old.raw : escapeText(value) + old.rest;
		this.text += `>${raw}</${name}>`;
		return old === null ? null : { text: { value, raw, rest: old.rest } };
	}

	private writeChildren(name: string, nodes: readonly Node[], residue: Residue | null, indent: string): Partial<Residue> | null {
		const order = nodes.map(({ key }) => key);
		this.checkUnique(order);
		const runs = placeRuns(residue?.content ?? null, order);
		const content = runs.size === 0 ? null : { order, runs };
		if (nodes.length === 0) {
			this.text += content === null ? "/>" : `>${runs.get(0)}</${name}>`;
			return content && { content };
		}
		const children = new Map<string, Residue>();
		this.text += `>${trimEnd(runs.get(0) ?? "")}`;
		for (const [index, node] of nodes.entries()) {
			this.text += `\n${indent}  `;
			const rest = this.write(node, residue?.children.get(node.key) ?? null, `${indent}  `);
			if (rest !== null) children.set(node.key, rest);
			this.text += trimEnd(runs.get(index + 1) ?? "");
		}
		this.text += `\n${indent}</${name}>`;
		return content === null && children.size === 0 ? null : { content, children };
	}

	private checkUnique(keys: readonly string[]): void {
		if (new Set(keys).size === keys.length) return;
		const twice = keys.find((key, index) => keys.indexOf(key) !== index);
		throw new StoreError("unsavable", `${[...this.path, twice].join(", ")} is there twice: remove one`);
	}

	private check(text: string): void {
		const character = findForbidden(text);
		if (character === null) return;
		throw new StoreError("unsavable", `${this.path.join(", ")}: XML cannot carry the character ${character}: remove it`);
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
