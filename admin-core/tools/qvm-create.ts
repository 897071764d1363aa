/**
 * qvm-create: makes a new qube (spec 10.3). Exit status 1: it was not made; 2: it was, but a property could not be set; 3: it was, but
 * its root could not be imported.
 */
import fs from "node:fs/promises";
import type { Qubesd } from "./client.ts";
import { cloneQube } from "./clone.ts";
import { command, type Invocation } from "./command.ts";
import { checkWord, choosePools, createQube, type NewQube, POOL_OPTIONS } from "./creation.ts";
import { DaemonError, LocalError, RemoteError, UsageError } from "./errors.ts";
import { type Image, importImage, openImage } from "./import-image.ts";
import { flag, JSON_OPTION, text, texts } from "./options.ts";
import { parsePairs } from "./pairs.ts";
import { listQubes } from "./qubes.ts";
import { renderJson } from "./table.ts";

const OPTIONS = {
	class: text("class of the qube [AppVM]", "C"),
	standalone: flag("the same as --class StandaloneVM; with --template a copy of that"),
	disp: flag("the same as --class DispVM --label red --property auto_cleanup=True"),
	label: text("label, by name or index: red, blue, …", "l"),
	template: text("template [that of the system]", "t"),
	property: texts("NAME=VALUE: set a property of the new qube; repeat for more", "prop"),
	...POOL_OPTIONS,
	"root-copy-from": text("file that the volume root gets its content from", "r"),
	"root-move-from": text("the same, and remove the file then", "R"),
	"help-classes": flag("list the classes, and exit"),
	...JSON_OPTION,
} as const;

type Create = Invocation<typeof OPTIONS>;

/** What is asked for. */
interface Plan extends NewQube {
	/** The qube to be copied, if it is to be no empty one. */
	readonly copyOf: string | null;
	/** To be set when it is there. */
	readonly properties: ReadonlyMap<string, string>;
	readonly root: Image | null;
}

/** Makes a new qube, sets its properties, and imports its root if one is given. */
export const run = command({
	name: "qvm-create",
	about: `Makes a new qube. The exit status is 2 if it was made, but a property could not be set, and 3 if its root could not be
imported.`,
	words: ["VMNAME"],
	options: OPTIONS,
	wordless: ["help-classes"],
	act: async (invocation) => {
		const { options, words, qubesd } = invocation;
		if (options["help-classes"] === true) return listClasses(invocation);
		const plan = makePlan(options, words[0] as string);
		const label = await findLabel(qubesd, plan.label);
		await make(invocation, { ...plan, label });
		const status = await setProperties(invocation, plan);
		return (await importRoot(invocation, plan)) || status;
	},
});

async function listClasses({ options, qubesd, io }: Create): Promise<number> {
	const classes = (await qubesd.list("dom0", "admin.vmclass.List")).sort();
	io.stdout.write(options.json === true ? renderJson(classes) : classes.map((name) => `${name}\n`).join(""));
	return 0;
}

/** Throws UsageError for what does not go together. */
function makePlan(options: Create["options"], name: string): Plan {
	const { standalone, disp, class: klassGiven } = options;
	if ([standalone, disp, klassGiven].filter(Boolean).length > 1)
		throw new UsageError("--class, --standalone and --disp exclude each other");
	const klass = standalone === true ? "StandaloneVM" : disp === true ? "DispVM" : (klassGiven ?? "AppVM");
	const properties = parsePairs("property", options.property ?? []);
	if (disp === true && !properties.has("auto_cleanup")) properties.set("auto_cleanup", "True");
	const label = options.label ?? properties.get("label") ?? (disp === true ? "red" : undefined);
	if (!label) throw new UsageError("missing --label");
	const template = options.template ?? properties.get("template") ?? "";
	properties.delete("label");
	properties.delete("template");
	if (template !== "" && klass === "TemplateVM") {
		throw new UsageError(`a ${klass} has no template: copy one by qvm-clone ${template} ${name}`);
	}
	for (const word of [name, klass, label]) checkWord(word);
	const copyOf = klass === "StandaloneVM" && template !== "" ? template : null;
	return { name, klass, label, template, pools: choosePools(options), copyOf, properties, root: chooseRoot(options) };
}

function chooseRoot({ "root-copy-from": copied, "root-move-from": moved }: Create["options"]): Image | null {
	if (copied !== undefined && moved !== undefined)
		throw new UsageError("--root-copy-from and --root-move-from exclude each other");
	const file = copied ?? moved;
	return file === undefined ? null : openImage(file);
}

/** The name of a label. Every daemon takes the name, but not every one the index (spec 12.34). */
async function findLabel(qubesd: Qubesd, label: string): Promise<string> {
	const names = await qubesd.list("dom0", "admin.label.List");
	if (names.includes(label)) return label;
	for (const name of /^\d+$/.test(label) ? names : []) {
		if (Number(await qubesd.call("dom0", "admin.label.Index", name)) === Number(label)) return name;
	}
	throw new UsageError(`no such label: '${label}': want one of ${names.join(", ")}`);
}

async function make(invocation: Create, plan: Plan): Promise<void> {
	const { copyOf: source, name, klass, label, pools } = plan;
	if (source !== null) return cloneQube(invocation, { source, name, klass, label, pools, ignoreErrors: false });
	await createQube(invocation.qubesd, plan);
	await listQubes(invocation.qubesd);
}

async function setProperties({ qubesd, complain }: Create, { name, properties }: Plan): Promise<number> {
	let status = 0;
	for (const [property, value] of properties) {
		try {
			await qubesd.call(name, "admin.vm.property.Set", property, value);
		} catch (error) {
			if (!(error instanceof RemoteError)) throw error;
			complain(`${name} was made, but its property ${property} cannot be set: ${error.message}`);
			status = 2;
		}
	}
	return status;
}

async function importRoot({ options, ...setting }: Create, { name, root }: Plan): Promise<number> {
	if (root === null) return 0;
	try {
		await importImage(setting, { qube: name, volume: "root" }, root);
	} catch (error) {
		if (!(error instanceof RemoteError || error instanceof DaemonError || error instanceof LocalError)) throw error;
		setting.complain(`${name} was made, but its root cannot be imported: ${error.message}`);
		return 3;
	}
	const moved = options["root-move-from"];
	if (moved !== undefined) await fs.unlink(moved).catch((error) => setting.warn(`cannot remove "${moved}": ${error.code}`));
	return 0;
}
