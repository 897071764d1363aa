import { log } from "../../log.ts";
import { type EventArgs, type Handler, type HandlerOptions, HandlerTable, type Registered } from "./handler-table.ts";

/** How an event is fired. */
export interface Firing {
	/** A pre-event may be vetoed: handlers of the instance and of derived classes come first (spec 1.2). */
	readonly pre?: boolean;
}

type AnyTable = HandlerTable<Emitter>;
// biome-ignore lint/suspicious/noExplicitAny: any class of emitters, whatever its constructor takes
type EmitterClass<Subject extends Emitter> = abstract new (...args: any[]) => Subject;

/** The tables of classes, made when the first handler comes. */
const classTables = new WeakMap<object, AnyTable>();
/** For each class its own table and those of its ancestors, where there are any, from derived to base. */
const linearisations = new WeakMap<object, readonly object[]>();

/**
 * An object on which named events are fired: the app, and every qube (spec 1).
 *
 * Events are off until `eventsEnabled` is set: loading and construction are silent (spec 1.6).
 */
export abstract class Emitter {
	eventsEnabled = false;
	private readonly instanceTable: AnyTable = new HandlerTable();

	/** Registers a handler for this instance only; `pattern` as in spec 1.3. */
	addHandler(pattern: string, handler: Handler<this>, options?: HandlerOptions): void {
		this.instanceTable.add(pattern, handler as Handler<Emitter>, options);
	}

	/** Takes a handler of this instance out. Throws an Error if it is not there. */
	removeHandler(pattern: string, handler: Handler<this>): void {
		this.instanceTable.remove(pattern, handler as Handler<Emitter>);
	}

	/**
	 * Fires an event whose handlers are all synchronous; returns their effects (spec 1.4, 1.5).
	 * What a handler throws ends the walk. Throws an Error if one of them is asynchronous, after all others have run.
	 */
	fire(event: string, args: EventArgs = {}, firing: Firing = {}): unknown[] {
		const { effects, queue } = this.walk(event, args, firing);
		if (queue.length === 0) return effects;
		throw new Error(`asynchronous handlers for "${event}", which is fired synchronously: ${queue.map(describe).join(", ")}`);
	}

	/**
	 * Fires an event: synchronous handlers in their order, then all asynchronous ones at once (spec 1.5).
	 * Waits until all have ended; if some failed, the first of them in order is what is thrown.
	 */
	async fireAsync(event: string, args: EventArgs = {}, firing: Firing = {}): Promise<unknown[]> {
		const { effects, queue } = this.walk(event, args, firing);
		const results = await Promise.allSettled(queue.map(async ({ handler }) => handler(this, event, args)));
		for (const [index, result] of results.entries()) {
			if (result.status === "rejected") throw result.reason;
			addEffects(effects, result.value, event, queue[index] as Registered<Emitter>);
		}
		return effects;
	}

	/** Runs the synchronous handlers and queues the others. */
	private walk(event: string, args: EventArgs, { pre = false }: Firing): { effects: unknown[]; queue: Registered<Emitter>[] } {
		const effects: unknown[] = [];
		const queue: Registered<Emitter>[] = [];
		if (!this.eventsEnabled) return { effects, queue };
		for (const table of this.tables(pre)) {
			for (const registered of table.find(event)) {
				if (registered.isAsync) queue.push(registered);
				else addEffects(effects, registered.handler(this, event, args), event, registered);
			}
		}
		return { effects, queue };
	}

	private tables(pre: boolean): AnyTable[] {
		const tables = [this.instanceTable];
		for (const one of linearise(this.constructor)) {
			const table = classTables.get(one);
			if (table !== undefined) tables.push(table);
		}
		return pre ? tables : tables.reverse();
	}
}

/** Registers a handler for all instances of a class and of those derived from it (spec 1.1). */
export function onClass<Subject extends Emitter>(
	target: EmitterClass<Subject>,
	pattern: string,
	handler: Handler<Subject>,
	options?: HandlerOptions,
): void {
	let table = classTables.get(target);
	if (table === undefined) {
		table = new HandlerTable();
		classTables.set(target, table);
	}
	table.add(pattern, handler as Handler<Emitter>, options);
}

/** Takes a handler of a class out. Throws an Error if it is not there. */
export function offClass<Subject extends Emitter>(
	target: EmitterClass<Subject>,
	pattern: string,
	handler: Handler<Subject>,
): void {
	const table = classTables.get(target);
	if (table === undefined) throw new Error(`no such handler for "${pattern}"`);
	table.remove(pattern, handler as Handler<Emitter>);
}

/** A class and its ancestors up to Emitter. */
function linearise(target: object): readonly object[] {
	const known = linearisations.get(target);
	if (known !== undefined) return known;
	const classes: object[] = [];
	for (let one = target; one !== Function.prototype; one = Object.getPrototypeOf(one) as object) classes.push(one);
	linearisations.set(target, classes);
	return classes;
}

/** Adds what a handler gave back (spec 1.4): the elements of something iterable, the keys of a map. */
function addEffects(effects: unknown[], result: unknown, event: string, registered: Registered<Emitter>): void {
	if (result === null || result === undefined) return;
	if (result instanceof Map) {
		effects.push(...result.keys());
		return;
	}
	if (typeof result === "string") log("warning", `a handler of "${event}" gives a text, which counts as its characters`);
	if (!isIterable(result)) throw new TypeError(`${describe(registered)} gives what is no list of effects for "${event}"`);
	for (const effect of result) effects.push(effect);
}

function isIterable(value: unknown): value is Iterable<unknown> {
	return typeof value === "string" || (typeof value === "object" && value !== null && Symbol.iterator in value);
}

function describe({ handler, pattern }: Registered<Emitter>): string {
	return `${handler.name || "a handler"} of "${pattern.text}"`;
}
