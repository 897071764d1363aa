import type { InferredOptionTypes, Options } from "yargs";

/** The options of a command by their long names (a single letter is a short one). */
export type OptionTable = { readonly [name: string]: Options };

/** What the command line gave for them: undefined where it gave nothing. */
export type Values<O extends OptionTable> = InferredOptionTypes<{ -readonly [name in keyof O]: O[name] }>;

/** An option without a value. Without `nargs`, yargs would take a following word `true` or `false` for its value. */
export function flag(describe: string, ...alias: readonly string[]) {
	return { boolean: true, nargs: 0, describe, alias } as const;
}

/** An option with one value; given again, the last one counts. */
export function text(describe: string, ...alias: readonly string[]) {
	return { string: true, requiresArg: true, describe, alias } as const;
}

/** An option with one value that may be given again for more. */
export function texts(describe: string, ...alias: readonly string[]) {
	return { array: true, string: true, nargs: 1, describe, alias } as const;
}

/** An option that takes all words up to the next option. */
export function words(describe: string, ...alias: readonly string[]) {
	return { array: true, string: true, requiresArg: true, describe, alias } as const;
}

/** What every command has (spec 10.1). Nothing here needs more rights for root: `--force-root` is for scripts of other versions. */
export const COMMON_OPTIONS = {
	verbose: flag("say more", "v"),
	quiet: flag("say less", "q"),
	socket: text("where qubesd listens [QUBESD_SOCKET, /var/run/qubesd.sock]"),
	store: text("work on this qubes.xml, by a qubesd (-v shows its log) that ends with the command"),
	completion: flag("print what makes bash complete this command, and exit"),
	help: flag("print this and exit", "h"),
	version: flag("print the version and exit"),
	"force-root": { ...flag("accepted and ignored"), hidden: true },
} as const;

/** For commands with something to read. */
export const JSON_OPTION = { json: flag("print JSON, for programs") } as const;

/** What the Python tools have not: never abbreviated, so that `--s` is still `--set` for scripts that say so. */
export const UNABBREVIATED: readonly string[] = ["socket", "store", "completion", "json", "kernel"];

/** For commands that take any number of qubes (spec 10.1). */
export const SELECTION_OPTIONS = {
	all: flag("all qubes"),
	exclude: texts("with --all: not this qube; repeat for more"),
} as const;

/** The names of an option, the long ones first. */
export function namesOf(name: string, option: Options): string[] {
	const alias = option.alias ?? [];
	return [name, ...(typeof alias === "string" ? [alias] : alias)].sort(
		(a, b) => Math.sign(b.length - 1) - Math.sign(a.length - 1),
	);
}

/** How an option is written: `--pool`, `-P`. */
export function dashed(name: string): string {
	return name.length > 1 ? `--${name}` : `-${name}`;
}

/** Whether it has no value. */
export function isFlag(option: Options): boolean {
	return option.boolean === true;
}
