import { UsageError } from "./errors.ts";
import type { Row } from "./ls-row.ts";
import type { Decoded } from "./property-value.ts";

/** A column of qvm-ls. */
export interface Column {
	/** As in `--fields` and in JSON: lower case, with underscores. */
	readonly name: string;
	readonly about: string;
	/** What stands in it; null and undefined are missing. */
	readonly cell: (row: Row) => Promise<Decoded>;
}

/** The columns that are no property, or have a word of explanation. Every other name is that of a property (spec 10.3). */
const COLUMNS: readonly Column[] = [
	{ name: "name", about: "name of the qube", cell: async ({ qube }) => qube.name },
	{ name: "state", about: "power state", cell: async ({ qube }) => qube.state },
	{ name: "class", about: "class of the qube", cell: async ({ qube }) => qube.klass },
	{ name: "uuid", about: "UUID of the qube", cell: async ({ qube }) => qube.uuid || null },
	{ name: "memory", about: "memory in use, in MiB, while it runs", cell: (row) => row.memory() },
	{ name: "disk", about: "space that all volumes take, in MiB", cell: diskUsage },
	...volumeColumns("priv", "private"),
	...volumeColumns("root", "root"),
	property("label", "label"),
	property("template", "template"),
	property("netvm", "network is provided by"),
	property("kernel", "kernel that it starts with"),
	property("kernelopts", "options of the kernel"),
	property("qid", "number of the qube"),
	property("xid", "number of the Xen domain, while it runs"),
	property("ip", "IP address"),
	property("gateway", "IP address that it is the gateway at"),
];

function property(name: string, about: string): Column {
	return { name, about, cell: (row) => row.property(name) };
}

function volumeColumns(prefix: string, volume: string): Column[] {
	return [
		{
			name: `${prefix}_curr`,
			about: `space that the volume ${volume} takes, in MiB`,
			cell: async (row) => mebibytes((await row.volume(volume))?.usage),
		},
		{
			name: `${prefix}_max`,
			about: `size of the volume ${volume}, in MiB`,
			cell: async (row) => mebibytes((await row.volume(volume))?.size),
		},
		{
			name: `${prefix}_used`,
			about: `how full the volume ${volume} is`,
			cell: async (row) => {
				const { size, usage } = (await row.volume(volume)) ?? { size: 0, usage: 0 };
				return size === 0 ? null : `${Math.floor((usage * 100) / size)}%`;
			},
		},
	];
}

async function diskUsage(row: Row): Promise<Decoded> {
	const names = await row.volumeNames();
	if (names.length === 0) return null;
	let bytes = 0;
	for (const name of names) bytes += (await row.volume(name))?.usage ?? 0;
	return mebibytes(bytes);
}

function mebibytes(bytes: number | undefined): number | null {
	return bytes === undefined ? null : Math.floor(bytes / 2 ** 20);
}

/** What `--format` names. */
export const FORMATS: { readonly [format: string]: readonly string[] } = {
	simple: ["name", "state", "class", "label", "template", "netvm"],
	network: ["name", "state", "netvm", "ip", "gateway"],
	kernel: ["name", "state", "class", "template", "kernel", "kernelopts"],
	full: ["name", "state", "class", "label", "qid", "xid", "uuid"],
	prefs: ["name", "class", "label", "template", "netvm", "virt_mode", "vcpus", "maxmem", "default_user", "autostart"],
	disk: ["name", "state", "disk", "priv_curr", "priv_max", "priv_used", "root_curr", "root_max", "root_used"],
};

/** The columns of `--fields`, or else of `--format`; hyphens and upper case are as good. Throws UsageError. */
export function chooseColumns(fields: string | undefined, format: string | undefined): Column[] {
	if (fields !== undefined && format !== undefined) throw new UsageError("--fields and --format exclude each other");
	const names = fields?.split(",").filter((name) => name !== "") ?? formatColumns(format ?? "simple");
	if (names.length === 0) throw new UsageError("--fields names no field");
	return names.map(findColumn);
}

function formatColumns(format: string): readonly string[] {
	const names = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
	if (names === undefined) throw new UsageError(`invalid format "${format}": want ${Object.keys(FORMATS).join(", ")}`);
	return names;
}

function findColumn(field: string): Column {
	const name = columnName(field);
	return COLUMNS.find((column) => column.name === name) ?? property(name, "");
}

/** A field as given, as it is called here. */
export function columnName(field: string): string {
	return field.trim().toLowerCase().replaceAll("-", "_");
}

/** What stands above a column. */
export function headOf(name: string): string {
	return name.toUpperCase().replaceAll("_", "-");
}

/** For `--help-columns`. */
export function describeColumns(): [head: string, about: string][] {
	return COLUMNS.map(({ name, about }) => [headOf(name), about]);
}
