import { compilePattern, type EventPattern } from "./pattern.ts";

/** Named arguments of one firing; their order is that of the event stream. */
export type EventArgs = { readonly [name: string]: unknown };

/**
 * What runs when an event is fired. It gives back nothing (undefined, null), or something iterable whose elements are effects (spec 1.4); an
 * asynchronous one a promise of that, and only `fireAsync` runs it, after all synchronous ones.
 */
export type Handler<Subject> = (subject: Subject, event: string, args: EventArgs) => unknown;

/** How a handler is registered. */
export interface HandlerOptions {
	/** Whether it belongs to the class itself, so that it comes before those of plugins (spec 1.1). */
	readonly bound?: boolean;
	/** Needed for a function that returns a promise without being an `async` one. */
	readonly async?: boolean;
}

/** A handler in a table. */
export interface Registered<Subject> {
	readonly pattern: EventPattern;
	readonly handler: Handler<Subject>;
	readonly bound: boolean;
	readonly isAsync: boolean;
	/** Handlers of the same kind run in the order in which they came. */
	readonly sequence: number;
}

/** Names for which the handlers are remembered; of events with names without end, such as those of features, only the latest are. */
const MAX_REMEMBERED = 1000;

/**
 * The handlers of one class or one instance. Firing asks for them by the event's name, so they are kept by exact name and by what their
 * patterns start with, and the answer for a name is remembered: not every pattern is tried for every event.
 */
export class HandlerTable<Subject> {
	private readonly exact = new Map<string, Registered<Subject>[]>();
	private readonly byPrefix = new Map<string, Registered<Subject>[]>();
	/** Lengths of the keys of `byPrefix`. */
	private prefixLengths: readonly number[] = [];
	private readonly remembered = new Map<string, readonly Registered<Subject>[]>();
	private sequence = 0;

	/** Registers a handler; the same one under the same pattern counts once. */
	add(
		pattern: string,
		handler: Handler<Subject>,
		{ bound = false, async = isAsyncFunction(handler) }: HandlerOptions = {},
	): void {
		const compiled = compilePattern(pattern);
		const list = this.listOf(compiled);
		if (list.some((one) => one.pattern.text === pattern && one.handler === handler)) return;
		list.push({ pattern: compiled, handler, bound, isAsync: async, sequence: this.sequence++ });
		this.changed();
	}

	/** Takes a handler out. Throws an Error if it is not there. */
	remove(pattern: string, handler: Handler<Subject>): void {
		const compiled = compilePattern(pattern);
		const list = this.listOf(compiled);
		const index = list.findIndex((one) => one.pattern.text === pattern && one.handler === handler);
		if (index < 0) throw new Error(`no such handler for "${pattern}"`);
		list.splice(index, 1);
		if (list.length === 0) (compiled.isExact ? this.exact : this.byPrefix).delete(compiled.prefix);
		this.changed();
	}

	/** The handlers for an event in the order in which they run: bound ones first (spec 1.2). */
	find(event: string): readonly Registered<Subject>[] {
		const known = this.remembered.get(event);
		if (known !== undefined) return known;
		const found = [...(this.exact.get(event) ?? [])];
		for (const length of this.prefixLengths) {
			if (length > event.length) continue;
			const candidates = this.byPrefix.get(event.slice(0, length)) ?? [];
			found.push(...candidates.filter(({ pattern }) => pattern.matches(event)));
		}
		found.sort((a, b) => Number(b.bound) - Number(a.bound) || a.sequence - b.sequence);
		if (this.remembered.size === MAX_REMEMBERED) this.remembered.clear();
		this.remembered.set(event, found);
		return found;
	}

	private listOf(pattern: EventPattern): Registered<Subject>[] {
		const lists = pattern.isExact ? this.exact : this.byPrefix;
		const list = lists.get(pattern.prefix) ?? [];
		lists.set(pattern.prefix, list);
		return list;
	}

	private changed(): void {
		this.remembered.clear();
		this.prefixLengths = [...new Set([...this.byPrefix.keys()].map((prefix) => prefix.length))];
	}
}

function isAsyncFunction(handler: unknown): boolean {
	return Object.prototype.toString.call(handler) === "[object AsyncFunction]";
}
