import path from "node:path";

/** A program that the end-to-end tests run; `argv` is followed by what a test adds. */
export interface Program {
	readonly name: "native" | "node";
	readonly argv: readonly [string, ...string[]];
}

const BUILT: readonly Program[] = [
	{ name: "native", argv: [path.resolve("dist/bin/qrexec-policy-exec")] },
	{ name: "node", argv: [process.execPath, path.resolve("dist/qrexec-policy-exec.cjs")] },
];

/** The two programs, which must do the same; QUBES_PROGRAMS=node (or native) takes only that one. */
export const PROGRAMS: readonly Program[] = choose(process.env["QUBES_PROGRAMS"]);

function choose(only: string | undefined): readonly Program[] {
	if (only === undefined) return BUILT;
	const programs = BUILT.filter(({ name }) => name === only);
	// A wrong name must not end in a run without tests.
	if (programs.length === 0) throw new Error(`QUBES_PROGRAMS=${only}: want native or node`);
	return programs;
}
