/** A row in the network tree. */
export interface Node {
	readonly name: string;
	/** Who provides its network. */
	readonly netvm: string | null;
}

/**
 * Rows as a network tree: those whose net qube is not among them first level, under each those that it provides network for, in the
 * order in which they came; with how each name is to be shown. A loop, which the daemon refuses, is shown from its first row on.
 *
 *     sys-net
 *     └─sys-firewall
 *       └─work
 */
export function arrangeTree<T extends Node>(rows: readonly T[]): { row: T; label: string }[] {
	const names = new Set(rows.map(({ name }) => name));
	const left = new Set(rows);
	const found: { row: T; label: string }[] = [];
	const visit = (row: T, depth: number): void => {
		if (!left.delete(row)) return;
		found.push({ row, label: depth === 0 ? row.name : `${"  ".repeat(depth - 1)}└─${row.name}` });
		for (const child of rows) if (child.netvm === row.name) visit(child, depth + 1);
	};
	for (const row of rows) if (row.netvm === null || !names.has(row.netvm)) visit(row, 0);
	for (const row of rows) visit(row, 0);
	return found;
}
