import { minimatch } from "minimatch";
import type { Qubesd } from "./client.ts";
import { DaemonError, UsageError } from "./errors.ts";

/** A qube as `admin.vm.List` tells of it (spec 8.1). */
export interface Qube {
	readonly name: string;
	readonly klass: string;
	readonly state: string;
	readonly uuid: string;
}

/** All qubes, in the order of the daemon. */
export async function listQubes(qubesd: Qubesd): Promise<Qube[]> {
	return (await qubesd.list("dom0", "admin.vm.List")).map(parseLine);
}

/** `NAME class=CLASS state=STATE uuid=UUID`. */
function parseLine(line: string): Qube {
	const [name = "", ...fields] = line.split(" ");
	const values = new Map(
		fields.map((field) => {
			const at = field.indexOf("=");
			return [field.slice(0, at), field.slice(at + 1)] as const;
		}),
	);
	const klass = values.get("class");
	const state = values.get("state");
	if (name === "" || klass === undefined || state === undefined) throw new DaemonError(`qubesd lists an invalid qube: "${line}"`);
	return { name, klass, state, uuid: values.get("uuid") ?? "" };
}

/** The qube of that name: what every command with a VMNAME asks first (spec 10.1). Throws UsageError if there is none. */
export async function findQube(qubesd: Qubesd, name: string | undefined): Promise<Qube> {
	return pickQube(await listQubes(qubesd), name);
}

/** One of these qubes. Throws UsageError if it is not among them. */
export function pickQube(qubes: readonly Qube[], name: string | undefined): Qube {
	const qube = qubes.find((one) => one.name === name);
	if (qube === undefined) throw new UsageError(`no such domain: '${name}'`);
	return qube;
}

/** Which qubes are meant: names and shell patterns, or `--all` without those of `--exclude`. */
export interface Selection {
	readonly words: readonly string[];
	readonly all: boolean;
	readonly exclude: readonly string[];
}

/**
 * The qubes that are meant, each once, in the order of the words (spec 10.1). Throws UsageError for a word that fits none, and for words
 * that contradict the options.
 */
export function selectQubes(qubes: readonly Qube[], { words, all, exclude }: Selection): Qube[] {
	if (all && words.length > 0) throw new UsageError("--all and VMNAME exclude each other");
	if (!all && exclude.length > 0) throw new UsageError("--exclude goes with --all only");
	if (all) {
		const left = new Set(exclude.flatMap((word) => matching(qubes, word)));
		return qubes.filter((qube) => !left.has(qube));
	}
	return [...new Set(words.flatMap((word) => matching(qubes, word)))];
}

/** As fnmatch has it: no braces, no negation, no comments; a leading dot is nothing special. */
const PATTERN_OPTIONS = { dot: true, nobrace: true, nocomment: true, noext: true, nonegate: true, noglobstar: true };

function matching(qubes: readonly Qube[], word: string): Qube[] {
	const found = qubes.filter(({ name }) => name === word || minimatch(name, word, PATTERN_OPTIONS));
	if (found.length === 0) throw new UsageError(`no such domain: '${word}'`);
	return found;
}

/** The names for a completion. */
export async function qubeNames(qubesd: Qubesd): Promise<string[]> {
	return (await listQubes(qubesd)).map(({ name }) => name);
}
