// Builds dist/: one list of steps, the same bytes each time. See ARCHITECTURE.md, "From source to executable".
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import ts from "typescript";
import { buildNative, MissingToolError } from "./policy-cli/native/build-native.mjs";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");
const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
/** QuickJS and its objects are kept here between builds. */
const cacheDir = process.env.QUBES_BUILD_CACHE ?? path.join(root, "node_modules", ".cache", "quickjs");

/** What can be built: `node build.mjs [VARIANT…]`; tests use the last two, see policy-cli/native/README.md. */
const VARIANTS = {
	release: "bin/qrexec-policy-exec",
	sanitize: "test/qrexec-policy-exec-asan",
	faults: "test/qrexec-policy-exec-faults",
};

/** What works on a store itself, and the commands, which speak to the socket. */
const PROGRAMS = ["qubesd", "qubes-create"];
const COMMANDS = fs.readdirSync(path.join(root, "admin-core/tools/entries")).map((file) => path.basename(file, ".ts"));
/** How many file operations qubesd has under way at once. With Node's four, all wait where a few wait for the disk (storage-reflink/lanes.ts). */
const FILE_WORKERS = 16;

const variants = process.argv.length > 2 ? process.argv.slice(2) : ["release"];
const unknown = variants.find((name) => VARIANTS[name] === undefined);
if (unknown !== undefined) {
	console.error(`no variant "${unknown}": want ${Object.keys(VARIANTS).join(", ")}`);
	process.exit(2);
}
writeWhole("qrexec-policy-exec.cjs", await bundleForNode("policy-cli/exec/entry-node.ts"));
writeWhole("build/exec.quickjs.js", await bundleForQuickjs("policy-cli/exec/entry-quickjs.ts"));
await buildAdminCore();
for (const variant of variants) await buildExecutable(variant, VARIANTS[variant]);
for (const name of ["qrexec-policy-exec.cjs", ...variants.map((variant) => VARIANTS[variant])]) {
	console.log(`dist/${name}  ${fs.statSync(path.join(dist, name)).size.toLocaleString("en")} bytes`);
}

async function bundleForNode(entry) {
	const { outputFiles } = await build({ ...bundleOptions(entry), platform: "node", target: "node20", format: "cjs" });
	return outputFiles[0].text;
}

/**
 * QuickJS checks each read of a `let` or `const` and calls iterators for each `for…of`, which makes them twice as slow as
 * `var` and an index: so the bundle is brought down to ES5 first. tsconfig.quickjs.json checks that this changes no meaning.
 */
async function bundleForQuickjs(entry) {
	const { outputFiles } = await build({ ...bundleOptions(entry), platform: "neutral", target: "es2022", format: "iife" });
	const es5 = ts.transpileModule(outputFiles[0].text, { compilerOptions: { target: ts.ScriptTarget.ES5, removeComments: true } });
	const { code } = await transform(es5.outputText, { minify: true, target: "es5", charset: "utf8" });
	return code;
}

/** qubesd, its commands and its plugins, each a bundle of its own; plugins are loaded by require, so they are CommonJS. */
async function buildAdminCore() {
	for (const name of [...PROGRAMS, ...COMMANDS]) {
		const entry = PROGRAMS.includes(name) ? `admin-core/${name}.ts` : `admin-core/tools/entries/${name}.ts`;
		const banner = {
			js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
		};
		const { outputFiles } = await build({ ...bundleOptions(entry), platform: "node", target: "node20", format: "esm", banner });
		writeWhole(`lib/${name}.mjs`, outputFiles[0].text);
		writeWhole(`bin/${name}`, launcher(`lib/${name}.mjs`, name === "qubesd" ? `UV_THREADPOOL_SIZE=${FILE_WORKERS} ` : ""), 0o755);
	}
	for (const folder of pluginFolders()) {
		const manifest = JSON.parse(fs.readFileSync(path.join(root, folder, "manifest.json"), "utf8"));
		const name = path.basename(folder);
		writeWhole(`lib/plugins/${name}/manifest.json`, `${JSON.stringify({ ...manifest, module: "./index.cjs" })}\n`);
		writeWhole(`lib/plugins/${name}/index.cjs`, await bundleForNode(`${folder}/index.ts`));
	}
}

function pluginFolders() {
	const own = fs.readdirSync(path.join(root, "admin-core/plugins")).map((name) => `admin-core/plugins/${name}`);
	return [...own, "storage-reflink"];
}

/** A program that runs a file of dist/ on Node, also through a link. */
function launcher(file, settings = "") {
	return `#!/bin/sh\n${settings}exec node "$(dirname "$(readlink -f "$0")")/../${file}" "$@"\n`;
}

function bundleOptions(entry) {
	const define = { QUBES_CORE_VERSION: JSON.stringify(version) };
	return { entryPoints: [path.join(root, entry)], bundle: true, write: false, define, logLevel: "warning", charset: "utf8" };
}

/** Without compiler or QuickJS a launcher of the Node bundle takes the place of the release executable. */
async function buildExecutable(variant, name) {
	try {
		const outFile = path.join(dist, name);
		fs.mkdirSync(path.dirname(outFile), { recursive: true });
		await buildNative({ script: path.join(dist, "build/exec.quickjs.js"), outFile, cacheDir, variant });
	} catch (error) {
		if (!(error instanceof MissingToolError)) throw error;
		if (variant !== "release") {
			console.error(`cannot build dist/${name}, which the tests need: ${error.message}`);
			process.exit(1);
		}
		console.warn(`no native executable: ${error.message}\ndist/${name} starts the Node bundle instead, which is much slower`);
		writeWhole(name, launcher("qrexec-policy-exec.cjs"), 0o755);
	}
}

/** Writes a file of dist/ under another name first, so that nobody ever runs half of it. */
function writeWhole(name, text, mode = 0o644) {
	const file = path.join(dist, name);
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(`${file}.new`, text, { mode });
	fs.renameSync(`${file}.new`, file);
}
