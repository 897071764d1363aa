// From the bundled script to the executable: see README.md in this folder.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { prepareToolchain } from "./toolchain.mjs";
import { run } from "./tools.mjs";

export { MissingToolError } from "./tools.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const SOURCES = [
	"main",
	"heap",
	"memory",
	"text",
	"rows",
	"errno_name",
	"json",
	"host",
	"host_files",
	"host_sockets",
	"host_run",
	"last_words",
];
const WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"];
const FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-fno-pie", "-no-pie", "-ffunction-sections", "-fdata-sections", ...WARNINGS];
const STATIC = [
	"-O2",
	"-fstack-protector-strong",
	"-static",
	"-s",
	"-Wl,--gc-sections",
	"-Wl,--build-id=none",
	"-Wl,-z,noexecstack",
];
const SANITIZERS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DWITHOUT_IMAGE"];
/** What faults.c stands in front of. */
const WRAPPED = ["open", "fstat", "read", "opendir", "readdir", "fstatat", "readlink", "socket", "connect", "send", "sendto"];
WRAPPED.push("shutdown", "poll", "pipe2", "fork", "execve", "waitpid", "write", "setitimer");

const VARIANTS = {
	release: { flags: STATIC, sources: SOURCES, image: true },
	/** For tests: the sanitizers want the C library of the system and a heap of their own. */
	sanitize: { flags: SANITIZERS, sources: SOURCES, image: false },
	/** For tests: calls of the system fail on demand. */
	faults: { flags: [...STATIC, ...WRAPPED.map((name) => `-Wl,--wrap=${name}`)], sources: [...SOURCES, "faults"], image: true },
};

/**
 * Builds the executable `outFile` from a script that defines the global function `qrexecMain` (main.c).
 * `variant`: release, sanitize or faults. Throws MissingToolError, which says what to install; other errors are those of a failed step.
 */
export function buildNative({ script, outFile, cacheDir, variant }) {
	const { flags, sources, image } = VARIANTS[variant];
	const { cc, quickjs, about } = prepareToolchain(cacheDir, variant === "sanitize");
	const work = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-native-"));
	const compile = (names, more, out) => {
		const files = names.map((name) => path.join(here, `${name}.c`));
		run(cc, [...FLAGS, ...more, "-isystem", quickjs.include, "-I.", "-o", out, ...files, quickjs.library, "-lm"], { cwd: work });
	};
	try {
		compile(["compile"], variant === "sanitize" ? ["-fsanitize=address"] : ["-static"], "compile");
		const bytecode = run(path.join(work, "compile"), [], { input: fs.readFileSync(script), env: NO_LEAKS });
		fs.writeFileSync(path.join(work, "program.bytecode"), bytecode);
		compile(sources, flags, "program");
		if (image) {
			fs.writeFileSync(path.join(work, "heap"), run(path.join(work, "program"), []));
			run("objcopy", ["--update-section", ".heap=heap", "program"], { cwd: work });
		}
		fs.copyFileSync(path.join(work, "program"), `${outFile}.new`);
		fs.renameSync(`${outFile}.new`, outFile);
	} finally {
		fs.rmSync(work, { recursive: true, force: true });
	}
	console.log(`${path.basename(outFile)}: ${about}`);
}

/** Neither of our programs frees what it is about to lose. */
const NO_LEAKS = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
