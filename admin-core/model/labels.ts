import { AdminError } from "./errors.ts";

/** A colour that qubes are marked with (spec 4.2). */
export interface Label {
	/** From 1; the first eight are those of the system. */
	readonly index: number;
	readonly name: string;
	/** `0xRRGGBB` */
	readonly color: string;
}

/** A label as the value of a property. */
export interface NamedLabel extends Label {
	readonly wireName: string;
}

/** The labels of a new store. */
export const DEFAULT_LABELS: readonly Label[] = [
	{ index: 1, name: "red", color: "0xcc0000" },
	{ index: 2, name: "orange", color: "0xf57900" },
	{ index: 3, name: "yellow", color: "0xedd400" },
	{ index: 4, name: "green", color: "0x73d216" },
	{ index: 5, name: "gray", color: "0x555555" },
	{ index: 6, name: "blue", color: "0x3465a4" },
	{ index: 7, name: "purple", color: "0x75507b" },
	{ index: 8, name: "black", color: "0x000000" },
];

/** Labels up to this index cannot be removed, and new ones come after it. */
const LAST_DEFAULT = DEFAULT_LABELS.length;

/** All labels of the system, by index. */
export class Labels {
	private readonly byIndex = new Map<number, NamedLabel>();

	constructor(labels: Iterable<Label> = DEFAULT_LABELS) {
		for (const label of labels) this.byIndex.set(label.index, { ...label, wireName: label.name });
	}

	/** All labels, by index. */
	list(): NamedLabel[] {
		return [...this.byIndex.values()].sort((a, b) => a.index - b.index);
	}

	/** The label with this name, or this index as text; a name comes first. Throws a QubesLabelNotFoundError. */
	find(nameOrIndex: string): NamedLabel {
		const byName = this.list().find(({ name }) => name === nameOrIndex);
		const label = byName ?? (/^\d+$/.test(nameOrIndex) ? this.byIndex.get(Number(nameOrIndex)) : undefined);
		if (label === undefined) throw new AdminError("QubesLabelNotFoundError", `Label does not exist: ${nameOrIndex}`);
		return label;
	}

	/**
	 * Makes a label and returns it; the index is the next free one behind all others.
	 * Throws QubesInvalidLabelError, QubesInvalidLabelValueError, or QubesLabelInUseError where the name is taken.
	 */
	create(name: string, color: string): NamedLabel {
		checkNewName(name);
		const index = Math.max(LAST_DEFAULT, ...this.byIndex.keys()) + 1;
		const label = { index, name, color: parseColor(color), wireName: name };
		if (this.list().some((other) => other.name === name)) {
			throw new AdminError("QubesLabelInUseError", `label ${name} already exists`);
		}
		this.byIndex.set(label.index, label);
		return label;
	}

	/** Makes these the labels. */
	rollBack(labels: readonly NamedLabel[]): void {
		this.byIndex.clear();
		for (const label of labels) this.byIndex.set(label.index, label);
	}

	/** Removes a label that nobody uses, which the caller has to see to. Throws QubesLabelNotFoundError, or ProtocolError for one of the first eight. */
	remove(nameOrIndex: string): void {
		const label = this.find(nameOrIndex);
		checkCustom(label);
		this.byIndex.delete(label.index);
	}
}

/** Throws a QubesInvalidLabelError unless a text is one or more of `A-Z a-z 0-9 - _ .` (spec 4.2). */
export function checkLabelName(name: string): void {
	if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw new AdminError("QubesInvalidLabelError", "label name: want A-Z a-z 0-9 - _ .");
}

/** Throws a ProtocolError for one of the first eight labels, which cannot be removed. */
export function checkCustom({ index }: Label): void {
	if (index <= LAST_DEFAULT) throw new AdminError("ProtocolError", "Can only remove custom labels");
}

/** Throws a QubesInvalidLabelError for a name that a new label cannot have. */
export function checkNewName(name: string): void {
	checkLabelName(name);
	if (/^label-\d+$/.test(name))
		throw new AdminError("QubesInvalidLabelError", "label name must not be label-NUMBER: the store means an index by it");
	if (/^\d+$/.test(name))
		throw new AdminError("QubesInvalidLabelError", "label name must not be only digits: it would be taken for an index");
}

/** A colour without white space around it. Throws a QubesInvalidLabelValueError. */
export function parseColor(text: string): string {
	const color = text.trim();
	if (/^0x[0-9a-fA-F]{6}$/.test(color)) return color;
	throw new AdminError("QubesInvalidLabelValueError", "label colour: want 0xRRGGBB");
}
