import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "ava";
import { REASONS } from "../../../policy-cli/core/reasons.ts";
import { helpText } from "../../../policy-cli/exec/options.ts";
import { decide } from "./fixtures.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-docs-"));
test.after.always(() => fs.rmSync(scratch, { recursive: true, force: true }));

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** The rows of all tables below a heading, up to the next heading of the same kind; without their head lines. */
function tableRows(file: string, heading: string): string[][] {
	const text = fs.readFileSync(path.join(ROOT, file), "utf8");
	const from = text.indexOf(`${heading}\n`);
	if (from < 0) throw new Error(`${file} has no "${heading}"`);
	const to = text.indexOf("\n## ", from + 1);
	const lines = text.slice(from, to < 0 ? text.length : to).split("\n");
	const rows = lines.filter((line) => line.startsWith("|")).map((line) => line.slice(1, -1).split("|"));
	return rows.slice(2).map((cells) => cells.map((cell) => cell.trim()));
}

// docs/reasons.md

const reasonRows = tableRows("docs/reasons.md", "# Why a call is denied");

test("docs/reasons.md has every reason, in the order of the program", (t) => {
	t.deepEqual(
		reasonRows.map(([reason]) => reason),
		REASONS.map((reason) => `\`${reason}\``),
	);
});
for (const cells of reasonRows) {
	test(`docs/reasons.md says of ${cells[0]} when it comes, what to do and whether the user is told`, (t) => {
		t.is(cells.length, 4);
		for (const cell of cells) t.not(cell, "");
		t.regex(cells[3] ?? "", /^(yes|no)\b/);
	});
}
for (const [reason, rules, call, more] of [
	["unknown-source", "… b allow", "nosuch→b", {}],
	["invalid-target-token", "… b allow", "a→@anyvm", {}],
	["not-a-dispvm-template", "… b allow", "a→@dispvm:b", {}],
	["request-error", "… b allow", "a→b", { requestedSource: "b" }],
	["no-matching-rule", "… c allow", "a→b", {}],
	["bad-user", "… b allow user=:", "a→b", {}],
	["denied-by-rule", "… b deny", "a→b", {}],
	["no-target", "… @anyvm allow", "a→", {}],
	["no-default-dispvm", "… @dispvm allow", "nod→@dispvm", {}],
	["autostart", "… c allow autostart=no", "a→c", {}],
	["ask-no-targets", "… int ask", "a→int", {}],
	["loopback", "… a allow", "a→a", {}],
	["relay-not-set", "… rem3 allow", "a→rem3", {}],
	["transport-not-set", "… rem2 allow", "a→rem2", {}],
	["unfit-answer", "… rem allow", "a→rem", { argument: `+${"x".repeat(4000)}` }],
] as const) {
	test(`docs/reasons.md is right about who is told of ${reason}`, (t) => {
		const [, given, quiet] = decide(rules, call, more).split(" ");
		t.is(given, reason);
		const row = reasonRows.find(([name]) => name === `\`${reason}\``);
		t.regex(row?.[3] ?? "", quiet === "quiet" ? /^no\b/ : /^yes\b/);
	});
}

// README.md

test("the README explains each option that --help lists, and no other", (t) => {
	const inHelp = helpText().match(/--[a-z-]+/g) ?? [];
	const inReadme = tableRows("README.md", "## Options").flatMap(([option]) => option?.match(/--[a-z-]+/g) ?? []);
	t.true(inHelp.length > 10);
	t.deepEqual([...new Set(inReadme)].sort(), [...new Set(inHelp)].sort());
});
test("what the README shows in its consoles is what the programs print", (t) => {
	const text = fs.readFileSync(path.join(ROOT, "README.md"), "utf8");
	const consoles = [...text.matchAll(/```console\n([^`]+)```/g)].map(([, content]) => content as string);
	t.is(consoles.length, 2);
	for (const content of consoles) {
		const [commands, shown] = [content.match(/^\$ .*$/gm) ?? [], content.replace(/^\$ .*\n/gm, "")];
		const script = commands.map((command) => command.slice(2).replaceAll("/tmp/p", `${scratch}/p`)).join("\n");
		const { stdout } = spawnSync("sh", ["-c", script], { cwd: ROOT, encoding: "utf8" });
		t.is(stdout.replaceAll(ROOT, "/home/user/qubes-core-ts").replaceAll(`${scratch}/p`, "/tmp/p"), shown);
	}
});

// docs/differences.md

/** What is named somewhere in the tests, but in this one. */
function namedInTests(): Set<string> {
	const named = new Set<string>();
	for (const file of fs.readdirSync(path.join(ROOT, "test"), { recursive: true, encoding: "utf8" })) {
		if (!file.endsWith(".test.ts") || file.endsWith("core/docs.test.ts")) continue;
		const text = fs.readFileSync(path.join(ROOT, "test", file), "utf8");
		for (const number of text.match(/\bQ[0-9]+\b/g) ?? []) named.add(number);
	}
	return named;
}

const CORE = "## The policy core";
const PROGRAM = "## The per-call program, `qrexec-policy-exec`";

function numbersOf(heading: string): string[] {
	return tableRows("docs/differences.md", heading).map(([number]) => number ?? "");
}

for (const heading of [CORE, PROGRAM]) {
	test(`docs/differences.md, ${heading}: each number is named in a test`, (t) => {
		const named = namedInTests();
		t.true(numbersOf(heading).length > 5);
		t.deepEqual(
			numbersOf(heading).filter((number) => !named.has(number)),
			[],
		);
	});
	test(`docs/differences.md, ${heading}: each row is whole and the numbers go up`, (t) => {
		for (const cells of tableRows("docs/differences.md", heading)) {
			t.is(cells.length, 3, cells[0]);
			for (const cell of cells) t.not(cell, "", cells[0]);
		}
		const numbers = numbersOf(heading).map((number) => Number(number.slice(1)));
		t.deepEqual(
			numbers,
			[...numbers].sort((a, b) => a - b),
		);
	});
}
test("docs/differences.md names each of Q1 to Q57, one that is built in one table only", (t) => {
	const text = fs.readFileSync(path.join(ROOT, "docs/differences.md"), "utf8");
	const built = [...numbersOf(CORE), ...numbersOf(PROGRAM)];
	t.is(new Set(built).size, built.length);
	const later: string[] = text.slice(text.indexOf("## Not built yet")).match(/\bQ[0-9]+\b/g) ?? [];
	const wanted = Array.from({ length: 57 }, (_, i) => `Q${i + 1}`);
	t.deepEqual(
		wanted.filter((number) => !built.includes(number) && !later.includes(number)),
		[],
	);
	t.deepEqual(
		[...built, ...later].filter((number) => !wanted.includes(number)),
		[],
	);
});
