import { UsageError } from "./errors.ts";

/** The words of a command in their order: `VMNAME` must be there, `VALUE?` may, of `TAG*` there may be any number. */
export type Positionals = readonly string[];

/** How they are shown: `VMNAME [PROPERTY [VALUE]]`. */
export function describePositionals(positionals: Positionals): string {
	const required = positionals.filter((one) => /\w$/.test(one));
	const optional = positionals
		.slice(required.length)
		.reduceRight((inner, one) => `[${one.slice(0, -1)}${one.endsWith("*") ? "..." : ""}${inner === "" ? "" : ` ${inner}`}]`, "");
	return [...required, optional].filter((part) => part !== "").join(" ");
}

/** Throws UsageError where words are missing or too many. */
export function checkPositionals(words: readonly string[], positionals: Positionals): void {
	const missing = positionals.slice(words.length).filter((one) => /\w$/.test(one));
	if (missing.length > 0) throw new UsageError(`missing ${missing.join(" and ")}`);
	const isOpen = positionals.at(-1)?.endsWith("*") ?? false;
	const [extra] = isOpen ? [] : words.slice(positionals.length);
	if (extra !== undefined) throw new UsageError(`unexpected argument: "${extra}"`);
}
