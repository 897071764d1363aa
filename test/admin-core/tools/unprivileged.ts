import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";

/** Who is not root, and in no group that matters. */
const NOBODY = 65_534;

/** A folder of a user who is not root, and the built commands as that user runs them: nobody if root runs the tests. */
export class Unprivileged {
	readonly dir: string;

	constructor(t: ExecutionContext) {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "unprivileged-"));
		fs.mkdirSync(this.path("tmp"));
		for (const dir of [this.dir, this.path("tmp")]) this.own(dir);
		t.teardown(() => fs.rmSync(this.dir, { recursive: true }));
	}

	path(name: string): string {
		return path.join(this.dir, name);
	}

	/** A file of this user. */
	write(name: string, text: string, mode = 0o600): string {
		fs.writeFileSync(this.path(name), text, { mode });
		this.own(this.path(name));
		return this.path(name);
	}

	/** Starts a command of dist/bin; its temporary files are in `tmp`. */
	start([command, ...args]: readonly [string, ...string[]], env: { readonly [name: string]: string } = {}): ChildProcess {
		const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
		return spawn(path.resolve("dist/bin", command), args, {
			...user,
			cwd: this.dir,
			env: { ...process.env, TMPDIR: this.path("tmp"), ...env },
		});
	}

	/** Runs a command to its end. */
	async run(line: readonly [string, ...string[]], env?: { readonly [name: string]: string }, input = "") {
		const child = this.start(line, env);
		const [out, err] = [child.stdout, child.stderr].map((stream) => stream?.setEncoding("utf8").toArray());
		child.stdin?.end(input);
		const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
		return { status, out: ((await out) ?? []).join(""), err: ((await err) ?? []).join("") };
	}

	/** What is left in its temporary folder. */
	leftovers(): string[] {
		return fs.readdirSync(this.path("tmp"));
	}

	private own(file: string): void {
		if (process.getuid?.() === 0) fs.chownSync(file, NOBODY, NOBODY);
	}
}
