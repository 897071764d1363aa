// Makes whole cases out of a seed: policy files, system information and a call, most of them damaged in some way.
import fs from "node:fs";
import path from "node:path";
import { house } from "../core/fixtures.ts";
import { Random, randomCall, randomRule, randomRules } from "../core/random.ts";

/** One case. All texts are bytes, one for each character (latin1). Names start with `/p1/`, `/p2/` or `/old/`; `%{ROOT}` stands for the directory of these. */
export interface FuzzCase {
	readonly files: { [name: string]: string };
	readonly links: { [name: string]: string };
	systemInfo: string;
	readonly source: string;
	readonly target: string;
	readonly service: string;
	readonly requestedSource: string | null;
}

/** The case number `index` of a seed: the same each time. */
export function makeCase(seed: number, index: number): FuzzCase {
	const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
	const made = makeSound(random);
	if (random.oneIn(4)) return made;
	for (let count = 1 + random.int(3); count > 0; count--) damage(random, made);
	if (random.oneIn(5)) made.systemInfo = mutateJson(random, made.systemInfo);
	return made;
}

const EXAMPLES = path.resolve("examples");
/** The policy that comes with the examples, line by line. */
const REAL_LINES = realFiles(path.join(EXAMPLES, "policy.d")).flatMap((file) => fs.readFileSync(file, "latin1").split("\n"));
const SYSTEM_INFO = makeSystemInfo();
const REAL_NAMES = Object.keys((JSON.parse(SYSTEM_INFO) as { domains: object }).domains);
const REAL_SERVICES = [...new Set(REAL_LINES.map((line) => line.split(/\s/)[0] ?? "").filter((head) => /^[a-z]/.test(head)))];

function realFiles(dir: string): string[] {
	const names = fs.readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
	return names.map((name) => path.join(dir, name)).filter((file) => fs.statSync(file).isFile());
}

function makeSystemInfo(): string {
	const { domains } = JSON.parse(fs.readFileSync(path.join(EXAMPLES, "system-info.json"), "utf8")) as { domains: object };
	return JSON.stringify({ domains: { ...domains, ...house() } });
}

const SERVICE_LINES = [
	"$anyvm $anyvm ask",
	"$anyvm $adminvm allow,user=root",
	"a b allow",
	"* * ask default_target=b",
	"@tag:t1 @default allow target=b notify=yes",
	"$tag:t2 $dispvm allow,target=$dispvm:dvm",
	"@anyvm @dispvm:@tag:t3 ask autostart=no",
	"# old",
	"$include:x",
	"!include x",
	"@anyvm @anyvm deny",
];
const DIRECTIVES = [
	"!include include/x",
	"!include include/y",
	"!include %{ROOT}/p2/include/x",
	"!include ../p2/./include//x/",
	"!include include/link",
	"!include-dir include/dir",
	"!include-dir include",
	"!include-service s.S * include/svc",
	"!include-service s.S +x include/svc",
	"!include-service s.T * include/svc",
	"!include-service * * include/svc",
	"!include-service s.U + include/svc",
	"!compat-4.0",
];

function makeSound(random: Random): FuzzCase {
	const files: { [name: string]: string } = {};
	const links: { [name: string]: string } = {};
	for (let count = random.int(3); count > 0; count--) files[`/p1/${topName(random)}`] = columns(random, 6);
	for (let count = 1 + random.int(3); count > 0; count--) files[`/p2/${topName(random)}`] = columns(random, 25);
	files["/p2/include/x"] = columns(random, 6, 50);
	files["/p2/include/y"] = columns(random, 6, 50);
	files["/p2/include/svc"] = service(random);
	files["/p2/include/dir/a.policy"] = columns(random, 4, 30);
	if (random.oneIn(2)) files["/p2/include/dir/README"] = "not read\n";
	for (const name of ["s.S", "s.S+x", "s.S+", "s.T", "x", "s.T.rpmsave"]) {
		if (random.oneIn(2)) files[`/old/${name}`] = service(random);
	}
	links["/p2/include/link"] = random.oneIn(10) ? "gone" : random.pick(["x", "%{ROOT}/p2/include/y", "../include/x"]);
	// Relative paths start from the directory of the top-level file, so there is one include directory for both.
	links["/p1/include"] = "../p2/include";
	const call = randomCall(random);
	if (random.oneIn(2)) {
		return {
			...{ files, links, systemInfo: SYSTEM_INFO },
			source: random.pick(REAL_NAMES),
			target: random.pick(["", "@default", "@dispvm", ...REAL_NAMES]),
			service: random.pick(REAL_SERVICES) + random.pick(["", "+", "+x"]),
			requestedSource: null,
		};
	}
	const { source, target, requestedSource } = call;
	return { files, links, systemInfo: SYSTEM_INFO, source, target, service: call.service + call.argument, requestedSource };
}

function topName(random: Random): string {
	return `${random.pick(["10", "30", "50", "90"])}-${random.pick(["user", "default", "x"])}.policy`;
}

/** Rules made up, rules from the examples, and a directive now and then (one of `rare` lines). */
function columns(random: Random, most: number, rare = 6): string {
	const lines = random.oneIn(4) ? [] : randomRules(random, most);
	const from = random.int(REAL_LINES.length);
	if (random.oneIn(2)) lines.push(...REAL_LINES.slice(from, from + random.int(most)).filter((line) => !line.startsWith("!")));
	for (let count = random.int(1 + most / rare); count > 0; count--) {
		lines.splice(random.int(lines.length + 1), 0, random.pick(DIRECTIVES));
	}
	return `${lines.join("\n")}\n`;
}

function service(random: Random): string {
	const lines: string[] = [];
	for (let count = random.int(6); count > 0; count--)
		lines.push(random.pick(SERVICE_LINES.filter((line) => !/[!:]x|!inc/.test(line))));
	if (random.oneIn(8)) lines.push(random.pick(SERVICE_LINES));
	return `${lines.join("\n")}\n`;
}

/** Changes one thing about the files. */
function damage(random: Random, made: FuzzCase): void {
	const { files, links } = made;
	const names = Object.keys(files);
	const name = random.pick(names);
	switch (random.int(24)) {
		case 0: {
			const from = 56 + random.int(12);
			files["/p2/20-chain.policy"] = "!include include/c1\n";
			for (let i = 1; i <= from; i++) files[`/p2/include/c${i}`] = `!include include/c${i + 1}\n`;
			files[`/p2/include/c${from + 1}`] = columns(random, 3, 100);
			return;
		}
		case 1: {
			const [a, b] = [random.pick(names), random.pick(names)];
			files[a] += `!include %{ROOT}${b}\n`;
			files[b] += `!include %{ROOT}${a}\n`;
			return;
		}
		case 2:
			links[`/p2/include/${random.pick(["x2", "link", "loop"])}`] = random.pick([
				"loop",
				"link",
				"../..",
				"x/y",
				"\xff",
				".",
				"x".repeat(300),
			]);
			files["/p2/40-links.policy"] = `!include include/${random.pick(["loop", "link", "link/x"])}\n`;
			return;
		case 3:
			files[`/${random.pick(["p1", "p2", "p2/include/dir", "old"])}/${random.pick(ODD_NAMES)}`] = columns(random, 2);
			return;
		case 4:
			// Twice each, thirty deep: only the limit of all includes ends it. Rare, as it takes a while.
			if (!random.oneIn(20)) return;
			for (let i = 1; i < 30; i++) files[`/p2/include/d${i}`] = `!include include/d${i + 1}\n`.repeat(2);
			files["/p2/include/d30"] = "";
			files["/p2/60-double.policy"] = "!include include/d1\n";
			return;
		default:
			files[name] = mutateText(random, files[name] as string);
	}
}

const ODD_NAMES = [
	"A.policy",
	"a b.policy",
	".policy",
	".x.policy",
	"a.policy~",
	"\xff.policy",
	"\xc3\xa4.policy",
	"-.policy",
	"!.policy",
	"a\x01.policy",
];

/** Bytes that are special to somebody: control characters, line ends and white space that are none, marks, half characters. */
const SPECIAL = [
	"\0",
	"\r",
	"\r\n",
	"\n",
	"\t",
	"\x0b",
	"\x0c",
	"\x1b",
	"\x1c",
	"\x1f",
	"\x7f",
	"\xef\xbb\xbf",
	"\xc2\x85",
	"\xc2\xa0",
	"\xe2\x80\xa8",
]
	.concat([
		"\xe3\x80\x80",
		"\xff",
		"\xc3",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xc0\x80",
		"\xf0\x9f\x98\x80",
		"\xe2\x80\xae",
		"\\",
		'"',
		"#",
		"!",
	])
	.concat(["$", ",", "@", "*", "=", "+", ":", "%", "__proto__", "constructor"]);

const FIELDS = [
	"*",
	"@anyvm",
	"@adminvm",
	"@default",
	"@dispvm",
	"@dispvm:",
	"@dispvm:@tag:",
	"@tag:",
	"@type:AppVM",
	"@dispvm:@dispvm",
	"**",
	"+",
	"++",
]
	.concat([
		"allow",
		"ask",
		"deny",
		"target=",
		"target=dom0",
		"target=@dispvm",
		"user=a:b",
		"user=",
		"=",
		"x=y",
		"notify=maybe",
		"autostart=no",
	])
	.concat([
		"default_target=@dispvm",
		"!include",
		"!include-service",
		"!include-dir",
		"!compat-4.0",
		"uuid:",
		"dom0",
		"__proto__",
		"toString",
	]);

/** Changes one thing about a text. */
export function mutateText(random: Random, text: string): string {
	const at = random.int(text.length + 1);
	const length = 1 + random.int(random.oneIn(4) ? 40 : 3);
	const lines = text.split("\n");
	const line = random.int(lines.length);
	switch (random.int(17)) {
		case 0:
			return text.slice(0, at) + text.slice(at + length);
		case 1:
			return text.slice(0, at + length) + text.slice(at);
		case 2:
			return text.slice(0, at) + text.slice(at + 1, at + 2) + text.slice(at, at + 1) + text.slice(at + 2);
		case 3:
			return text.slice(0, at) + String.fromCharCode(random.int(256)) + text.slice(at + 1);
		case 4:
		case 5:
			return text.slice(0, at) + random.pick(SPECIAL) + text.slice(at);
		case 6:
			lines.splice(line, 1);
			return lines.join("\n");
		case 7:
			lines.splice(random.int(lines.length + 1), 0, lines[line] as string);
			return lines.join("\n");
		case 8:
			lines.splice(random.int(lines.length), 0, ...lines.splice(line, 1));
			return lines.join("\n");
		case 9:
			return text.replaceAll("\n", random.pick(["\r\n", "\r", "\n\r", "\n\n", "\x85"]));
		case 10:
			return text.slice(0, at);
		case 11:
			return text.replaceAll(" ", random.pick(["\t", "  ", "\x0b", "\xc2\xa0", "\x1f", "\xef\xbb\xbf"]));
		case 12:
			return text.slice(0, at) + "x".repeat(random.oneIn(10) ? 100_000 : 300) + text.slice(at);
		case 13:
			return randomBytes(random);
		case 14:
			lines.splice(line, 0, randomRule(random));
			return lines.join("\n");
		default: {
			const fields = (lines[line] as string).split(" ");
			mutateFields(random, fields);
			lines[line] = fields.join(" ");
			return lines.join("\n");
		}
	}
}

function mutateFields(random: Random, fields: string[]): void {
	const [a, b] = [random.int(fields.length), random.int(fields.length)];
	const [first, second] = [fields[a] as string, fields[b] as string];
	switch (random.int(5)) {
		case 0:
			fields.splice(a, 1);
			break;
		case 1:
			fields.splice(a, 0, second);
			break;
		case 2:
			fields[a] = second;
			fields[b] = first;
			break;
		case 3:
			fields.push(random.pick(FIELDS));
			break;
		default:
			fields[a] = random.pick(FIELDS);
	}
}

function randomBytes(random: Random): string {
	let bytes = "";
	for (let count = random.int(200); count > 0; count--) bytes += String.fromCharCode(random.int(random.oneIn(2) ? 256 : 128));
	return bytes;
}

const JSON_VALUES = [
	"null",
	"0",
	"-1",
	"1e400",
	"true",
	'""',
	'"x"',
	"[]",
	"{}",
	'"\\ud800"',
	'"\\udc00\\ud800"',
	'"a\\nb"',
	'"\\u0000"',
	"[1]",
	'["t1",2,null]',
].concat([
	'{"__proto__":null}',
	'"Running"',
	'"dom0"',
	'"a"',
	"01",
	"1.",
	".5",
	"+1",
	"NaN",
	"'x'",
	'"\t"',
	'"\\x41"',
	'"\\u12"',
	"undefined",
	"[,]",
]);

/** Changes one or more things about a JSON text. */
export function mutateJson(random: Random, json: string): string {
	let text = json;
	for (let count = 1 + random.int(3); count > 0; count--) text = mutateJsonOnce(random, text);
	return text;
}

function mutateJsonOnce(random: Random, json: string): string {
	const values = [...json.matchAll(/:\s*("[^"]*"|null|true|false|\[[^\][]*\])/g)];
	const value = values.length === 0 ? null : random.pick(values);
	switch (random.int(12)) {
		case 0:
			return json.slice(0, random.int(json.length));
		case 1:
			return mutateText(random, json);
		case 2: {
			const depth = random.pick([10, 1000, 100_000]);
			const open = random.pick(["[", '{"a":', '[{"":']);
			return random.oneIn(2) ? open.repeat(depth) : json.slice(0, random.int(json.length)) + open.repeat(depth);
		}
		case 3:
			return json + random.pick([" ", "\n", "\0", "x", ",", "}", "\xef\xbb\xbf", "\xc2\xa0", "//", "/**/"]);
		case 4:
			return random.pick(["\xef\xbb\xbf", " ", "\xc2\xa0", "\x0b", "[", "null"]) + json;
		case 5:
			return random.pick([
				"",
				"null",
				"[]",
				"{}",
				'{"domains":null}',
				'{"domains":[]}',
				'{"domains":{}}',
				'{"domains":{"a":1}}',
				'"domains"',
				"\xff",
			]);
		case 6:
			// The same key twice, the last one counts; or one that every object has.
			return json.replace(
				'"domains":{',
				`"domains":{${random.pick(['"a":{}', '"__proto__":{"type":"AppVM"}', '"constructor":{}', '"a":null', '"uuid:x":{}', '"\\ud800":{}', '"1":{}', '"":{}'])},`,
			);
		default: {
			if (value === null) return json;
			const start = value.index + value[0].length - (value[1] as string).length;
			return json.slice(0, start) + random.pick(JSON_VALUES) + json.slice(value.index + value[0].length);
		}
	}
}
