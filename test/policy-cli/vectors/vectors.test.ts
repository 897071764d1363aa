// The conformance vectors, each case on each host: see test/vectors/policy/README.md.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { runInProcess } from "../../support/in-process.ts";
import { firstFew, inParallel } from "../../support/parallel.ts";
import { PROGRAMS, type Program } from "../../support/programs.ts";
import { runProgram } from "../../support/run-program.ts";
import {
	compareAnswer,
	readVectors,
	VECTORS_DIR,
	type Vector,
	vectorArguments,
	vectorFiles,
	writeVector,
} from "../../support/vectors.ts";

/** Starting Node takes long, so the bundle itself gets one case of so many. */
const BUNDLE_STEP = 10;
const WIDTH = 4;

/** A case as it lies on the disk. */
interface Case {
	readonly root: string;
	readonly vector: Vector;
	readonly args: readonly string[];
}

interface Answer {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

type Ask = (args: readonly string[]) => Promise<Answer>;

const home = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-vectors-"));
test.after.always(() => fs.rmSync(home, { recursive: true, force: true }));

if (!fs.existsSync(VECTORS_DIR)) {
	test("the conformance vectors are there", (t) => {
		t.fail(`there are no vectors at ${VECTORS_DIR}: put them there, or let QUBES_VECTORS say where they are`);
	});
} else {
	test("the conformance vectors are there", (t) => {
		t.true(vectorFiles().length > 0, `no .jsonl file below ${VECTORS_DIR}`);
	});
	for (const file of vectorFiles()) addTests(file);
}

function addTests(file: string): void {
	let written: readonly Case[] | undefined;
	const cases = (): readonly Case[] => {
		written ??= writeCases(file);
		return written;
	};
	const name = file.replace(/\.jsonl$/, "");
	test.serial(
		`${name}: the native program answers all cases right, and the Node host in this process with the same bytes`,
		async (t) => {
			t.true(cases().length > 0);
			const native = await ask(cases(), askProgram(PROGRAMS.native));
			const node = await ask(cases(), askNodeHost);
			t.is(firstFew(judge(cases(), native)), "", "native");
			t.is(firstFew(judge(cases(), node)), "", "Node host");
			t.is(firstFew(compare(cases(), native, node)), "", "native and Node host");
		},
	);
	test.serial(`${name}: the native program with sanitizers answers all cases right`, async (t) => {
		t.is(firstFew(judge(cases(), await ask(cases(), askProgram(PROGRAMS.asan)))), "");
	});
	test.serial(`${name}: the Node bundle answers one case of ${BUNDLE_STEP} right, with the bytes of the Node host`, async (t) => {
		const some = cases().filter((_, index) => index % BUNDLE_STEP === 0);
		const bundle = await ask(some, askProgram(PROGRAMS.node));
		t.is(firstFew(judge(some, bundle)), "");
		t.is(firstFew(compare(some, bundle, await ask(some, askNodeHost))), "");
	});
}

function writeCases(file: string): readonly Case[] {
	return readVectors(file).map((vector, index) => {
		const root = path.join(home, file.replaceAll("/", "-"), String(index));
		writeVector(root, vector);
		return { root, vector, args: vectorArguments(root, vector) };
	});
}

function ask(cases: readonly Case[], how: Ask): Promise<Answer[]> {
	return inParallel(cases, WIDTH, ({ args }) => how(args));
}

function askProgram(program: Program): Ask {
	return (args) => runProgram(program, args);
}

async function askNodeHost(args: readonly string[]): Promise<Answer> {
	return runInProcess(args);
}

/** What is wrong with the answers. */
function judge(cases: readonly Case[], answers: readonly Answer[]): string[] {
	return cases.flatMap(({ root, vector }, index) => {
		const { status, stdout, stderr } = answers[index] as Answer;
		// `--json` tells everything on standard output.
		if (stderr !== "") return [`${vector.id}: standard error: ${stderr}`];
		try {
			return compareAnswer(root, vector, status ?? -1, stdout);
		} catch {
			return [`${vector.id}: no JSON: ${stdout}`];
		}
	});
}

function compare(cases: readonly Case[], left: readonly Answer[], right: readonly Answer[]): string[] {
	return cases.flatMap(({ vector }, index) => {
		const [a, b] = [left[index] as Answer, right[index] as Answer];
		if (a.stdout === b.stdout && a.status === b.status) return [];
		return [`${vector.id}: ${a.status} ${a.stdout} | ${b.status} ${b.stdout}`];
	});
}
