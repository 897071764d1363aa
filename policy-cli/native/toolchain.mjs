// What the native build needs besides our own sources: a C compiler, QuickJS, and a C library to link statically.

import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fetchDebianSource } from "./debian-source.mjs";
import { MissingToolError, run, succeeds } from "./tools.mjs";

const QUICKJS = {
	name: "quickjs",
	version: "2025-04-26",
	tarball: "quickjs_2025.04.26.orig.tar.xz",
	sha256: "ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe",
};
/**
 * glibc asks the processor for its features when a program starts, which in a virtual machine takes as long as reading the policy:
 * musl does not.
 */
const MUSL = {
	name: "musl",
	version: "1.2.5",
	tarball: "musl_1.2.5.orig.tar.gz",
	sha256: "a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4",
};

const TOOLS = ["make", "ar", "objcopy", "tar", "xz"];
const HOW_TO_INSTALL = "install gcc or clang, binutils, make and xz (Debian: apt-get install build-essential xz-utils)";

const QUICKJS_SOURCES = ["quickjs.c", "libregexp.c", "libunicode.c", "cutils.c", "dtoa.c"];
const QUICKJS_FLAGS = ["-O2", "-fwrapv", "-fno-pie", "-ffunction-sections", "-fdata-sections", "-D_GNU_SOURCE"];
/** Where distributions put `libquickjs.a`; QUICKJS_DIR comes first, with `quickjs.h` beside it. */
const SYSTEM_QUICKJS = [
	[
		"/usr/include/quickjs",
		["/usr/lib/quickjs", `/usr/lib/${os.machine()}-linux-gnu/quickjs`, "/usr/lib64/quickjs", "/usr/lib64"],
	],
	["/usr/local/include/quickjs", ["/usr/local/lib/quickjs", "/usr/local/lib"]],
];

/**
 * Finds or makes all that is needed, and keeps what it makes below `cacheDir`.
 * Returns `cc` (the compiler), `quickjs` ({ include, library }) and `about` (one line). With `sanitize`, QuickJS is made with AddressSanitizer and
 * for the system's C library, which the sanitizers want. Throws MissingToolError.
 */
export function prepareToolchain(cacheDir, sanitize) {
	const compiler = findCompiler();
	const system = sanitize ? null : findSystemQuickjs();
	if (system !== null) return { cc: compiler, quickjs: system, about: `QuickJS of the system (${system.library})` };
	const cc = sanitize ? compiler : makeMusl(cacheDir, compiler);
	const flags = sanitize ? [...QUICKJS_FLAGS, "-fsanitize=address"] : QUICKJS_FLAGS;
	const quickjs = makeQuickjs(cacheDir, cc, flags);
	return { cc, quickjs, about: `QuickJS ${QUICKJS.version}, ${sanitize ? "AddressSanitizer" : `musl ${MUSL.version}`}` };
}

/** A compiler that works, with all else that a build runs. */
function findCompiler() {
	const found = [process.env.CC, "gcc", "clang"].find((name) => name && succeeds(name, ["--version"]));
	if (found === undefined) throw new MissingToolError(`there is no C compiler: ${HOW_TO_INSTALL}`);
	const missing = TOOLS.filter((name) => !succeeds(name, ["--version"]));
	if (missing.length > 0) throw new MissingToolError(`missing: ${missing.join(", ")}: ${HOW_TO_INSTALL}`);
	const compiles = succeeds(found, ["-x", "c", "-fsyntax-only", "-"], "#include <stdio.h>\n");
	if (!compiles) throw new MissingToolError(`${found} has no headers of a C library: ${HOW_TO_INSTALL}`);
	return found;
}

function findSystemQuickjs() {
	const candidates = SYSTEM_QUICKJS.flatMap(([include, dirs]) => dirs.map((dir) => [include, dir]));
	if (process.env.QUICKJS_DIR) candidates.unshift([process.env.QUICKJS_DIR, process.env.QUICKJS_DIR]);
	for (const [include, dir] of candidates) {
		const library = path.join(dir, "libquickjs.a");
		if (fs.existsSync(library) && hasOurInterface(path.join(include, "quickjs.h"))) return { include, library };
	}
	return null;
}

/** Whether a header is that of a QuickJS our C files are written for: old ones and quickjs-ng have another interface. */
function hasOurInterface(header) {
	return fs.existsSync(header) && /\bJS_SetStripInfo\b/.test(fs.readFileSync(header, "utf8"));
}

/** musl as a static library; returns the wrapper of the compiler that uses it. */
function makeMusl(cacheDir, compiler) {
	const home = made(cacheDir, MUSL, [compiler, version(compiler)], (source, out) => {
		const flags = "-O2 -ffunction-sections -fdata-sections";
		run("./configure", ["--disable-shared", `--prefix=${out}`, `CC=${compiler}`, `CFLAGS=${flags}`], { cwd: source });
		// An earlier build may have used another compiler.
		run("make", ["clean"], { cwd: source });
		run("make", [`-j${os.availableParallelism()}`, "install"], { cwd: source });
	});
	const wrapper = ["musl-gcc", "musl-clang"].map((name) => path.join(home, "bin", name)).find((name) => fs.existsSync(name));
	if (wrapper === undefined) throw new Error(`musl was built without a wrapper for ${compiler}`);
	return wrapper;
}

function makeQuickjs(cacheDir, cc, flags) {
	const home = made(cacheDir, QUICKJS, [cc, version(cc), ...flags], (source, out) => {
		fs.mkdirSync(out, { recursive: true });
		const objects = QUICKJS_SOURCES.map((name) => path.join(out, name.replace(/c$/, "o")));
		for (const [index, name] of QUICKJS_SOURCES.entries()) {
			run(cc, [...flags, `-DCONFIG_VERSION="${QUICKJS.version}"`, "-c", name, "-o", objects[index]], { cwd: source });
		}
		run("ar", ["rcsD", path.join(out, "libquickjs.a"), ...objects]);
		fs.copyFileSync(path.join(source, "quickjs.h"), path.join(out, "quickjs.h"));
	});
	return { include: home, library: path.join(home, "libquickjs.a") };
}

/** The folder of something that is made from a source, by `make(source, out)`; made once for each `recipe`. */
function made(cacheDir, pinned, recipe, make) {
	const key = createHash("sha256")
		.update(JSON.stringify([pinned, recipe]))
		.digest("hex")
		.slice(0, 12);
	const out = path.join(cacheDir, `${pinned.name}-${pinned.version}-${key}`);
	const done = path.join(out, ".done");
	if (fs.existsSync(done)) return out;
	console.log(`building ${pinned.name} ${pinned.version} (once, half a minute)`);
	fs.mkdirSync(cacheDir, { recursive: true });
	const source = path.join(cacheDir, `${pinned.name}-${pinned.version}-source`);
	if (!fs.existsSync(source)) fetchDebianSource(pinned, source);
	fs.rmSync(out, { recursive: true, force: true });
	make(source, out);
	fs.writeFileSync(done, "");
	return out;
}

function version(program) {
	return run(program, ["--version"]).toString().split("\n")[0];
}
