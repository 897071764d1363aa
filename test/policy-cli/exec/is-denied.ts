import type { ExecutionContext } from "ava";
import type { Ended } from "../../support/run-program.ts";
import type { Stage } from "./stage.ts";

/** Asserts `result=deny`, status 1, and one line, in the log or on standard error. */
export async function isDenied(t: ExecutionContext, stage: Stage, ended: Ended, complaint: RegExp): Promise<void> {
	t.is(ended.stdout, "result=deny\n");
	t.is(ended.status, 1);
	const lines = [...(await stage.logged()), ...ended.stderr.split("\n").slice(0, -1)];
	t.is(lines.length, 1, lines.join("\n").slice(0, 1000));
	t.regex(lines[0] ?? "", complaint);
}
