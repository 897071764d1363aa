import { AdminError } from "./errors.ts";
import type { Emitter } from "./events/emitter.ts";

/** The qube that tags belong to, as far as they look at it. */
export interface TagSubject extends Emitter {
	readonly name: string;
}

/** The tags of one qube (spec 4.1). Changes fire events on the subject; there are no pre-events, but what a handler throws undoes the change. */
export class Tags {
	readonly subject: TagSubject;
	private readonly tags = new Set<string>();

	constructor(subject: TagSubject) {
		this.subject = subject;
	}

	has(tag: string): boolean {
		return this.tags.has(tag);
	}

	/** All tags, sorted. */
	list(): string[] {
		return [...this.tags].sort();
	}

	/** Adds a tag; nothing happens if it is there. Throws a QubesInvalidTagError for one that is none. */
	add(tag: string): void {
		checkTag(tag);
		if (this.tags.has(tag)) return;
		this.tags.add(tag);
		try {
			this.subject.fire(`domain-tag-add:${tag}`, { tag });
		} catch (error) {
			this.tags.delete(tag);
			throw error;
		}
	}

	/** Removes a tag. Throws a QubesTagNotFoundError if it is not there. */
	remove(tag: string): void {
		if (!this.tags.delete(tag)) {
			throw new AdminError("QubesTagNotFoundError", `Tag not set for domain ${this.subject.name}: ${tag}`);
		}
		try {
			this.subject.fire(`domain-tag-delete:${tag}`, { tag });
		} catch (error) {
			this.tags.add(tag);
			throw error;
		}
	}

	/** Removes a tag if it is there. */
	discard(tag: string): void {
		if (this.tags.has(tag)) this.remove(tag);
	}

	/** Adds tags one by one. */
	update(tags: Iterable<string>): void {
		for (const tag of tags) this.add(tag);
	}

	/** Makes these the tags; what is given back tells of it, for when all else is as it was too. */
	rollBack(tags: readonly string[]): (() => void)[] {
		const before = this.list();
		this.tags.clear();
		for (const tag of tags) this.tags.add(tag);
		const gone = before.filter((tag) => !this.tags.has(tag));
		const back = tags.filter((tag) => !before.includes(tag));
		return [
			...gone.map((tag) => () => void this.subject.fire(`domain-tag-delete:${tag}`, { tag })),
			...back.map((tag) => () => void this.subject.fire(`domain-tag-add:${tag}`, { tag })),
		];
	}

	/** Removes all tags, one by one. */
	clear(): void {
		for (const tag of this.list()) this.remove(tag);
	}
}

/** Whether a text is one or more of `A-Z a-z 0-9 _ -` (spec 4.1). */
export function isTag(text: string): boolean {
	return /^[A-Za-z0-9_-]+$/.test(text);
}

/** Throws a QubesInvalidTagError for what is no tag. */
export function checkTag(tag: string): void {
	if (tag === "") throw new AdminError("QubesInvalidTagError", "tag cannot be empty");
	if (!isTag(tag)) throw new AdminError("QubesInvalidTagError", "disallowed characters: want A-Z a-z 0-9 _ -");
}
