/** qvm-create: makes a new qube (spec 10.3). Exit status 1: it was not made; 2: it was, but a property could not be set. */
import type { Qubesd } from "./client.ts";
import { command, type Invocation } from "./command.ts";
import { RemoteError, UsageError } from "./errors.ts";
import { flag, JSON_OPTION, text, texts } from "./options.ts";
import { listQubes } from "./qubes.ts";
import { renderJson } from "./table.ts";

const OPTIONS = {
	class: text("class of the qube [AppVM]", "C"),
	standalone: flag("the same as --class StandaloneVM"),
	disp: flag("the same as --class DispVM --label red --property auto_cleanup=True"),
	label: text("label, by name or index: red, blue, …", "l"),
	template: text("template [that of the system]", "t"),
	property: texts("NAME=VALUE: set a property of the new qube; repeat for more", "prop"),
	P: text("pool for all volumes that are its own"),
	pool: texts("VOLUME=POOL: pool for one volume; repeat for more", "p"),
	"help-classes": flag("list the classes, and exit"),
	...JSON_OPTION,
} as const;

/** What is asked for. */
interface Plan {
	readonly name: string;
	readonly klass: string;
	readonly label: string;
	/** Empty for that of the system. */
	readonly template: string;
	/** ` pool=POOL` or ` pool:VOLUME=POOL…`, empty for the pools of the system. */
	readonly pools: string;
	/** To be set when it is there. */
	readonly properties: ReadonlyMap<string, string>;
}

export const run = command({
	name: "qvm-create",
	about: "Makes a new qube. The exit status is 2 if it was made, but a property could not be set.",
	words: ["VMNAME"],
	options: OPTIONS,
	wordless: ["help-classes"],
	act: async (invocation) => {
		const { options, words, qubesd } = invocation;
		if (options["help-classes"] === true) return listClasses(invocation);
		const plan = makePlan(options, words[0] as string);
		const label = await findLabel(qubesd, plan.label);
		const method = plan.pools === "" ? "admin.vm.Create" : "admin.vm.CreateInPool";
		await qubesd.call("dom0", `${method}.${plan.klass}`, plan.template, `name=${plan.name} label=${label}${plan.pools}`);
		await listQubes(qubesd);
		return setProperties(invocation, plan);
	},
});

async function listClasses({ options, qubesd, io }: Invocation<typeof OPTIONS>): Promise<number> {
	const classes = (await qubesd.list("dom0", "admin.vmclass.List")).sort();
	io.stdout.write(options.json === true ? renderJson(classes) : classes.map((name) => `${name}\n`).join(""));
	return 0;
}

/** Throws UsageError for what does not go together. */
function makePlan(options: Invocation<typeof OPTIONS>["options"], name: string): Plan {
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
	if (template !== "" && (klass === "StandaloneVM" || klass === "TemplateVM")) {
		throw new UsageError(`a ${klass} has no template: copy one by qvm-clone --class ${klass} ${template} ${name}`);
	}
	for (const word of [name, klass, label, ...(options.P === undefined ? [] : [options.P]), ...(options.pool ?? [])]) {
		if (!/^[!-~]+$/.test(word)) throw new UsageError(`invalid name "${word}": want printable ASCII characters without spaces`);
	}
	return { name, klass, label, template, pools: choosePools(options.P, options.pool ?? []), properties };
}

function choosePools(one: string | undefined, each: readonly string[]): string {
	if (one !== undefined && each.length > 0) throw new UsageError("-P and --pool exclude each other");
	if (one !== undefined) return ` pool=${one}`;
	return [...parsePairs("pool", each)]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([volume, pool]) => ` pool:${volume}=${pool}`)
		.join("");
}

/** `NAME=VALUE` each; of two with the same name the last one counts. */
function parsePairs(option: string, pairs: readonly string[]): Map<string, string> {
	return new Map(
		pairs.map((pair) => {
			const at = pair.indexOf("=");
			if (at < 1) throw new UsageError(`invalid --${option} "${pair}": want NAME=VALUE`);
			return [pair.slice(0, at), pair.slice(at + 1)];
		}),
	);
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

async function setProperties({ qubesd, complain }: Invocation<typeof OPTIONS>, { name, properties }: Plan): Promise<number> {
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
