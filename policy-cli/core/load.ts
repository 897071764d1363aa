import { type Location, PolicyLoadError } from "./errors.ts";
import { describeFileError, isFileError, type PolicyFiles } from "./files.ts";
import { columnOfField } from "./lines.ts";
import { acceptedNames, listLegacy, listTopLevel } from "./list-policy.ts";
import { type Format, type Item, parsePolicy, type ServiceColumns } from "./parse.ts";
import { resolvePath } from "./resolve-path.ts";
import type { Action, Clause, Rule } from "./rule.ts";
import type { Token } from "./token.ts";

/** No policy file is larger; what is, was not written by an administrator. In bytes. */
export const MAX_FILE_BYTES = 16 << 20;
/** Includes below a top-level file (spec 1.6). */
const MAX_DEPTH = 64;
/** Includes of one whole load; files that include each other twice over would take for ever without it. */
const MAX_INCLUDES = 200_000;

/** Where policy is kept: directories in order of precedence, and the directory of `!compat-4.0`. Absolute paths. */
export interface PolicyPlaces {
	readonly dirs: readonly string[];
	readonly legacyDir: string;
}

/** All rules in the order in which they are tried, and what the administrator should know. */
export interface Policy {
	readonly rules: readonly Rule[];
	readonly warnings: readonly string[];
}

/**
 * Loads a policy as a whole: everything or nothing (spec 3).
 * `wanted`: only the rules that a call of this service can meet are returned; null returns all. Errors are found in all of it.
 * Throws PolicyLoadError.
 */
export function loadPolicy(files: PolicyFiles, places: PolicyPlaces, wanted: string | null): Policy {
	try {
		return new Loader(files, places, wanted).load();
	} catch (error) {
		if (!isFileError(error)) throw error;
		throw new PolicyLoadError("load-error", `failed to load the policy: ${describeFileError(error)}`, null);
	}
}

/** A file that is being read, below the ones that include it. */
interface Frame {
	/** How the file is named in rules and errors. */
	readonly path: string;
	/** Whose relative includes start from here. */
	readonly base: string;
	readonly parent: Frame | null;
	readonly depth: number;
}

type Directive = Item & { readonly kind: "include" | "include-dir" | "compat" };

const DENY: Action = { type: "deny", target: null, defaultTarget: null, user: null, notify: true, autostart: true };
const ANYVM: Token = { kind: "anyvm", text: "@anyvm" };
/** What ends each file of the legacy directory that is about one argument. */
const IMPLICIT_DENY = [
	{ source: ANYVM, target: ANYVM, action: DENY, line: null },
	{ source: ANYVM, target: { kind: "adminvm", text: "@adminvm" }, action: DENY, line: null },
] as const;

class Loader {
	private readonly files: PolicyFiles;
	private readonly places: PolicyPlaces;
	private readonly wanted: string | null;
	private readonly rules: Rule[] = [];
	private readonly warnings: string[] = [];
	/** Each file is parsed once for each format, each path resolved once. */
	private readonly parsed = { columns: new Map<string, Item[]>(), service: new Map<string, Item[]>() };
	private readonly links = new Map<string, string | null>();
	private readonly resolved = new Map<string, string>();
	private includes = 0;

	constructor(files: PolicyFiles, places: PolicyPlaces, wanted: string | null) {
		this.files = files;
		this.places = places;
		this.wanted = wanted;
	}

	load(): Policy {
		for (const { dir, name } of listTopLevel(this.files, this.places.dirs)) {
			const frame: Frame = { path: `${dir}/${name}`, base: dir, parent: null, depth: 0 };
			this.follow(this.parse(frame, "columns", null), frame, null);
		}
		return { rules: this.rules, warnings: this.warnings };
	}

	/** Takes the rules of a file into force and follows its directives, line by line. */
	private follow(items: readonly Item[], frame: Frame, of: ServiceColumns | null): void {
		for (let i = 0; i < items.length; i++) {
			const item = items[i] as Item;
			switch (item.kind) {
				case "rule":
					this.addRule(item, item.of ?? (of as ServiceColumns), frame.path);
					break;
				case "include":
					this.include(item, this.resolve(frame, item), frame, item.of ?? of);
					break;
				case "include-dir":
					this.includeDir(item, frame);
					break;
				case "compat":
					this.includeLegacy(item, frame);
					break;
				case "error":
					throw syntaxError(item.message, { file: frame.path, ...item });
			}
		}
	}

	private addRule(clause: Clause & { line: number | null }, of: ServiceColumns, file: string): void {
		const { service, argument } = of;
		if (this.wanted !== null && service !== null && service !== this.wanted) return;
		const { source, target, action, line } = clause;
		this.rules.push({ service, argument, source, target, action, file, line });
	}

	/** `!include` and `!include-service`; also each file of `!include-dir` and `!compat-4.0`. */
	private include(directive: Directive, path: string, parent: Frame, of: ServiceColumns | null, base = parent.base): void {
		this.refuseRecursion(directive, path, parent);
		const frame: Frame = { path, base, parent, depth: parent.depth + 1 };
		this.follow(this.parse(frame, of === null ? "columns" : "service", directive), frame, of);
	}

	private includeDir(directive: Item & { kind: "include-dir" }, frame: Frame): void {
		const dir = this.resolve(frame, directive);
		let names: string[];
		try {
			names = this.files.listFiles(dir);
		} catch (error) {
			throw unreadable(error, dir, "directory", at(frame, directive));
		}
		for (const name of acceptedNames(dir, names)) this.include(directive, `${dir}/${name}`, frame, null);
	}

	/** `!compat-4.0`: each argument's file ends with an implicit deny (spec 2.3). */
	private includeLegacy(directive: Directive, frame: Frame): void {
		const { legacyDir } = this.places;
		this.warnings.push(`${frame.path}:${directive.line}: !compat-4.0 is deprecated: convert the files in ${legacyDir}`);
		for (const { name, of } of listLegacy(this.files, legacyDir)) {
			const path = `${legacyDir}/${name}`;
			this.include(directive, resolvePath(this.files, path, this.links), frame, of, legacyDir);
			if (of.argument !== null) for (const clause of IMPLICIT_DENY) this.addRule(clause, of, path);
		}
	}

	private refuseRecursion(directive: Directive, path: string, parent: Frame): void {
		const canonical = this.canonical(path);
		for (let frame: Frame | null = parent; frame !== null; frame = frame.parent) {
			if (this.canonical(frame.path) !== canonical) continue;
			throw syntaxError(`${path} is being read already: it would include itself`, at(parent, directive));
		}
		if (parent.depth === MAX_DEPTH) {
			throw syntaxError(`more than ${MAX_DEPTH} includes below a policy file`, at(parent, directive));
		}
		this.includes++;
		if (this.includes > MAX_INCLUDES) throw syntaxError(`more than ${MAX_INCLUDES} includes in all`, at(parent, directive));
	}

	/** The canonical path that a directive names; relative ones start from the directory of the top-level file. */
	private resolve(frame: Frame, directive: Directive & { path: string }): string {
		const { path } = directive;
		// What cannot be named cannot be there (Q56).
		const what = directive.kind === "include-dir" ? "directory" : "file";
		if (path.indexOf("\0") >= 0) throw syntaxError(`not a ${what}: ${path}`, at(frame, directive));
		try {
			return this.canonical(path.charAt(0) === "/" ? path : `${frame.base}/${path}`);
		} catch (error) {
			throw unreadable(error, path, what, at(frame, directive));
		}
	}

	private canonical(path: string): string {
		const known = this.resolved.get(path);
		if (known !== undefined) return known;
		const canonical = resolvePath(this.files, path, this.links);
		this.resolved.set(path, canonical);
		return canonical;
	}

	/** Parses a file once; `directive` is what includes it, null for a top-level file. */
	private parse(frame: Frame, format: Format, directive: Directive | null): Item[] {
		const known = this.parsed[format].get(frame.path);
		if (known !== undefined) return known;
		let items: Item[];
		try {
			items = parsePolicy(this.files.readText(frame.path, MAX_FILE_BYTES), format, this.wanted);
		} catch (error) {
			const from = directive === null || frame.parent === null ? null : at(frame.parent, directive);
			throw unreadable(error, frame.path, "file", from);
		}
		this.parsed[format].set(frame.path, items);
		return items;
	}
}

/** Where a directive names its file or directory. */
function at(frame: Frame, directive: Directive): Location {
	const { line, text, field } = directive;
	return { file: frame.path, line, column: columnOfField(text, field), text };
}

function syntaxError(detail: string, at: Location): PolicyLoadError {
	return new PolicyLoadError("syntax-error", detail, at);
}

/** What a file or directory that cannot be read means for the load (spec 1.6, 3.3); `from` is the directive that names it. */
function unreadable(error: unknown, path: string, what: "file" | "directory", from: Location | null): unknown {
	if (!isFileError(error)) return error;
	if (error.code === "EILSEQ") {
		return syntaxError("not valid UTF-8: save the file as UTF-8", { file: path, line: null, column: null, text: null });
	}
	if (from !== null) {
		if (NOTHING_THERE.includes(error.code)) return syntaxError(`not a ${what}: ${path} (${error.code})`, from);
		if (error.code === "ELOOP") return syntaxError(`symbolic links go round in a circle: ${path}`, from);
	}
	return new PolicyLoadError("load-error", `failed to load ${what} ${path}: ${describeFileError(error)}`, from);
}

const NOTHING_THERE = ["ENOENT", "ENOTDIR", "ENOTFILE"];
