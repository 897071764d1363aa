// Puts a case to the core, in this process.
import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { splitService } from "../../../policy-cli/core/call.ts";
import { DataError, formatCaret, type Location, PolicyLoadError } from "../../../policy-cli/core/errors.ts";
import { splitLines } from "../../../policy-cli/core/lines.ts";
import { loadPolicy } from "../../../policy-cli/core/load.ts";
import { SystemInfo } from "../../../policy-cli/core/system-info.ts";
import { parseJson } from "../../../policy-cli/host/node-json.ts";
import { type Judgement, judge } from "../core/fixtures.ts";
import { MemoryFiles, type Node } from "../core/memory-files.ts";
import type { FuzzCase } from "./mutate.ts";

/** No case takes as long, in milliseconds. */
const PATIENCE = 20_000;

const TOO_MANY = "more than 200000 includes in all";

/** A file system without the quick way. */
class ExactFiles extends MemoryFiles {
	override readRows(): null {
		return null;
	}
}

/** What came of a case: a judgement, or why there can be none. */
type Result = Judgement | { readonly loadError: PolicyLoadError } | { readonly dataError: string };

/** What is wrong with the way a case ends; null if nothing is. Anything that is thrown is a failure too. */
export function checkCase(made: FuzzCase): string | null {
	const tree = makeTree(made);
	const start = performance.now();
	const files = new MemoryFiles(tree);
	const { service } = splitService(made.service);
	const quick = resultOf(files, made, service);
	if ("loadError" in quick) {
		const wrong = checkLoadError(quick.loadError, files);
		if (wrong !== null) return wrong;
	}
	if (!isSame(quick, resultOf(new ExactFiles(tree), made, service)))
		return "the quick way says something else than the exact one";
	if (!isSame(quick, resultOf(files, made, null))) return "with the rules of all services it says something else";
	const took = performance.now() - start;
	return took < PATIENCE ? null : `it takes ${took} ms`;
}

function makeTree({ files, links }: FuzzCase): { [path: string]: Node } {
	const tree: { [path: string]: Node } = { "/p1": "<dir>", "/p2": "<dir>", "/old": "<dir>" };
	for (const [name, text] of Object.entries(files)) {
		const bytes = Buffer.from(text.replaceAll("%{ROOT}", ""), "latin1");
		tree[showName(name)] = isUtf8(bytes) ? bytes.toString() : "<not utf-8>";
	}
	for (const [name, link] of Object.entries(links)) tree[name] = { link: link.replaceAll("%{ROOT}", "") };
	return tree;
}

/** As the host names a file whose name is not UTF-8. */
function showName(name: string): string {
	const bytes = Buffer.from(name, "latin1");
	if (isUtf8(bytes)) return bytes.toString();
	return name.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

function resultOf(files: MemoryFiles, made: FuzzCase, wanted: string | null): Result {
	const { source, target, requestedSource } = made;
	try {
		const { rules } = loadPolicy(files, { dirs: ["/p1", "/p2"], legacyDir: "/old" }, wanted);
		const bytes = Buffer.from(made.systemInfo, "latin1");
		const system = SystemInfo.from(parseJson(bytes.toString()));
		return judge(rules, { source, target, requestedSource, ...splitService(made.service) }, system);
	} catch (error) {
		if (error instanceof PolicyLoadError) return { loadError: error };
		if (error instanceof DataError) return { dataError: error.message };
		throw error;
	}
}

function isSame(a: Result, b: Result): boolean {
	if (!("loadError" in a && "loadError" in b)) return isDeepStrictEqual(a, b);
	// The quick way leaves out includes that say nothing new, so it comes to this limit later.
	if (a.loadError.detail === TOO_MANY && b.loadError.detail === TOO_MANY) return true;
	return a.loadError.message === b.loadError.message && isDeepStrictEqual(a.loadError.at, b.loadError.at);
}

/** An error tells where it is: a syntax error in which line and column. */
function checkLoadError({ reason, message, at }: PolicyLoadError, files: MemoryFiles): string | null {
	if (message === "") return "an error without a message";
	if (reason === "load-error") return null;
	if (at === null) return `${reason} without a place: ${message}`;
	formatCaret(at);
	return reason === "syntax-error" ? checkPlace(at, files) : null;
}

function checkPlace(at: Location, files: MemoryFiles): string | null {
	const { file, line, column } = at;
	if (line === null) {
		// Only where the file as a whole is bad.
		try {
			files.readText(file, 1 << 30);
		} catch {
			return null;
		}
		return `a syntax error of ${file} without a line`;
	}
	const text = splitLines(files.readText(file, 1 << 30))[line - 1];
	if (text === undefined) return `${file} has no line ${line}`;
	if (at.text !== text) return `${file}:${line} does not read so`;
	if (column === null || column < 1 || column > text.length + 1) return `${file}:${line} has no column ${column}`;
	return null;
}
