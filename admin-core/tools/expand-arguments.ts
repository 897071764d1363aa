import type { Options } from "yargs";
import { UsageError } from "./errors.ts";
import { isFlag, namesOf, type OptionTable, UNABBREVIATED } from "./options.ts";

/**
 * The command line with its options written out, which yargs cannot do itself (spec 10.1).
 *
 * | given         | becomes                    | because                                    |
 * | `--hide`      | `--hide-default`           | it is the only option that starts so       |
 * | `--hide=x`    | `--hide-default=x`         |                                            |
 * | `-lred`       | `--label=red`              | `-l` has a value                           |
 * | `-- --hide`   | `-- --hide`                | after `--` come words                      |
 *
 * Throws UsageError for an option that is unknown or could be several.
 */
export function expandArguments(argv: readonly string[], table: OptionTable): string[] {
	const options = new Map<string, Options>();
	for (const [name, option] of Object.entries(table)) {
		for (const one of namesOf(name, option)) options.set(one, option);
	}
	const end = argv.indexOf("--");
	const given = end < 0 ? argv : argv.slice(0, end);
	return [...given.map((word) => expandWord(word, options)), ...argv.slice(given.length)];
}

function expandWord(word: string, options: ReadonlyMap<string, Options>): string {
	if (/^--./.test(word)) return expandLong(word, options);
	const [, letter, value] = /^-([A-Za-z])=?(.+)$/s.exec(word) ?? [];
	const option = letter === undefined ? undefined : options.get(letter);
	if (option === undefined || isFlag(option)) return word;
	const long = [...options].find(([, other]) => other === option)?.[0] ?? letter;
	return `--${long}=${value}`;
}

function expandLong(word: string, options: ReadonlyMap<string, Options>): string {
	const [, name = "", rest = ""] = /^--([^=]*)(.*)$/s.exec(word) ?? [];
	if (name.length > 1 && options.has(name)) return word;
	const candidates = [...options.keys()].filter((one) => one.length > 1 && one.startsWith(name) && !UNABBREVIATED.includes(one));
	const [first] = candidates;
	if (first === undefined) throw new UsageError(`unknown option: "--${name}"`);
	if (new Set(candidates.map((one) => options.get(one))).size > 1) {
		throw new UsageError(`ambiguous option: "--${name}" could be ${candidates.map((one) => `--${one}`).join(", ")}`);
	}
	return `--${first}${rest}`;
}
