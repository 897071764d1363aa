import { spawnSync } from "node:child_process";
import type { ExecutionContext } from "ava";

/** What xmllint says of a store and its schema: `- validates`, or why not. */
export function xmllint(t: ExecutionContext, text: string): string {
	const { stderr, error } = spawnSync("xmllint", ["--noout", "--relaxng", "admin-core/store/qubes.rng", "-"], {
		input: text,
		encoding: "utf8",
	});
	if (error !== undefined) t.fail(`cannot run xmllint: apt-get install -y libxml2-utils (${error.message})`);
	return (stderr ?? "").trim();
}
