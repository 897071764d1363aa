import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";

/** A `cp` that copies when it is told to, so that a copy takes as long as a test wants, or a minute. */
export interface SlowCopies {
	/** A PATH on which it is found before the real one. */
	readonly path: string;
	/** Lets the copy go on that waits, and all that follow. */
	go(): void;
}

/** Makes one, which is the real `cp` as soon as it goes; or, if `first` is a number of KiB, copies so many before it waits, and fails then. */
export function slowCopies(t: ExecutionContext, first?: number): SlowCopies {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "slow-copies-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true }));
	const real = (process.env["PATH"] ?? "").split(":").map((one) => path.join(one, "cp"));
	const cp = real.find((file) => fs.existsSync(file));
	// Not for ever, so that none is left of a test that was killed.
	const wait = `for _ in {1..3000}; do [ -e ${folder}/go ] && break; sleep 0.02; done`;
	const script =
		first === undefined ? `${wait}; exec ${cp} "$@"` : `trap "" XFSZ; (ulimit -f ${first}; ${cp} "$@"); ${wait}; exit 1`;
	fs.writeFileSync(path.join(folder, "cp"), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
	return { path: `${folder}:${process.env["PATH"]}`, go: () => fs.writeFileSync(path.join(folder, "go"), "") };
}
