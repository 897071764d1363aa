/** All that `forAll` met, of what it threw. */
export function failuresOf(thrown: unknown): readonly unknown[] {
	const others = thrown instanceof Error && thrown.cause instanceof AggregateError ? thrown.cause.errors : [];
	return [thrown, ...others];
}

/**
 * Does something with all of them at once and waits for all (spec/storage-reflink.md 1.8). Throws the first failure in their order; what else
 * failed is the `cause` of it.
 */
export async function forAll<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
	const results = await Promise.allSettled(items.map(async (item) => work(item)));
	const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
	if (failures.length === 0) return;
	const [first, ...others] = failures;
	if (others.length > 0 && first instanceof Error) first.cause = new AggregateError(others, "others failed as well");
	throw first;
}
