/**
 * How long a call takes, as ratios of one run: `npm run bench -- policy`.
 *
 * Rows: the floor (a C program that reads the same files, asks the same qubesd and does nothing), ours, the same code on Node, and Node
 * doing nothing. Columns: median time by hyperfine, ratios, instructions by callgrind, which repeat exactly.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { manyRules, type Scenario, stockPolicy } from "./scenarios.ts";

const NATIVE = path.resolve("dist/bin/qrexec-policy-exec");
const NODE_BUNDLE = path.resolve("dist/qrexec-policy-exec.cjs");
const FLOOR_SOURCE = path.resolve("../shared/bench/floor.c");
const RUNS = 300;

/** What has to be reached (issue 2), each in one run of this program. */
const BOUNDS = [
	{ scenario: "stock policy, 33 qubes", what: "time of the floor, times", of: (row: Figures) => row.ofFloor, most: 2.2 },
	{ scenario: "stock policy, 33 qubes", what: "instructions", of: (row: Figures) => row.instructions, most: 8_000_000 },
	{ scenario: "stock policy, 33 qubes", what: "part of the Node bundle's time", of: (row: Figures) => row.ofNode, most: 1 / 20 },
	{ scenario: "10000 rules", what: "milliseconds", of: (row: Figures) => row.milliseconds, most: 60 },
	{ scenario: "10000 rules", what: "instructions of 1000 rules, times", of: (row: Figures) => row.ofTenth, most: 12 },
] as const;

/** What was found out about the native executable; null where there is nothing to compare with. */
interface Figures {
	readonly scenario: string;
	readonly milliseconds: number;
	readonly instructions: number;
	readonly ofFloor: number | null;
	readonly ofNode: number;
	/** Its instructions, by those of a tenth of the rules. */
	readonly ofTenth: number | null;
}

interface Row {
	readonly what: string;
	readonly command: readonly string[];
	/** Started less often. */
	readonly slow: boolean;
}

for (const tool of ["hyperfine", "valgrind", "cc"]) {
	if (spawnSync(tool, ["--version"]).status === 0) continue;
	console.error(`bench: ${tool} is missing: apt-get install hyperfine valgrind gcc libc6-dev`);
	process.exit(1);
}
const work = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-bench-"));
try {
	await main();
} finally {
	fs.rmSync(work, { recursive: true });
}

async function main(): Promise<void> {
	const floor = compile(FLOOR_SOURCE, "floor", ["-static"]);
	if (floor === null) console.log(`no row "floor": ${FLOOR_SOURCE} is not there`);
	const fakeQubesd = compile(path.resolve("test/bench/fake-qubesd.c"), "fake-qubesd", []) as string;
	console.log(`${os.cpus()[0]?.model}, ${os.cpus().length} cores, Linux ${os.release()}, Node ${process.version}\n`);
	console.log(format("", "median", "of floor", "of native", "instructions"));
	const scenarios = [stockPolicy(work, 33), stockPolicy(work, 300), ...[100, 1000, 10000].map((rules) => manyRules(work, rules))];
	const figures: Figures[] = [];
	for (const scenario of scenarios) {
		const qubesd = await serve(fakeQubesd, scenario.systemInfo);
		try {
			figures.push(measure(scenario, floor, figures.at(-1)));
		} finally {
			qubesd.kill();
		}
	}
	console.log(
		`\nexecutable: ${fs.statSync(NATIVE).size.toLocaleString("en")} bytes (its memory is a test: test/policy-cli/build)`,
	);
	if (!checkBounds(figures)) process.exitCode = 1;
}

/** Prints which bounds are kept; whether all are. */
function checkBounds(figures: readonly Figures[]): boolean {
	const broken = BOUNDS.filter(({ scenario, what, of, most }) => {
		const row = figures.find((one) => one.scenario === scenario);
		const value = row === undefined ? null : of(row);
		const verdict = value === null ? "not measured" : value <= most ? "kept" : "BROKEN";
		console.log(
			`${verdict.padEnd(14)}${scenario}: ${what}: ${value?.toLocaleString("en") ?? "-"}, at most ${most.toLocaleString("en")}`,
		);
		return verdict === "BROKEN";
	});
	return broken.length === 0;
}

function compile(source: string, name: string, flags: readonly string[]): string | null {
	if (!fs.existsSync(source)) return null;
	const out = path.join(work, name);
	const { status, stderr } = spawnSync("cc", ["-O2", "-w", ...flags, source, "-o", out], { encoding: "utf8" });
	if (status !== 0) throw new Error(`cc ${source}: ${stderr}`);
	return out;
}

async function serve(program: string, systemInfo: string): Promise<ChildProcess> {
	const qubesd = spawn(program, [socket(), systemInfo, logSocket()], { stdio: ["ignore", "pipe", "inherit"] });
	await once(qubesd.stdout as NodeJS.ReadableStream, "data");
	return qubesd;
}

function socket(): string {
	return path.join(work, "qubesd.sock");
}

function logSocket(): string {
	return path.join(work, "log.sock");
}

/** Prints the rows of a scenario. */
function measure({ name, dirs, call }: Scenario, floor: string | null, previous: Figures | undefined): Figures {
	const options = dirs.flatMap((dir) => ["--path", dir]);
	const args = [...options, "--qubesd-internal-socket", socket(), "--log-socket", logSocket(), ...call];
	const rows: Row[] = [
		{ what: "native", command: [NATIVE, ...args], slow: false },
		{ what: "Node bundle", command: [process.execPath, NODE_BUNDLE, ...args], slow: true },
		{ what: "node -e 0", command: [process.execPath, "-e", "0"], slow: true },
	];
	if (floor !== null) rows.unshift({ what: "floor", command: [floor, dirs.at(-1) as string, socket()], slow: false });
	const medians = rows.map(median);
	const timeOf = (what: string): number | null => medians[rows.findIndex((row) => row.what === what)] ?? null;
	const [floorTime, native] = [timeOf("floor"), timeOf("native") as number];
	const instructions = rows.map(({ slow, command }) => (slow ? null : countInstructions(command)));
	console.log(name);
	rows.forEach(({ what }, i) => {
		const time = medians[i] as number;
		const ofFloor = floorTime === null ? "-" : ratio(time, floorTime);
		const count = instructions[i]?.toLocaleString("en") ?? "-";
		console.log(format(`  ${what}`, `${(time * 1000).toFixed(2)} ms`, ofFloor, ratio(time, native), count));
	});
	const count = instructions[rows.findIndex((row) => row.what === "native")] as number;
	return {
		scenario: name,
		milliseconds: native * 1000,
		instructions: count,
		ofFloor: floorTime === null ? null : native / floorTime,
		ofNode: native / (timeOf("Node bundle") as number),
		ofTenth: previous === undefined ? null : count / previous.instructions,
	};
}

function ratio(time: number, of: number): string {
	return `${(time / of).toFixed(2)} ×`;
}

function format(what: string, ...columns: readonly string[]): string {
	return what.padEnd(28) + columns.map((column) => column.padStart(14)).join("");
}

/** The median of many starts, in seconds. */
function median({ command, slow }: Row): number {
	const out = path.join(work, "hyperfine.json");
	const runs = slow ? RUNS / 10 : RUNS;
	const quoted = command.map((word) => `'${word}'`).join(" ");
	const args = ["--shell=none", "--style=none", `--warmup=${runs / 10}`, `--runs=${runs}`, `--export-json=${out}`, quoted];
	const { status, stderr } = spawnSync("hyperfine", args, { encoding: "utf8" });
	if (status !== 0) throw new Error(`hyperfine ${quoted}: ${stderr}`);
	return JSON.parse(fs.readFileSync(out, "utf8")).results[0].median;
}

function countInstructions([program, ...args]: readonly string[]): number {
	const callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null", program as string, ...args];
	const { stderr } = spawnSync("valgrind", callgrind, { encoding: "utf8" });
	const found = /Collected : (\d+)/.exec(stderr)?.[1];
	if (found === undefined) throw new Error(`valgrind: ${stderr}`);
	return Number(found);
}
