import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** `qubesdb-multiread -d QUBE PREFIX`: the lines of a file with the name of the qube that begin with the prefix, without it. */
const MULTIREAD = `#!/bin/sh
[ "$1" = -d ] && [ $# = 3 ] || exit 2
[ -f "$FAKE_QUBES/$2" ] || { echo "no QubesDB of $2" >&2; exit 1; }
while IFS= read -r line; do
	case "$line" in "$3"*) printf '%s\\n' "\${line#"$3"}" ;; esac
done < "$FAKE_QUBES/$2"
`;
/** `qrexec-client -d QUBE COMMAND`: notes that it was called; fails where there is a file NAME.refuses. */
const CLIENT = `#!/bin/sh
[ "$1" = -d ] && [ $# = 3 ] || exit 2
printf '%s: %s\\n' "$2" "$3" >> "$FAKE_QUBES/calls.log"
! [ -e "$FAKE_QUBES/$2.refuses" ]
`;

/**
 * Stand-ins for two programs of Qubes, which need a hypervisor, first on the PATH of this process and of those that it starts. Once for each test
 * file, whose tests then run one after the other.
 */
export class QubesPrograms {
	readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-programs-"));

	constructor() {
		process.env["FAKE_QUBES"] = this.dir;
		process.env["PATH"] = `${this.dir}:${process.env["PATH"]}`;
		this.write("qubesdb-multiread", MULTIREAD);
		this.write("qrexec-client", CLIENT);
		process.once("exit", () => fs.rmSync(this.dir, { recursive: true }));
	}

	/** Replaces one of the programs, or makes another one. */
	write(name: string, text: string): void {
		fs.writeFileSync(path.join(this.dir, name), text, { mode: 0o755 });
	}

	/** Gives a qube a QubesDB with lines of `/PATH = VALUE`. */
	setQubesDb(qube: string, ...lines: readonly string[]): void {
		fs.writeFileSync(path.join(this.dir, qube), lines.map((line) => `${line}\n`).join(""), "latin1");
	}

	/** From now on it answers no calls. */
	refuseCalls(qube: string): void {
		fs.writeFileSync(path.join(this.dir, `${qube}.refuses`), "");
	}

	/** Which services were called since this was last asked, sorted. */
	takeCalls(): string[] {
		const log = path.join(this.dir, "calls.log");
		if (!fs.existsSync(log)) return [];
		const calls = fs.readFileSync(log, "utf8").trimEnd().split("\n").sort();
		fs.rmSync(log);
		return calls;
	}
}
