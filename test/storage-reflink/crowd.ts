// Clients of one daemon who act at once, each on volumes of its own in the same qubes, and a count of what went on at the same time.
import type { Random } from "../policy-cli/core/random.ts";
import { Actors } from "./actors.ts";
import { apply, BEGIN, type Operation, randomOperation, type World } from "./model.ts";

/** After how many operations on average a client looks whether all is as the model says; all others are held up by that. */
const LOOK_AFTER = 8;

/** Told the number of operations that a client has begun. */
export type IsOver = (count: number) => boolean;

/** One client for each source of random operations, all in a pool of their own in `dir`. Returns what is wrong in the end. */
export async function actAtOnce(dir: string, sources: readonly Random[], isOver: IsOver, tally: Tally): Promise<string[]> {
	const daemon = new Actors(dir);
	await daemon.pool.setup();
	const clients = sources.map((random, index) => new Client(new Actors(dir, `-${index + 1}`, daemon), random));
	await Promise.all(clients.map((client) => client.act(isOver, tally)));
	await daemon.pool.settled();
	const wrong = clients.flatMap((client, index) => client.look().map((one) => `client ${index + 1}: ${one}`));
	return [...wrong, ...daemon.unfinished(), ...daemon.log.filter((line) => line.startsWith("error"))];
}

class Client {
	readonly #actors: Actors;
	readonly #random: Random;
	#world: World = BEGIN;
	/** The operations since the last look. */
	#unseen: string[] = [];
	#wrong: string[] = [];

	constructor(actors: Actors, random: Random) {
		this.#actors = actors;
		this.#random = random;
	}

	/** Until it is over or something is wrong. */
	async act(isOver: IsOver, tally: Tally): Promise<void> {
		for (let count = 0; this.#wrong.length === 0 && !isOver(count); count++) {
			const operation = operationOfMany(this.#random, this.#world);
			const next = apply(this.#world, operation);
			this.#unseen.push(JSON.stringify(operation));
			const refusal = await tally.count(operation.kind, this.#actors.act(operation, this.#world));
			if ((refusal === null) !== (next !== null)) this.#wrong = [`${this.#unseen}: ${refusal ?? "was not refused"}`];
			this.#world = next ?? this.#world;
			if (this.#random.oneIn(LOOK_AFTER)) this.look();
		}
	}

	/** What was wrong first; empty if nothing ever was. */
	look(): readonly string[] {
		if (this.#wrong.length > 0) return this.#wrong;
		this.#wrong = this.#actors.differences(this.#world).map((one) => `${this.#unseen}: ${one}`);
		this.#unseen = [];
		return this.#wrong;
	}
}

/** Only the daemon can be started again, and it is that of all. */
function operationOfMany(random: Random, world: World): Operation {
	for (;;) {
		const operation = randomOperation(random, world);
		if (operation.kind !== "restart") return operation;
	}
}

/** How often each kind of operation was done, and how often within another of them: begun after that and done before it, as no lock of all lets it. */
export class Tally {
	readonly #counts: Map<string, { done: number; within: number }>;
	readonly #underWay = new Set<Promise<void>>();

	constructor(kinds: readonly string[]) {
		this.#counts = new Map(kinds.map((kind) => [kind, { done: 0, within: 0 }]));
	}

	/** Waits for an operation; returns why it was refused, and null if it was done. Other kinds do not count. */
	async count(kind: string, work: Promise<void>): Promise<string | null> {
		const counts = this.#counts.get(kind);
		const before = [...this.#underWay];
		if (counts !== undefined) this.#underWay.add(work);
		try {
			await work;
		} catch (thrown) {
			return (thrown as Error).message;
		} finally {
			this.#underWay.delete(work);
		}
		if (counts === undefined) return null;
		counts.done++;
		if (before.some((other) => this.#underWay.has(other))) counts.within++;
		return null;
	}

	/** The kinds that were never done within another operation. */
	alwaysAlone(): string[] {
		return [...this.#counts].filter(([, { within }]) => within === 0).map(([kind]) => kind);
	}

	toString(): string {
		return [...this.#counts].map(([kind, { done, within }]) => `${done} × ${kind} (${within} within others)`).join(", ");
	}
}
