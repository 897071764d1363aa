/** What qubes-prefs and qvm-prefs share: they differ in whose properties they are (spec 10.2). */
import type { Invocation } from "./command.ts";
import { UsageError } from "./errors.ts";
import { flag, JSON_OPTION } from "./options.ts";
import type { Properties } from "./properties.ts";
import { decode, displayText, type PropertyValue } from "./property-value.ts";
import { renderJson, renderTable } from "./table.ts";

/** The options of qubes-prefs and qvm-prefs. */
export const PREFS_OPTIONS = {
	"help-properties": flag("list the properties with what they are about, and exit"),
	"hide-default": flag("list only what differs from the default"),
	default: flag("reset the property to its default", "D"),
	get: flag("ignored, for older scripts", "g"),
	set: flag("ignored, for older scripts", "s"),
	...JSON_OPTION,
} as const;

type Prefs = Invocation<typeof PREFS_OPTIONS>;

/** Where `none` in any case means that there shall be none; elsewhere it is sent as it is. */
const CAN_BE_NONE = ["default_dispvm", "netvm", "template", "guivm", "audiovm"];

/** Lists, gets, sets or resets; `words` are PROPERTY and VALUE, which `checkReset` has seen. Returns the exit status. */
export async function prefs(invocation: Prefs, properties: Properties, words: readonly string[]): Promise<number> {
	const [given, value] = words;
	const name = given?.replaceAll("-", "_");
	if (name === undefined) await list(invocation, properties);
	else if (invocation.options.default === true) await properties.reset(name);
	else if (value === undefined) await get(invocation, properties, name);
	else await properties.set(name, CAN_BE_NONE.includes(name) && value.toLowerCase() === "none" ? "" : value);
	return 0;
}

/** Throws UsageError where the words do not go with `--default`; to be called before anything is asked of the daemon. */
export function checkReset({ options }: Prefs, [name, value]: readonly string[]): void {
	if (options.default !== true) return;
	if (name === undefined) throw new UsageError("--default goes with a PROPERTY");
	if (value !== undefined) throw new UsageError("--default and VALUE exclude each other");
}

/** `NAME  D  VALUE` for a default, `-` for what is set, `U` without value for what is unset. */
async function list({ options, io }: Prefs, properties: Properties): Promise<void> {
	const names = (await properties.list()).sort();
	const values = await properties.getAll();
	const found: [name: string, value: PropertyValue][] = [];
	for (const name of names) {
		const value = values.get(name) ?? (await properties.get(name));
		const isHidden = options["hide-default"] === true && value.isDefault && decode(value) !== undefined;
		if (!isHidden) found.push([name, value]);
	}
	const text = options.json === true ? renderJson(Object.fromEntries(found.map(describe))) : renderTable(found.map(listRow));
	io.stdout.write(text);
}

function listRow([name, value]: readonly [string, PropertyValue]): string[] {
	const text = displayText(value);
	return text === undefined ? [name, "U"] : [name, value.isDefault ? "D" : "-", text];
}

function describe([name, value]: readonly [string, PropertyValue]): [string, object] {
	return [name, { default: value.isDefault, type: value.type, value: decode(value) ?? null }];
}

/** The value and nothing else, as scripts want it; nothing at all for what is none or unset. */
async function get({ options, io, print }: Prefs, properties: Properties, name: string): Promise<void> {
	const value = await properties.get(name);
	if (options.json === true) io.stdout.write(renderJson({ name, ...describe([name, value])[1] }));
	else if ((decode(value) ?? null) !== null) print(value.text);
}

/** All properties with what they are about. Returns the exit status. */
export async function helpProperties({ options, io }: Prefs, properties: Properties): Promise<number> {
	const helps: [name: string, help: string][] = [];
	for (const name of (await properties.list()).sort()) helps.push([name, await properties.help(name)]);
	io.stdout.write(options.json === true ? renderJson(Object.fromEntries(helps)) : renderTable(helps));
	return 0;
}
