import { findOutside, isRpcCode, isServiceText } from "./charset.ts";
import { PolicyLoadError } from "./errors.ts";
import { describeFileError, isFileError, type PolicyFiles } from "./files.ts";
import type { ServiceColumns } from "./parse-line.ts";

/** A top-level policy file: the directory it was listed in, and its name there. */
export interface PolicyFile {
	readonly dir: string;
	readonly name: string;
}

/**
 * The policy files of directories in load order (spec 3.1): sorted by name; a name in an earlier directory hides the same name
 * in the later ones. Throws PolicyLoadError (`load-error`, `invalid-filename`).
 */
export function listTopLevel(files: PolicyFiles, dirs: readonly string[]): PolicyFile[] {
	const found: PolicyFile[] = [];
	const seen = new Set<string>();
	for (const dir of dirs) {
		for (const name of acceptedNames(dir, listOrFail(files, dir))) {
			if (seen.has(name)) continue;
			seen.add(name);
			found.push({ dir, name });
		}
	}
	return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Those of the names in a directory that are policy files, sorted (spec 3.2): `*.policy`, not hidden.
 * Throws PolicyLoadError (`invalid-filename`) for one with other characters than `0-9 a-z _ . -`.
 */
export function acceptedNames(dir: string, names: readonly string[]): string[] {
	const accepted = names.filter((name) => name.endsWith(".policy") && name.charAt(0) !== ".").sort((a, b) => (a < b ? -1 : 1));
	for (const name of accepted) {
		if (isServiceText(name) && name === name.toLowerCase()) continue;
		const hint = "a policy file is named with 0-9 a-z _ . - only: rename or remove it";
		throw new PolicyLoadError("invalid-filename", `invalid filename: ${hint}`, {
			file: `${dir}/${name}`,
			line: null,
			column: null,
			text: null,
		});
	}
	return accepted;
}

/** A file of the legacy directory and the calls it is about. */
export interface LegacyFile {
	readonly name: string;
	readonly of: ServiceColumns;
}

/** The files of the legacy directory in load order (spec 2.3): by service, the one for every argument last. */
export function listLegacy(files: PolicyFiles, dir: string): LegacyFile[] {
	const legacy: LegacyFile[] = [];
	for (const name of listOrFail(files, dir)) {
		if (isLegacyPolicy(name)) legacy.push({ name, of: splitLegacyName(name) });
	}
	return legacy.sort((a, b) => compareLegacy(a.of, b.of));
}

function isLegacyPolicy(name: string): boolean {
	if (name.charAt(0) === "." || findOutside(name, isRpcCode) >= 0) return false;
	return !name.endsWith(".rpmsave") && !name.endsWith(".rpmnew") && !name.endsWith(".swp");
}

function splitLegacyName(name: string): ServiceColumns {
	const plus = name.indexOf("+");
	return plus < 0 ? { service: name, argument: null } : { service: name.slice(0, plus), argument: name.slice(plus) };
}

function compareLegacy(a: ServiceColumns, b: ServiceColumns): number {
	if (a.service !== b.service) return (a.service ?? "") < (b.service ?? "") ? -1 : 1;
	if (a.argument === null || b.argument === null) return a.argument === null ? 1 : -1;
	return a.argument < b.argument ? -1 : 1;
}

function listOrFail(files: PolicyFiles, dir: string): string[] {
	try {
		return files.listFiles(dir);
	} catch (error) {
		if (!isFileError(error)) throw error;
		const hint = "a policy directory must exist and be readable";
		throw new PolicyLoadError("load-error", `failed to load directory ${dir}: ${describeFileError(error)}: ${hint}`, null);
	}
}
