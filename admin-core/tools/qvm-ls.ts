/** qvm-ls: lists qubes (spec 10.3). What is asked about each of them is in ls-row.ts, what is shown in ls-columns.ts. */
import { command, type Invocation } from "./command.ts";
import { UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { type Column, chooseColumns, columnName, describeColumns, FORMATS, headOf } from "./ls-columns.ts";
import { chooseFilters, FILTER_OPTIONS, type Filter } from "./ls-filters.ts";
import { mapRows, Row } from "./ls-row.ts";
import { arrangeTree } from "./ls-tree.ts";
import { flag, JSON_OPTION, SELECTION_OPTIONS, text } from "./options.ts";
import type { Decoded } from "./property-value.ts";
import { listQubes, qubeNames, selectQubes } from "./qubes.ts";
import { renderJson, renderTable } from "./table.ts";

const OPTIONS = {
	...SELECTION_OPTIONS,
	format: text(`columns: ${Object.keys(FORMATS).join(", ")} [simple]`, "o"),
	fields: text("FIELD,…: these columns; see --help-columns, other names are properties", "O"),
	// What package scripts of older versions say (spec 10.2).
	kernel: { ...flag("the same as --format kernel"), hidden: true },
	"raw-data": flag("no head, cells with | between them"),
	"raw-list": flag("names only"),
	tree: flag("as a tree of who provides network for whom", "t"),
	...FILTER_OPTIONS,
	sort: text("column to sort by [NAME]"),
	reverse: flag("sort the other way round"),
	"ignore-case": flag("sort without regard to upper and lower case"),
	spinner: { ...flag("accepted and ignored"), hidden: true },
	"no-spinner": { ...flag("accepted and ignored"), hidden: true },
	"help-formats": flag("list the formats, and exit"),
	"help-columns": flag("list the columns, and exit"),
	...JSON_OPTION,
} as const;

type Ls = Invocation<typeof OPTIONS>;

/** A qube with what stands in its columns. */
interface Line {
	readonly name: string;
	readonly netvm: string | null;
	readonly cells: readonly Decoded[];
}

/** Lists the qubes that its words and filters select, all without any. */
export const run = command({
	name: "qvm-ls",
	about: "Lists qubes. VMNAME may be a shell pattern; without any, all qubes are listed.",
	words: ["VMNAME*"],
	options: OPTIONS,
	complete: (_words, qubesd) => qubeNames(qubesd),
	act: async (invocation) => {
		const { options, io } = invocation;
		if (options["help-formats"] === true)
			return say(io, renderTable(Object.entries(FORMATS).map(([name, columns]) => [name, columns.map(headOf).join(", ")])));
		if (options["help-columns"] === true) return say(io, renderTable(describeColumns()));
		const columns = chooseColumns(options.fields, options.kernel === true ? "kernel" : options.format);
		const compare = chooseOrder(options, columns);
		const rows = await selectRows(invocation, chooseFilters(options));
		if (options["raw-list"] === true) return say(io, renderNames(invocation, rows));
		const lines = await mapRows(rows, (row) => fillLine(row, columns, options.tree === true));
		return say(io, render(invocation, columns, lines.sort(compare)));
	},
});

function say(io: Ls["io"], text: string): number {
	io.stdout.write(text);
	return 0;
}

/** How lines are sorted. Throws UsageError if the column is not shown. */
function chooseOrder(options: Ls["options"], columns: readonly Column[]): (a: Line, b: Line) => number {
	const name = columnName(options.sort ?? "name");
	const index = columns.findIndex((column) => column.name === name);
	if (index < 0 && options.sort !== undefined) throw new UsageError(`cannot sort by "${options.sort}": it is not shown`);
	const key = ({ name, cells }: Line): Decoded => {
		const cell = index < 0 ? name : (cells[index] ?? "");
		return typeof cell === "string" && options["ignore-case"] === true ? cell.toLowerCase() : cell;
	};
	const sign = options.reverse === true ? -1 : 1;
	return (a, b) => sign * (compareCells(key(a), key(b)) || compareCells(a.name, b.name));
}

/** Numbers by size, everything else by code points. */
function compareCells(a: Decoded, b: Decoded): number {
	if (typeof a === "number" && typeof b === "number") return a - b;
	const [left, right] = [cellText(a), cellText(b)];
	return left < right ? -1 : left > right ? 1 : 0;
}

/** The qubes that are named and pass all filters. */
async function selectRows({ options, words, qubesd }: Ls, filters: readonly Filter[]): Promise<Row[]> {
	const { all = false, exclude = [] } = options;
	const qubes = selectQubes(await listQubes(qubesd), {
		words,
		all: all || (words.length === 0 && exclude.length === 0),
		exclude,
	});
	return mapRows(
		qubes.map((qube) => new Row(qubesd, qube)),
		async (row) => {
			for (const passes of filters) if (!(await passes(row))) return undefined;
			return row;
		},
	);
}

function renderNames({ options }: Ls, rows: readonly Row[]): string {
	const names = rows
		.map(({ qube }) => ({ name: qube.name, netvm: null, cells: [] }))
		.sort(chooseOrder({ ...options, sort: undefined }, []));
	if (options.json === true) return renderJson(names.map(({ name }) => name));
	return names.map(({ name }) => `${name}\n`).join("");
}

async function fillLine(row: Row, columns: readonly Column[], inTree: boolean): Promise<Line> {
	const cells: Decoded[] = [];
	for (const column of columns) cells.push(await column.cell(row));
	const netvm = inTree ? ((await row.propertyText("netvm")) ?? null) : null;
	return { name: row.qube.name, netvm: netvm === "None" ? null : netvm, cells };
}

function render({ options }: Ls, columns: readonly Column[], lines: readonly Line[]): string {
	const names = columns.map(({ name }) => name);
	const arranged = options.tree === true ? arrangeTree(lines) : lines.map((line) => ({ row: line, label: line.name }));
	if (options.json === true) {
		return renderJson(
			arranged.map(({ row }) => Object.fromEntries(names.map((name, index) => [name, row.cells[index] ?? null]))),
		);
	}
	const texts = arranged.map(({ row, label }) =>
		row.cells.map((cell, index) => (names[index] === "name" ? label : cellText(cell))),
	);
	if (options["raw-data"] === true) return texts.map((cells) => `${cells.map(escapeControls).join("|")}\n`).join("");
	return renderTable([names.map(headOf), ...texts]);
}

/** `-` where nothing is. */
function cellText(cell: Decoded): string {
	if (cell === null || cell === undefined || cell === "") return "-";
	return typeof cell === "boolean" ? (cell ? "True" : "False") : String(cell);
}
