/** qvm-pool: lists, shows, adds, changes and removes storage pools (spec 10.3, storage-reflink 9.5). */
import { type Action, completeAction, describeActions, runAction } from "./actions.ts";
import { command, type Invocation } from "./command.ts";
import { LocalError, RemoteError, UsageError } from "./errors.ts";
import { flag, JSON_OPTION, texts } from "./options.ts";
import { decodeLines, parsePairs } from "./pairs.ts";
import { encodeSpace, poolSpace, renderFreed, spaceRows } from "./pool-space.ts";
import { findPool, listDrivers, listPools, poolDetails, poolInfo } from "./pools.ts";
import { renderJson, renderTable } from "./table.ts";

const OPTIONS = { option: texts("KEY=VALUE, for add and set; repeat for more", "o"), ...JSON_OPTION } as const;

/** How older versions said what is to be done. */
const LEGACY_OPTIONS = {
	list: { ...flag("list", "l"), hidden: true },
	info: { ...flag("info", "i"), hidden: true },
	add: { ...flag("add", "a"), hidden: true },
	set: { ...flag("set", "s"), hidden: true },
	remove: { ...flag("remove", "r"), hidden: true },
	"help-drivers": { ...flag("drivers"), hidden: true },
} as const;

const LEGACY_NAMES: { readonly [option: string]: string } = {
	...{ list: "list", info: "info", add: "add", set: "set", remove: "remove", "help-drivers": "drivers" },
};

/** What can be changed of a pool. */
const SETTINGS = ["revisions_to_keep", "ephemeral_volatile"];

type Call = Invocation<typeof OPTIONS>;

const ACTIONS: readonly Action<Call>[] = [
	{ names: ["list", "l", "ls"], words: [], options: ["json"], about: "list the pools", act: list },
	{
		names: ["info", "i"],
		words: ["POOL"],
		options: ["json"],
		about: "show a pool",
		act: info,
		complete: async (words, qubesd) => (words.length === 0 ? listPools(qubesd) : []),
	},
	{
		names: ["add", "a"],
		words: ["POOL", "DRIVER"],
		options: ["option"],
		about: "add a pool, with -o KEY=VALUE as its driver wants",
		act: add,
		complete: async (words, qubesd) => (words.length === 1 ? (await listDrivers(qubesd)).map(({ name }) => name) : []),
	},
	{
		names: ["set", "s"],
		words: ["POOL"],
		options: ["option"],
		about: `change a pool; -o KEY=VALUE is one of ${SETTINGS.join(", ")}`,
		act: set,
		complete: async (words, qubesd) => (words.length === 0 ? listPools(qubesd) : []),
	},
	{
		names: ["remove", "r", "rm"],
		words: ["POOL", "POOL*"],
		options: [],
		about: "remove pools; their data stay where they are",
		act: remove,
		complete: (_words, qubesd) => listPools(qubesd),
	},
	{ names: ["drivers", "d"], words: [], options: ["json"], about: "list the drivers and their options", act: drivers },
];

/** Lists, shows, adds, changes or removes storage pools, as its first word says. */
export const run = command({
	name: "qvm-pool",
	about: `Lists, shows, adds, changes or removes storage pools.
${describeActions(ACTIONS)}`,
	words: ["ACTION?", "WORD*"],
	options: { ...OPTIONS, ...LEGACY_OPTIONS },
	complete: (words, qubesd) => completeAction(ACTIONS, words, qubesd),
	act: async (invocation) => {
		const { options, words } = invocation;
		const legacy = Object.keys(LEGACY_NAMES).filter((name) => (options as { [name: string]: unknown })[name] === true);
		if (legacy.length > 1) throw new UsageError(`${legacy.map((name) => `--${name}`).join(" and ")} exclude each other`);
		const given = legacy.map((name) => LEGACY_NAMES[name] as string);
		return runAction(ACTIONS, Object.keys(OPTIONS), invocation, [...given, ...words]);
	},
});

async function list({ options, qubesd, io }: Call): Promise<number> {
	const pools: Map<string, string>[] = [];
	for (const name of await listPools(qubesd)) pools.push(new Map([["name", name], ...(await poolInfo(qubesd, name))]));
	const rows = pools.map((known) => [known.get("name") ?? "", known.get("driver") ?? ""]);
	io.stdout.write(options.json === true ? renderJson(pools.map(decodeLines)) : renderTable([["NAME", "DRIVER"], ...rows]));
	return 0;
}

/** The name first, then the rest, sorted; then what is shared, and what would be free, as far as the daemon can tell. */
async function info({ options, qubesd, io }: Call, [name = ""]: readonly string[]): Promise<number> {
	await findPool(qubesd, name);
	const known = await poolInfo(qubesd, name);
	for (const [key, value] of await poolDetails(qubesd, name)) known.set(key, value);
	known.delete("name");
	const rows: [string, string][] = [["name", name], ...[...known].sort(([a], [b]) => (a < b ? -1 : 1))];
	const space = await poolSpace(qubesd, name);
	if (options.json === true) io.stdout.write(renderJson({ ...decodeLines(new Map(rows)), ...(space && encodeSpace(space)) }));
	else if (space === null) io.stdout.write(renderTable(rows));
	else io.stdout.write(renderTable([...rows, ...spaceRows(space)]) + renderFreed(space));
	return 0;
}

async function add({ options, qubesd }: Call, [name = "", driver = ""]: readonly string[]): Promise<number> {
	const pairs = [...parsePairs("option", options.option ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
	const lines = [["name", name], ...pairs].map(([key, value]) => `${key}=${value}`);
	const broken = lines.find((line) => /[\r\n]/.test(line));
	if (broken !== undefined) throw new UsageError(`invalid value "${broken}": want one line`);
	try {
		await qubesd.call("dom0", "admin.pool.Add", driver, lines.map((line) => `${line}\n`).join(""));
	} catch (error) {
		if (!(error instanceof RemoteError)) throw error;
		throw new LocalError(`Failed to add pool ${name}: ${await reason(error, driver, qubesd)}`);
	}
	return 0;
}

/** The daemon does not tell an unknown driver from one that we may not know of. */
async function reason(error: RemoteError, driver: string, qubesd: Call["qubesd"]): Promise<string> {
	if (error.kind !== "PermissionDenied") return error.message;
	const names = (await listDrivers(qubesd)).map(({ name }) => name);
	return names.includes(driver) ? error.message : `no such driver: '${driver}': want one of ${names.join(", ")}`;
}

async function set({ options, qubesd }: Call, [name = ""]: readonly string[]): Promise<number> {
	const pairs = parsePairs("option", options.option ?? []);
	if (pairs.size === 0) throw new UsageError("missing --option KEY=VALUE");
	const unknown = [...pairs.keys()].find((key) => !SETTINGS.includes(key));
	if (unknown !== undefined) throw new UsageError(`"${unknown}" cannot be changed: want ${SETTINGS.join(" or ")}`);
	await findPool(qubesd, name);
	for (const [key, value] of pairs) await qubesd.call("dom0", `admin.pool.Set.${key}`, name, value);
	return 0;
}

async function remove({ qubesd, complain }: Call, names: readonly string[]): Promise<number> {
	let status = 0;
	for (const name of names) {
		try {
			await qubesd.call("dom0", "admin.pool.Remove", name);
		} catch (error) {
			if (!(error instanceof RemoteError)) throw error;
			complain(`cannot remove pool ${name}: ${error.message}`);
			status = 1;
		}
	}
	return status;
}

async function drivers({ options, qubesd, io }: Call): Promise<number> {
	const known = await listDrivers(qubesd);
	const rows = known.map(({ name, options }) => [name, options.join(", ")]);
	io.stdout.write(options.json === true ? renderJson(known) : renderTable([["DRIVER", "OPTIONS"], ...rows]));
	return 0;
}
