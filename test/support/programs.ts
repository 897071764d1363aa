import path from "node:path";

/** A program that was built; `argv` is followed by what a test adds. */
export interface Program {
	readonly name: string;
	readonly argv: readonly [string, ...string[]];
	/** What it needs besides our own environment. */
	readonly env?: { readonly [name: string]: string };
}

/** What `node build.mjs release sanitize faults` makes. */
export const PROGRAMS = {
	native: { name: "native", argv: [path.resolve("dist/bin/qrexec-policy-exec")] },
	asan: {
		name: "native with sanitizers",
		argv: [path.resolve("dist/test/qrexec-policy-exec-asan")],
		env: { ASAN_OPTIONS: "detect_leaks=0" },
	},
	faults: { name: "native with faults", argv: [path.resolve("dist/test/qrexec-policy-exec-faults")] },
	node: { name: "node", argv: [process.execPath, path.resolve("dist/qrexec-policy-exec.cjs")] },
} satisfies { readonly [name: string]: Program };

/** The two programs that people run, which must do the same; QUBES_PROGRAMS=node (or native) takes only that one. */
export const HOSTS: readonly Program[] = choose(process.env["QUBES_PROGRAMS"]);

function choose(only: string | undefined): readonly Program[] {
	const both: readonly Program[] = [PROGRAMS.native, PROGRAMS.node];
	if (only === undefined) return both;
	const programs = both.filter(({ name }) => name === only);
	// A wrong name must not end in a run without tests.
	if (programs.length === 0) throw new Error(`QUBES_PROGRAMS=${only}: want native or node`);
	return programs;
}
