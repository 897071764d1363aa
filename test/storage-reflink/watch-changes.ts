// Counts what a process changes in the tree through node:fs/promises, which is what the driver uses; tests use the synchronous calls. Only what succeeds.
import fs from "node:fs/promises";

export interface Change {
	readonly call: string;
	readonly paths: readonly string[];
}

type Calls = { [name: string]: (...args: unknown[]) => Promise<unknown> };

const changes: Change[] = [];
const calls = fs as unknown as Calls;

for (const call of ["rename", "link", "copyFile", "unlink", "mkdir", "rmdir"]) wrap(call, () => true);
wrap("open", ([, flags]) => flags === "wx");

/** The changes below a directory, in the order in which they were finished. */
export function changesBelow(directory: string): Change[] {
	return changes.filter(({ paths }) => paths.some((one) => one.startsWith(`${directory}/`)));
}

function wrap(call: string, isChange: (args: readonly unknown[]) => boolean): void {
	const original = calls[call] as Calls[string];
	calls[call] = async (...args) => {
		const result = await original.apply(fs, args);
		if (isChange(args)) changes.push({ call, paths: args.filter((one) => typeof one === "string") });
		return result;
	};
}
