import { UsageError } from "./errors.ts";
import type { Row } from "./ls-row.ts";
import { flag, text, type Values, words } from "./options.ts";
import { parsePair } from "./pairs.ts";

/** The options of qvm-ls that say which qubes are listed. */
export const FILTER_OPTIONS = {
	class: words("of one of these classes"),
	label: words("with one of these labels"),
	tags: words("with one of these tags"),
	"exclude-tags": words("with none of these tags"),
	running: flag("running"),
	paused: flag("paused"),
	halted: flag("halted; of --running, --paused and --halted any may apply"),
	"template-source": words("based on one of these templates"),
	"netvm-is": words("with their network from one of these"),
	internal: text("y: internal ones only, n: none of them"),
	servicevm: text("y: service qubes only, n: none of them"),
	"pending-update": flag("with updates to be installed"),
	features: words("FEATURE=VALUE: with all these features; FEATURE= is unset, FEATURE='\"\"' set to nothing"),
	prefs: words("PROPERTY=VALUE: with all these properties; PROPERTY= is none or unset, PROPERTY='\"\"' set to nothing"),
} as const;

/** Whether a qube is to be shown. */
export type Filter = (row: Row) => Promise<boolean>;

/**
 * The filters that are asked for; a qube has to pass all of them. Those that need no call come first, so that nothing is asked about
 * qubes that are not shown. Throws UsageError.
 */
export function chooseFilters(options: Values<typeof FILTER_OPTIONS>): Filter[] {
	return [
		...oneOf(options.class, async ({ qube }) => qube.klass),
		...oneOf(powerStates(options), async ({ qube }) => qube.state),
		...oneOf(options.label, (row) => row.propertyText("label")),
		...oneOf(options["template-source"], (row) => row.propertyText("template")),
		...oneOf(options["netvm-is"], (row) => row.propertyText("netvm")),
		...matches("prefs", options.prefs, (row, name) => row.propertyText(name.replaceAll("-", "_"))),
		...tagFilters(options),
		...isOn("internal", options.internal),
		...isOn("servicevm", options.servicevm),
		...isOn("updates-available", options["pending-update"] === true ? "y" : undefined),
		...matches("features", options.features, (row, name) => row.feature(name)),
	];
}

function powerStates(options: Values<typeof FILTER_OPTIONS>): string[] | undefined {
	const states = [options.running && "Running", options.paused && "Paused", options.halted && "Halted"];
	const asked = states.filter((state) => typeof state === "string");
	return asked.length > 0 ? asked : undefined;
}

function oneOf(wanted: readonly string[] | undefined, read: (row: Row) => Promise<string | undefined>): Filter[] {
	return wanted === undefined ? [] : [async (row) => wanted.includes((await read(row)) ?? "")];
}

function tagFilters({ tags, "exclude-tags": excluded }: Values<typeof FILTER_OPTIONS>): Filter[] {
	const has = async (row: Row, some: readonly string[]) => (await row.tags()).some((tag) => some.includes(tag));
	return [
		...(tags === undefined ? [] : [(row: Row) => has(row, tags)]),
		...(excluded === undefined ? [] : [async (row: Row) => !(await has(row, excluded))]),
	];
}

/** A feature that is a truth value: absent and empty are false. */
function isOn(feature: string, wanted: string | undefined): Filter[] {
	if (wanted === undefined) return [];
	const isWanted = /^y(es)?$/i.test(wanted);
	if (!isWanted && !/^no?$/i.test(wanted)) throw new UsageError(`invalid --${feature} "${wanted}": want y or n`);
	return [async (row) => Boolean(await row.feature(feature)) === isWanted];
}

function matches(
	option: string,
	pairs: readonly string[] | undefined,
	read: (row: Row, name: string) => Promise<string | undefined>,
): Filter[] {
	return (pairs ?? []).map((pair) => {
		const [name, wanted] = parsePair(option, pair);
		return async (row) => isMatch(await read(row, name), wanted);
	});
}

/** Nothing is unset, a pair of quotes is the empty text, everything else itself. */
function isMatch(value: string | undefined, wanted: string): boolean {
	if (wanted === "") return value === undefined || value === "None";
	return value === (wanted === "''" || wanted === '""' ? "" : wanted);
}
