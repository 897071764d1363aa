// Whatever is asked, the native program and the Node host give the same bytes, and the sanitizers find nothing.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { runInProcess } from "../../support/in-process.ts";
import { firstFew, inParallel } from "../../support/parallel.ts";
import { PROGRAMS, type Program } from "../../support/programs.ts";
import { runProgram } from "../../support/run-program.ts";
import { chooseSeed } from "../core/random.ts";
import { type Command, compareHosts, NATIVE_IN_LITTLE_MEMORY, places, saveCase, writeCase } from "./disk.ts";
import { makeCase } from "./mutate.ts";

const WIDTH = 4;
const seed = chooseSeed();
const home = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-differential-"));
test.after.always(() => fs.rmSync(home, { recursive: true, force: true }));

for (const [name, program, count] of [
	["native program, in 256 MiB of memory,", NATIVE_IN_LITTLE_MEMORY, 1500],
	["native program with sanitizers", PROGRAMS.asan, 300],
	["Node bundle", PROGRAMS.node, 100],
] as const) {
	test.serial(`the ${name} and the Node host in this process answer ${count} damaged cases with the same bytes`, async (t) => {
		t.log(`seed ${seed}`);
		const cases = Array.from({ length: count }, (_, index) => index);
		const wrong = await inParallel(cases, WIDTH, (index) => compareCase(program, index));
		t.is(firstFew(wrong.filter((text) => text !== null)), "");
	});
}

/** Texts for `--system-info`, made from a sound one. */
const SYSTEM_INFOS: { readonly [about: string]: (sound: string) => string } = {
	empty: () => "",
	"cut off": (sound) => sound.slice(0, sound.length / 2),
	"a list too deep to end": () => "[".repeat(100_000),
	"objects too deep to end": () => '{"a":'.repeat(100_000),
	"text behind it": (sound) => `${sound}x`,
	"a NUL behind it": (sound) => `${sound}\0`,
	"a byte order mark": (sound) => `\xef\xbb\xbf${sound}`,
	"bytes that are not UTF-8": (sound) => sound.replace("red", "r\xffd"),
	"domains twice": (sound) => sound.replace("{", '{"domains":{"a":{}},'),
	"a qube twice": (sound) => sound.replace('"work":', '"work":{"type":1},"work":'),
	"a qube named as a property of objects": (sound) =>
		sound.replace('"work":', '"__proto__":{"type":"AppVM"},"constructor":null,"work":'),
	"half a character as name": (sound) => sound.replace('"work":', '"\\ud800":{},"work":'),
	"half a character as uuid": (sound) => sound.replace(/"uuid": *"[^"]*"/g, '"uuid":"\\udfff\\ud800"'),
	"half a character as type": (sound) => sound.replaceAll('"AppVM"', '"\\ud83d"'),
	"numbers for strings": (sound) => sound.replaceAll(/: *"[^"]*"/g, ":1"),
	"strings for lists": (sound) => sound.replaceAll(/: *\[[^\]]*\]/g, ':"t1"'),
	"null for everything": (sound) => sound.replaceAll(/: *("[^"]*"|true|false)/g, ":null"),
	"lists for qubes": (sound) => sound.replaceAll(/("work": *)\{[^}]*\}/g, "$1[]"),
	"a comma too many": (sound) => sound.replace(/\}\s*\}\s*\}\s*$/, "},}}"),
	"a leading zero": (sound) => sound.replace(/"label": *"[^"]*"/, '"label":01'),
	"white space that JSON has not": (sound) => sound.replace("{", "{\x0b"),
	"a line end in a string": (sound) => sound.replace('"red', '"\n'),
	"single quotes": (sound) => sound.replaceAll('"', "'"),
	comments: (sound) => `/* x */${sound}`,
	"a number too large": (sound) => sound.replace('"domains"', '"x":1e999,"domains"'),
	"16 MiB": (sound) => sound + " ".repeat((16 << 20) - sound.length),
	"a byte more than 16 MiB": (sound) => sound + " ".repeat((16 << 20) - sound.length + 1),
};

test.serial("odd system information gets the same answer from all hosts", async (t) => {
	const root = path.join(home, "odd-system-info");
	const sound = fs.readFileSync("examples/system-info.json", "latin1");
	writeOddPolicy(root);
	const commands = Object.entries(SYSTEM_INFOS).flatMap(([about, spoil], index) => {
		const file = `${root}/${index}.json`;
		const input = Buffer.from(spoil(sound), "latin1");
		fs.writeFileSync(file, input);
		return ["work", "dom0", "@dispvm", "personal", ""].flatMap((target) => {
			const words = ["--json", ...places(root), "--", "work", target, "s.S+x"];
			return [
				{ about, command: { args: ["--system-info", file, ...words], input: Buffer.alloc(0) } },
				{ about: `${about}, on standard input`, command: { args: ["--system-info", "-", ...words], input } },
			];
		});
	});
	await compareAll(t, commands);
});

/** No JSON, but QuickJS alone would read it. */
const ALMOST_JSON = ["-01", "-01.5", "1.", "1.e5", '"\\x41"', '"\\v"', '"\\a"', '"\\\'"', '"a\\\nb"', '"\\u{41}"'];

for (const value of ALMOST_JSON) {
	test(`all hosts refuse ${JSON.stringify(value)} in the system information, which is no JSON`, (t) => {
		t.is(askWith("almost-json", value, runNative).reason, "data-error");
		t.is(askWith("almost-json", value, runInProcessFor).reason, "data-error");
	});
}

for (const value of [
	"0",
	"-0",
	"-1.5e+10",
	"1E2",
	"[]",
	"{}",
	'[{"a":[1,{"b":null}]},true]',
	'"\\u00e4\\/\\b"',
	'" x "',
	"\t[ 1 ,\n2 ]\r",
]) {
	test(`no host minds ${JSON.stringify(value)} in the system information`, (t) => {
		const answer = askWith("sound-json", value, runNative);
		t.is(answer.reason, undefined);
		t.deepEqual(answer, askWith("sound-json", value, runInProcessFor));
	});
}

for (const [depth, reason] of [
	[63, undefined],
	[64, "data-error"],
	[100_000, "data-error"],
] as const) {
	test(`lists nested ${depth} deep in the system information: ${reason ?? "nobody minds"}`, (t) => {
		const value = "[".repeat(depth) + "]".repeat(depth);
		t.is(askWith("deep", value, runNative).reason, reason);
		t.is(askWith("deep", value, runInProcessFor).reason, reason);
	});
}

/** The answer to a call with a sound system information that has one more member, which nobody needs. */
function askWith(name: string, value: string, how: (args: readonly string[]) => string): { reason?: string } {
	const root = path.join(home, name);
	writeOddPolicy(root);
	const file = `${root}/system-info.json`;
	fs.writeFileSync(
		file,
		fs.readFileSync("examples/system-info.json", "utf8").replace("{", () => `{"more":${value},`),
	);
	return JSON.parse(how(["--json", ...places(root), "--system-info", file, "--", "work", "vault", "s.S+x"])) as {
		reason?: string;
	};
}

function runInProcessFor(args: readonly string[]): string {
	return runInProcess(args).stdout;
}

function runNative(args: readonly string[]): string {
	return spawnSync(PROGRAMS.native.argv[0], args, { encoding: "utf8" }).stdout;
}

/** Command lines, each beside the usual places. */
const COMMAND_LINES: readonly (readonly string[])[] = [
	...[[], ["--help"], ["-h"], ["--he"], ["--version"], ["--help", "--bad"], ["--bad", "--help"], ["-x"], ["-"], ["--"], [""]],
	...[["work"], ["work", "vault"], ["work", "vault", "s.S", "x"], ["1", "work", "vault", "s.S", "x", "y"]],
	...[
		["work", "vault", "s.S", "--json"],
		["--json=1", "work", "vault", "s.S"],
		["--j", "work", "vault", "s.S"],
	],
	...[
		["--p", "/x", "work", "vault", "s.S"],
		["--path"],
		["--path=", "work", "vault", "s.S"],
		["--path", "", "work", "vault", "s.S"],
	],
	...["0", "1", "3600", "3601", "-1", "1e2", "0x10", "5.5", " 5 ", "", "NaN", "Infinity", "5s", "1_0", "٥"].map((seconds) => [
		...["--timeout", seconds, "--json", "work", "vault", "s.S"],
	]),
	...[
		"",
		"+",
		"+x",
		"s",
		"s.S+",
		"s.S++",
		"s.S+x+y",
		"s S",
		"s.S+\n",
		"ä",
		"😀",
		"\ud800",
		"*",
		"!include",
		"s".repeat(100_000),
	].map((service) => [...["--json", "work", "vault", service]]),
	...[
		"",
		"@default",
		"@dispvm",
		"@dispvm:",
		"@dispvm:x",
		"@anyvm",
		"*",
		"@tag:x",
		"uuid:",
		"uuid:x",
		"dom0",
		"@adminvm",
		"\n",
		"a\x1bb",
		"ä",
		"\ufffd",
	].flatMap((word) => [
		["--json", "work", word, "s.S+x"],
		["--explain", "work", word, "s.S+x"],
		["work", word, "s.S+x"],
		["--json", word, "vault", "s.S+x"],
		[word, "vault", "s.S+x"],
		["--json", "--requested-source", word, "work", "vault", "s.S+x"],
	]),
	...["__proto__", "constructor", "toString", "hasOwnProperty"].map((name) => ["--json", name, name, name]),
	["--json", "x".repeat(100_000), "y".repeat(100_000), "s.S"],
	["--json", ...Array.from({ length: 5000 }, () => "--path=/nowhere"), "work", "vault", "s.S"],
	Array.from({ length: 5000 }, (_, index) => String(index)),
	["--json", "--path", "test", "work", "vault", "s.S"],
	["--json", "--legacy-dir", "../..", "work", "vault", "s.S"],
	...["", "/", "/dev/null", "/nowhere", "/etc/passwd/x", "x".repeat(300), "package.json"].map((file) => [
		"--json",
		"--system-info",
		file,
		"work",
		"vault",
		"s.S",
	]),
	...["", "/", "/nowhere", "/dev/null", `/${"x".repeat(200)}`].map((dir) => ["--json", "--path", dir, "work", "vault", "s.S"]),
];

test.serial("odd command lines get the same answer from all hosts", async (t) => {
	const root = path.join(home, "odd-commands");
	writeOddPolicy(root);
	const usual = [...places(root), "--system-info", path.resolve("examples/system-info.json")];
	const commands = COMMAND_LINES.map((words) => {
		return { about: JSON.stringify(words), command: { args: [...usual, ...words], input: Buffer.alloc(0) } };
	});
	await compareAll(t, commands);
});

test.serial("a command line that is not UTF-8 is refused by all programs", async (t) => {
	const root = path.join(home, "not-utf-8");
	writeOddPolicy(root);
	const usual = [...places(root), "--json", "--system-info", path.resolve("examples/system-info.json")];
	for (const program of [PROGRAMS.native, PROGRAMS.asan, PROGRAMS.node]) {
		const shell = ["/bin/sh", "-c", 'exec "$@" "$(printf "wo\\377rk")" vault s.S', "sh", ...program.argv] as const;
		const { status, stdout, stderr } = await runProgram({ ...program, argv: shell }, usual);
		t.is(stderr, "");
		t.is(status, 1);
		t.is((JSON.parse(stdout) as { reason: string }).reason, "bad-request");
	}
});

function writeOddPolicy(root: string): void {
	for (const dir of ["p1", "p2", "old"]) fs.mkdirSync(path.join(root, dir), { recursive: true });
	fs.writeFileSync(`${root}/p2/50.policy`, POLICY);
}

/** Something for each kind of target, so that all of the system information is looked at. */
const POLICY = `s.S +x * @dispvm allow
s.S +x @anyvm @adminvm ask target=@dispvm:default-dvm
s.S +x @tag:none @anyvm deny
s.S * * @default ask default_target=@dispvm
* * * * allow notify=yes
`;

/** A command and what it is about. */
interface Asked {
	readonly about: string;
	readonly command: Command;
}

async function compareAll(t: ExecutionContext, commands: readonly Asked[]): Promise<void> {
	for (const program of [PROGRAMS.native, PROGRAMS.asan]) {
		const wrong = await inParallel(commands, WIDTH, async ({ about, command }) => {
			const difference = await compareHosts(program, command);
			return difference === null ? [] : [`${about.slice(0, 60)} → ${command.args.at(-2)?.slice(0, 20)}: ${difference}`];
		});
		t.is(firstFew(wrong.flat(), 20), "", path.basename(program.argv[0]));
	}
}

async function compareCase(program: Program, index: number): Promise<string | null> {
	const root = path.join(home, String(index));
	const made = makeCase(seed, index);
	const wrong = await compareHosts(program, writeCase(root, made, index));
	fs.rmSync(root, { recursive: true });
	if (wrong === null) return null;
	return `seed ${seed}, case ${index} (${saveCase(made, seed, index)}): ${wrong}`;
}
