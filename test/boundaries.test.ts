// Who may import whom, what is in the bundles, and how long a file may be.
import fs from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import test from "ava";
import ts from "typescript";
import { REASONS } from "../policy-cli/core/reasons.ts";

const MAX_LINES = 300;
const WINGS = ["policy-cli", "admin-core", "storage-reflink"];

interface Import {
	readonly file: string;
	/** The folder or package: `policy-cli/core`, `node:fs`, `yargs`. */
	readonly from: string;
	/** The file that is named, from the root of the repository; null for a package. */
	readonly target: string | null;
	readonly isType: boolean;
}

test("core imports nothing but files of core", (t) => {
	t.deepEqual(
		importsOf("policy-cli/core").filter(({ from }) => from !== "policy-cli/core"),
		[],
	);
});

test("core names no global of Node and loads nothing while it runs", (t) => {
	for (const file of filesOf("policy-cli/core")) {
		const names = identifiersOf(file).filter((name) => NODE_GLOBALS.includes(name));
		t.deepEqual(names, [], file);
	}
});

const NODE_GLOBALS = [
	"process",
	"Buffer",
	"require",
	"global",
	"globalThis",
	"setTimeout",
	"setImmediate",
	"queueMicrotask",
	"console",
	"fetch",
].concat(["__dirname", "__filename", "TextDecoder", "TextEncoder", "URL", "performance", "structuredClone"]);

test("exec imports only core, exec, and of the host its types; only the entry for Node more", (t) => {
	const allowed = ({ from, isType, file }: Import): boolean =>
		from === "policy-cli/core" ||
		from === "policy-cli/exec" ||
		(from === "policy-cli/host" && (isType || file === "policy-cli/exec/entry-node.ts")) ||
		(from === "node:worker_threads" && file === "policy-cli/exec/entry-node.ts");
	t.deepEqual(
		importsOf("policy-cli/exec").filter((one) => !allowed(one)),
		[],
	);
});

test("host imports only core, host and modules of Node", (t) => {
	const allowed = ({ from }: Import): boolean =>
		from === "policy-cli/core" || from === "policy-cli/host" || from.startsWith("node:");
	t.deepEqual(
		importsOf("policy-cli/host").filter((one) => !allowed(one)),
		[],
	);
});

test("no wing imports another, but storage-reflink the types of admin-core's contract with storage drivers", (t) => {
	const imports = WINGS.flatMap(importsOf);
	t.true(imports.length > 50);
	const isForeign = ({ file, target }: Import): boolean =>
		target !== null && wingOf(target) !== null && wingOf(target) !== wingOf(file);
	const isStorageType = ({ file, target, isType }: Import): boolean =>
		isType && wingOf(file) === "storage-reflink" && target === "admin-core/model/storage/contract.ts";
	t.deepEqual(
		imports.filter((one) => isForeign(one) && !isStorageType(one)),
		[],
	);
});

/** What each room of admin-core may import besides itself, log.ts and modules of Node. */
const ROOMS: { readonly [room: string]: readonly string[] } = {
	model: [],
	store: ["saxes"],
	host: ["model"],
	api: ["host", "model"],
	// saxes for firewall.xml, which is no business of the store.
	plugins: ["host", "model", "saxes"],
	system: ["api", "host", "model", "store"],
	tools: ["yargs", "minimatch"],
};
for (const [room, others] of Object.entries(ROOMS)) {
	test(`admin-core/${room} imports only ${["itself", ...others].join(", ")}`, (t) => {
		const imports = importsOf(`admin-core/${room}`);
		t.true(imports.length > 0);
		const allowed = ({ from, target }: Import): boolean => {
			if (target === null) return from.startsWith("node:") || others.includes(from);
			return target === "admin-core/log.ts" || [room, ...others].some((name) => target.startsWith(`admin-core/${name}/`));
		};
		t.deepEqual(
			imports.filter((one) => !allowed(one)),
			[],
		);
	});
}

test("plugins import of the host its types only: they are bundled on their own", (t) => {
	const values = importsOf("admin-core/plugins").filter(
		({ target, isType }) => target?.startsWith("admin-core/host/") && !isType,
	);
	t.deepEqual(values, []);
});

for (const file of ["dist/build/exec.quickjs.js", "dist/qrexec-policy-exec.cjs"]) {
	test(`${file} has neither yargs nor minimatch in it and needs only modules of Node`, (t) => {
		const text = fs.readFileSync(file, "utf8");
		t.true(text.length > 10_000);
		t.notRegex(text, /yargs|minimatch/i);
		const required = [...text.matchAll(/\b(?:require|import)\(\s*["'`]([^"'`]*)["'`]\s*\)/g)].map(([, name]) => name as string);
		t.deepEqual(
			required.filter((name) => !builtinModules.includes(name.replace(/^node:/, ""))),
			[],
		);
		t.is(required.length > 0, file.endsWith(".cjs"), "only the bundle for Node loads something");
	});
}

test(`no file of the wings is over ${MAX_LINES} lines`, (t) => {
	const files = WINGS.flatMap(allFilesOf);
	t.true(files.length > 40);
	const long = files.map((file) => ({ file, lines: fs.readFileSync(file, "utf8").split("\n").length - 1 }));
	t.deepEqual(
		long.filter(({ lines }) => lines > MAX_LINES),
		[],
	);
});

test("each reason for a denial stands in some test", (t) => {
	const text = allFilesOf("test")
		.filter((file) => file.endsWith(".ts") && !/boundaries|docs\.test/.test(file))
		.map((file) => fs.readFileSync(file, "utf8"))
		.join("\n");
	t.deepEqual(
		REASONS.filter((reason) => !new RegExp(`(?<![\\w-])${reason}(?![\\w-])`).test(text)),
		[],
	);
});

function allFilesOf(folder: string): string[] {
	const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
	return names.map((name) => path.join(folder, name)).filter((file) => fs.statSync(file).isFile());
}

/** The files with code in JavaScript or TypeScript. */
function filesOf(folder: string): string[] {
	return allFilesOf(folder).filter((file) => /\.(ts|mjs|cjs|js)$/.test(file));
}

function importsOf(folder: string): Import[] {
	return filesOf(folder).flatMap((file) => {
		const found: Import[] = [];
		const add = (specifier: ts.Node | undefined, isType: boolean): void => {
			if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push(describe(file, specifier.text, isType));
			else if (specifier !== undefined) found.push({ file, from: "(not a constant)", target: null, isType });
		};
		visit(file, (node) => {
			if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
			if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
			if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
			if (ts.isCallExpression(node) && isLoading(node.expression)) add(node.arguments[0], false);
		});
		return found;
	});
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
	if (clause === undefined) return false;
	if (clause.isTypeOnly) return true;
	const { name, namedBindings } = clause;
	return (
		name === undefined &&
		namedBindings !== undefined &&
		ts.isNamedImports(namedBindings) &&
		namedBindings.elements.every((one) => one.isTypeOnly)
	);
}

function isLoading(callee: ts.Expression): boolean {
	return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require");
}

function describe(file: string, specifier: string, isType: boolean): Import {
	if (!specifier.startsWith(".")) return { file, from: specifier, target: null, isType };
	const target = path.join(path.dirname(file), specifier);
	return { file, from: path.dirname(target), target, isType };
}

function wingOf(file: string): string | null {
	return WINGS.find((wing) => file.startsWith(`${wing}/`)) ?? null;
}

/** Names that stand for themselves: not those behind a dot or in front of a colon. */
function identifiersOf(file: string): string[] {
	const names: string[] = [];
	visit(file, (node) => {
		if (!ts.isIdentifier(node)) return;
		const { parent } = node;
		const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
		const isKey = (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
		if (!isMember && !isKey) names.push(node.text);
	});
	return names;
}

function visit(file: string, look: (node: ts.Node) => void): void {
	const walk = (node: ts.Node): void => {
		look(node);
		ts.forEachChild(node, walk);
	};
	walk(ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true));
}
