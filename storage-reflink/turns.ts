/**
 * The lock of one volume: who asks gets a turn after those who asked before, and what a turn has left for later is done before the next one. A turn that
 * has begun runs to its end, whatever becomes of the caller (spec section 7). Not re-entrant: who waits for a turn within a turn waits for ever.
 */
export class Turns {
	#end: Promise<void> = Promise.resolve();
	#open = 0;
	readonly #later: (() => Promise<void>)[] = [];
	readonly #last: (() => Promise<void>)[] = [];

	get isIdle(): boolean {
		return this.#open === 0;
	}

	/** Does the work in its turn; resolves or rejects as it does, not waiting for what is left for later. */
	take<T>(work: () => Promise<T>): Promise<T> {
		this.#open++;
		const turn = this.#end.then(work);
		this.#end = turn.then(
			() => this.#finish(),
			() => this.#finish(),
		);
		return turn;
	}

	/** Within a turn: leaves work for after it. It is done also if the turn fails, and must not reject. */
	later(work: () => Promise<void>): void {
		this.#later.push(work);
	}

	/** The same for what comes after all that is left for later. */
	last(work: () => Promise<void>): void {
		this.#last.push(work);
	}

	/** Resolves when all turns that were asked for until now are over, and what they left is done. */
	settled(): Promise<void> {
		return this.#end;
	}

	async #finish(): Promise<void> {
		for (let work = this.#next(); work !== undefined; work = this.#next()) await work();
		this.#open--;
	}

	#next(): (() => Promise<void>) | undefined {
		return this.#later.shift() ?? this.#last.shift();
	}
}
