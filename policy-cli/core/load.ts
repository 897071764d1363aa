import { type Location, PolicyLoadError } from "./errors.ts";
import { describeFileError, isFileError, type PolicyFiles } from "./files.ts";
import { countCharacters, splitLines } from "./lines.ts";
import { acceptedNames, listLegacy, listTopLevel } from "./list-policy.ts";
import { PLAIN } from "./parse-action.ts";
import type { Item, ServiceColumns } from "./parse-line.ts";
import { RowParser } from "./parse-rows.ts";
import { type Format, locateField, parseText } from "./parse-text.ts";
import { PathResolver } from "./resolve-path.ts";
import type { Clause, Rule } from "./rule.ts";
import type { Token } from "./token.ts";

/** No policy file is larger; what is, was not written by an administrator. In bytes. */
export const MAX_FILE_BYTES = 4 << 20;
/** Includes below a top-level file (spec 1.6). */
const MAX_DEPTH = 64;
/** Includes that are followed in one whole load; files that include each other twice over would take for ever without it. */
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

/** A policy file that was read. */
interface ParsedFile {
	readonly format: Format;
	readonly items: readonly Item[];
	/** Null where only its rows were read. */
	readonly text: string | null;
}

/** A file that is being read, below the ones that include it. */
interface Frame {
	/** How the file is named in rules and errors. */
	readonly path: string;
	/** Whose relative includes start from here. */
	readonly base: string;
	readonly parent: Frame | null;
	readonly depth: number;
	readonly parsed: ParsedFile;
}

type Directive = Item & { readonly kind: "include" | "include-dir" | "compat" };

const ANYVM: Token = { kind: "anyvm", text: "@anyvm" };
/** What ends each file of the legacy directory that is about one argument. */
const IMPLICIT_DENY = [
	{ source: ANYVM, target: ANYVM, action: PLAIN.deny, line: null },
	{ source: ANYVM, target: { kind: "adminvm", text: "@adminvm" }, action: PLAIN.deny, line: null },
] as const;

class Loader {
	private readonly files: PolicyFiles;
	private readonly places: PolicyPlaces;
	private readonly wanted: string | null;
	private readonly rules: Rule[] = [];
	private readonly warnings: string[] = [];
	/** Each file is parsed once for each format, each path resolved once. */
	private readonly parsed = { columns: new Map<string, ParsedFile>(), service: new Map<string, ParsedFile>() };
	private readonly rowParser = new RowParser();
	private readonly paths: PathResolver;
	private includes = 0;

	constructor(files: PolicyFiles, places: PolicyPlaces, wanted: string | null) {
		this.files = files;
		this.paths = new PathResolver(files);
		this.places = places;
		this.wanted = wanted;
	}

	load(): Policy {
		for (const { dir, name } of listTopLevel(this.files, this.places.dirs)) {
			const path = `${dir}/${name}`;
			this.follow({ path, base: dir, parent: null, depth: 0, parsed: this.parse(path, "columns", null) }, null);
		}
		return { rules: this.rules, warnings: this.warnings };
	}

	/** Takes the rules of a file into force and follows its directives, line by line. */
	private follow(frame: Frame, of: ServiceColumns | null): void {
		const { items } = frame.parsed;
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
					throw syntaxError(item.message, this.at(frame, item, item.offset));
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
		const parsed = this.parse(path, of === null ? "columns" : "service", () => this.at(parent, directive));
		this.follow({ path, base, parent, depth: parent.depth + 1, parsed }, of);
	}

	/** The files are opened in their order, so an error in one comes before that a later one would go round (spec 1.6). */
	private includeDir(directive: Item & { kind: "include-dir" }, frame: Frame): void {
		const dir = this.resolve(frame, directive);
		let names: string[];
		try {
			names = this.files.listFiles(dir);
		} catch (error) {
			throw unreadable(error, dir, "directory", this.at(frame, directive));
		}
		for (const name of acceptedNames(dir, names)) this.include(directive, `${dir}/${name}`, frame, null);
	}

	/** `!compat-4.0`: each argument's file ends with an implicit deny (spec 2.3). */
	private includeLegacy(directive: Directive, frame: Frame): void {
		const { legacyDir } = this.places;
		this.warnings.push(`${frame.path}:${directive.line}: !compat-4.0 is deprecated: convert the files in ${legacyDir}`);
		for (const { name, of } of listLegacy(this.files, legacyDir)) {
			const path = `${legacyDir}/${name}`;
			this.include(directive, this.paths.resolve(path), frame, of, legacyDir);
			if (of.argument !== null) for (const clause of IMPLICIT_DENY) this.addRule(clause, of, path);
		}
	}

	private refuseRecursion(directive: Directive, path: string, parent: Frame): void {
		const canonical = this.paths.resolve(path);
		for (let frame: Frame | null = parent; frame !== null; frame = frame.parent) {
			if (this.paths.resolve(frame.path) !== canonical) continue;
			throw syntaxError(`${path} is being read already: it would include itself`, this.at(parent, directive));
		}
		if (parent.depth === MAX_DEPTH) {
			throw syntaxError(`more than ${MAX_DEPTH} includes below a policy file`, this.at(parent, directive));
		}
		this.includes++;
		if (this.includes > MAX_INCLUDES) throw syntaxError(`more than ${MAX_INCLUDES} includes in all`, this.at(parent, directive));
	}

	/** The canonical path that a directive names; relative ones start from the directory of the top-level file. */
	private resolve(frame: Frame, directive: Directive & { path: string }): string {
		const { path, kind } = directive;
		const what = kind === "include-dir" ? "directory" : "file";
		// What cannot be named cannot be there (Q56).
		if (path.indexOf("\0") >= 0) throw syntaxError(`not a ${what}: ${path}`, this.at(frame, directive));
		try {
			return this.paths.resolve(path.charAt(0) === "/" ? path : `${frame.base}/${path}`);
		} catch (error) {
			throw unreadable(error, path, what, this.at(frame, directive));
		}
	}

	/** Parses a file once; `from` tells where the directive is that includes it, null for a top-level file. */
	private parse(path: string, format: Format, from: (() => Location) | null): ParsedFile {
		const known = this.parsed[format].get(path);
		if (known !== undefined) return known;
		try {
			const parsed = this.readRows(path, format) ?? this.readExactly(path, format);
			this.parsed[format].set(path, parsed);
			return parsed;
		} catch (error) {
			throw unreadable(error, path, "file", from === null ? null : from());
		}
	}

	/** Reads a plain file without errors; null for every other one. */
	private readRows(path: string, format: Format): ParsedFile | null {
		const rows = this.files.readRows(path, MAX_FILE_BYTES);
		if (rows === null) return null;
		const { rowParser, wanted } = this;
		const items = format === "columns" ? rowParser.parseColumns(rows, wanted) : rowParser.parseService(rows);
		return items === null ? null : { format, items, text: null };
	}

	private readExactly(path: string, format: Format): ParsedFile {
		const text = this.files.readText(path, MAX_FILE_BYTES);
		return { format, items: parseText(text, format, this.wanted), text };
	}

	/** Where an item of a file names what is wrong with it. */
	private at({ path, parsed }: Frame, { line, field }: { line: number; field: number }, offset = 0): Location {
		const { format } = parsed;
		const lines = splitLines(parsed.text ?? this.files.readText(path, MAX_FILE_BYTES));
		const text = lines[line - 1] ?? "";
		const column = countCharacters(text, locateField(text, format, field) - 1 + offset) + 1;
		return { file: path, line, column, text };
	}
}

function syntaxError(detail: string, at: Location): PolicyLoadError {
	return new PolicyLoadError("syntax-error", detail, at);
}

/** What a file or directory that cannot be read means for the load (spec 1.6, 3.3); `from` is the directive that names it. */
function unreadable(error: unknown, path: string, what: "file" | "directory", from: Location | null): unknown {
	if (!isFileError(error)) return error;
	if (error.code === "EILSEQ" && error.operation === "read") {
		return syntaxError("not valid UTF-8: save the file as UTF-8", { file: path, line: null, column: null, text: null });
	}
	if (from !== null) {
		if (NOTHING_THERE.includes(error.code)) return syntaxError(`not a ${what}: ${path} (${error.code})`, from);
		if (error.code === "ELOOP") return syntaxError(`symbolic links go round in a circle: ${path}`, from);
	}
	return new PolicyLoadError("load-error", `failed to load ${what} ${path}: ${describeFileError(error)}`, from);
}

/** Also what cannot be opened because it is a socket (ENXIO) or a device without a driver. */
const NOTHING_THERE = ["ENOENT", "ENOTDIR", "ENOTFILE", "ENXIO", "ENODEV"];
