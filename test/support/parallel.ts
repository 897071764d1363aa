/** Does the work for each item, at most `width` at a time; the results are in the order of the items. */
export async function inParallel<T, R>(
	items: readonly T[],
	width: number,
	work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
	const limit = limiter(width);
	return Promise.all(items.map((item, index) => limit(() => work(item, index))));
}

/** A function that does the work it is given, but lets only `width` of them go on at a time. */
export function limiter(width: number): <R>(work: () => Promise<R>) => Promise<R> {
	let running = 0;
	const waiting: (() => void)[] = [];
	return async (work) => {
		if (running === width) await new Promise<void>((resolve) => waiting.push(resolve));
		else running++;
		try {
			return await work();
		} finally {
			// Whoever waits takes our place.
			const next = waiting.shift();
			if (next === undefined) running--;
			else next();
		}
	};
}

/** The first few lines of what is wrong, each cut; empty when nothing is. */
export function firstFew(wrong: readonly string[], most = 5): string {
	if (wrong.length === 0) return "";
	const lines = wrong.slice(0, most).map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line));
	return `${wrong.length} wrong:\n${lines.join("\n")}`;
}
