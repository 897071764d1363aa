import test from "ava";
import { PolicyLoadError } from "../../../policy-cli/core/errors.ts";
import { loadPolicy, MAX_FILE_BYTES, type Policy } from "../../../policy-cli/core/load.ts";
import { formatRule, formatRulePlace } from "../../../policy-cli/core/rule.ts";
import { house, judge, sum, systemOf } from "./fixtures.ts";
import { MemoryFiles, type Tree } from "./memory-files.ts";
import { chooseSeed, Random, randomCall, randomRules } from "./random.ts";

const PLACES = { dirs: ["/run/p", "/etc/p"], legacyDir: "/old" };
const RULE = "* * a b allow";
const ONE = "a b allow";

function load(tree: Tree, failures: { readonly [call: string]: string } = {}, wanted: string | null = null): Policy {
	return loadPolicy(new MemoryFiles({ "/run/p": "<dir>", "/etc/p": "<dir>", ...tree }, failures), PLACES, wanted);
}

/** Each rule as `FILE:LINE` or, where it is not the usual one, `FILE:LINE RULE`; a failure as one line. */
function outcome(tree: Tree, failures: { readonly [call: string]: string } = {}, wanted: string | null = null): string[] {
	try {
		return load(tree, failures, wanted).rules.map((rule) => {
			const text = formatRule(rule);
			return formatRulePlace(rule) + (text === RULE ? "" : ` ${text}`);
		});
	} catch (error) {
		if (!(error instanceof PolicyLoadError)) throw error;
		const { at, reason } = error;
		return [`${reason} ${at?.file}:${at?.line}:${at?.column}`];
	}
}

function loads(title: string, tree: Tree, ...wanted: string[]): void {
	test(title, (t) => t.deepEqual(outcome(tree), wanted));
}

/** A tree whose `/etc/p/50.policy` is this text. */
function main(text: string, more: Tree = {}): Tree {
	return { "/etc/p/50.policy": text, ...more };
}

// Top level (spec 3.1, 3.2).

loads("no files are no rules", {});
loads(
	"files of both directories are sorted by name together",
	{ "/run/p/30.policy": RULE, "/etc/p/40.policy": RULE, "/etc/p/20.policy": RULE, "/run/p/50.policy": RULE },
	"/etc/p/20.policy:1",
	"/run/p/30.policy:1",
	"/etc/p/40.policy:1",
	"/run/p/50.policy:1",
);
loads(
	"names are sorted by code point",
	{
		"/etc/p/a.policy": RULE,
		"/etc/p/_.policy": RULE,
		"/etc/p/-.policy": RULE,
		"/etc/p/9.policy": RULE,
		"/etc/p/a-.policy": RULE,
	},
	"/etc/p/-.policy:1",
	"/etc/p/9.policy:1",
	"/etc/p/_.policy:1",
	"/etc/p/a-.policy:1",
	"/etc/p/a.policy:1",
);
loads("an empty file in the first directory hides that name in the second", { "/run/p/x.policy": "", "/etc/p/x.policy": RULE });
loads(
	"a dangling link in the first directory hides nothing",
	{ "/run/p/x.policy": { link: "gone" }, "/etc/p/x.policy": RULE },
	"/etc/p/x.policy:1",
);
loads(
	"a directory in the first directory hides nothing",
	{ "/run/p/x.policy": "<dir>", "/etc/p/x.policy": RULE },
	"/etc/p/x.policy:1",
);
loads("a fifo is no policy file", { "/etc/p/x.policy": "<fifo>" });
loads("a link loop among the top-level files is ignored", { "/etc/p/x.policy": { link: "x.policy" } });
loads(
	"a top-level link is followed and keeps its own path",
	{ "/etc/p/x.policy": { link: "/elsewhere/y" }, "/elsewhere/y": RULE },
	"/etc/p/x.policy:1",
);
for (const name of ["README", "x.policyx", "x.policy~", "x.policy.bak", "x.POLICY", ".x.policy", ".policy", "policy", "!x"]) {
	loads(`a file named ${name} is ignored`, { [`/etc/p/${name}`]: "bad" });
}
for (const name of ["x.y.policy", "0_-.policy", "-.policy", "x..policy"]) {
	loads(`a file named ${name} is loaded`, { [`/etc/p/${name}`]: RULE }, `/etc/p/${name}:1`);
}
for (const name of ["A.policy", "a b.policy", "!a.policy", "é.policy", "a+.policy", "a\n.policy", "a~.policy", "\\xff.policy"]) {
	loads(
		`a file named ${JSON.stringify(name)} breaks the load`,
		{ [`/etc/p/${name}`]: "" },
		`invalid-filename /etc/p/${name}:null:null`,
	);
}
loads(
	"a bad name is found before anything is read",
	{ "/run/p/a.policy": "bad", "/etc/p/A.policy": "" },
	"invalid-filename /etc/p/A.policy:null:null",
);
loads("a file that is hidden is not read", { "/run/p/a.policy": RULE, "/etc/p/a.policy": "bad" }, "/run/p/a.policy:1");
loads(
	"a hidden file that is not UTF-8 does no harm",
	{ "/run/p/a.policy": RULE, "/etc/p/a.policy": "<not utf-8>" },
	"/run/p/a.policy:1",
);

test("each policy directory must exist", (t) => {
	for (const dir of PLACES.dirs) {
		const tree: Tree = { "/run/p": "<dir>", "/etc/p": "<dir>" };
		const files = new MemoryFiles(Object.fromEntries(Object.entries(tree).filter(([path]) => path !== dir)));
		const error = t.throws(() => loadPolicy(files, PLACES, null), { instanceOf: PolicyLoadError });
		t.is(error?.reason, "load-error");
		t.true(error?.message.includes(`failed to load directory ${dir}: opendir ${dir}: no such file or directory (ENOENT)`));
	}
});

test("one directory or three will do as well", (t) => {
	const files = new MemoryFiles({ "/x/a.policy": RULE, "/y/a.policy": "bad", "/y/b.policy": RULE, "/z": "<dir>" });
	t.is(loadPolicy(files, { dirs: ["/x"], legacyDir: "/old" }, null).rules.length, 1);
	t.is(loadPolicy(files, { dirs: ["/x", "/y", "/z"], legacyDir: "/old" }, null).rules.length, 2);
});

// Paths of directives (spec 1.6).

const X = "* * x x deny";
const AT_X = "* * x x deny";
loads(
	"an include stands where its line is",
	main(`${RULE}\n!include x\n${RULE}`, { "/etc/p/x": X }),
	"/etc/p/50.policy:1",
	`/etc/p/x:1 ${AT_X}`,
	"/etc/p/50.policy:3",
);
loads("a file may be included twice", main("!include x\n!include x", { "/etc/p/x": RULE }), "/etc/p/x:1", "/etc/p/x:1");
loads("what is included may include", main("!include x", { "/etc/p/x": "!include y", "/etc/p/y": RULE }), "/etc/p/y:1");
loads("any name may be included", main("!include X~", { "/etc/p/X~": RULE }), "/etc/p/X~:1");
loads(
	"a relative path starts from the directory of the top-level file",
	main("!include include/x", { "/etc/p/include/x": "!include y", "/etc/p/y": RULE, "/etc/p/include/y": X, "/run/p/y": X }),
	"/etc/p/y:1",
);
loads(
	"a relative path in a file of the first directory is not looked for in the second",
	{ "/run/p/50.policy": "!include x", "/etc/p/x": RULE },
	"syntax-error /run/p/50.policy:1:10",
);
loads(
	"what a top-level link includes starts from the directory that was listed",
	{ "/etc/p/x.policy": { link: "/else/x" }, "/else/x": "!include y", "/etc/p/y": RULE, "/else/y": X },
	"/etc/p/y:1",
);
loads("an absolute path is used as it is", main("!include /x/y", { "/x/y": RULE }), "/x/y:1");
loads(
	"dots, doubled and trailing slashes are dropped",
	main("!include .//inc/./x//", { "/etc/p/inc/x": RULE }),
	"/etc/p/inc/x:1",
);
loads("two dots leave the directory", main("!include ../q/x", { "/etc/q/x": RULE }), "/etc/q/x:1");
loads("two dots above the root stay there", main("!include /../../x", { "/x": RULE }), "/x:1");
loads("two dots after a missing name take it away", main("!include gone/../x", { "/etc/p/x": RULE }), "/etc/p/x:1");
loads("two dots after a file take it away", main("!include y/../x", { "/etc/p/x": RULE, "/etc/p/y": "" }), "/etc/p/x:1");
loads(
	"two dots after a link leave where it leads to",
	main("!include l/../x", { "/etc/p/l": { link: "/far/away" }, "/far/away": "<dir>", "/far/x": RULE, "/etc/p/x": X }),
	"/far/x:1",
);
loads(
	"an included link shows the path it leads to",
	main("!include l", { "/etc/p/l": { link: "m" }, "/etc/p/m": { link: "/x" }, "/x": RULE }),
	"/x:1",
);
loads(
	"a link inside a path is followed",
	main("!include l/x", { "/etc/p/l": { link: "../q/./r" }, "/etc/q/r": { link: "/far" }, "/far/x": RULE }),
	"/far/x:1",
);
loads("forty links in one path are followed", main("!include l0", chain(40)), "/x:1");
loads("forty-one links in one path are a loop", main("!include l0", chain(41)), "syntax-error /etc/p/50.policy:1:10");
loads("a link to itself is a loop", main(" !include l", { "/etc/p/l": { link: "l" } }), "syntax-error /etc/p/50.policy:1:11");
loads(
	"links to each other are a loop",
	main("!include-dir l", { "/etc/p/l": { link: "m" }, "/etc/p/m": { link: "l/x" } }),
	"syntax-error /etc/p/50.policy:1:14",
);

function chain(links: number): Tree {
	const tree: { [path: string]: { link: string } | string } = { "/x": RULE };
	for (let i = 0; i < links; i++) tree[`/etc/p/l${i}`] = { link: i === links - 1 ? "/x" : `l${i + 1}` };
	return tree;
}

for (const [what, path, more] of [
	["nothing", "x", {}],
	["a directory", "x", { "/etc/p/x": "<dir>" }],
	["a fifo", "x", { "/etc/p/x": "<fifo>" }],
	["below a file", "x/y", { "/etc/p/x": "" }],
	["a dangling link", "x", { "/etc/p/x": { link: "gone" } }],
	["a path with NUL", "x\0", { "/etc/p/x": "" }],
	["a path with NUL after two dots", "x\0/../x", { "/etc/p/x": "" }],
	["the directory itself", ".", {}],
	["the root", "/", {}],
] as const) {
	const tree = more as Tree;
	loads(`!include of ${what} is an error at the path`, main(`#\n!include\t${path}`, tree), "syntax-error /etc/p/50.policy:2:10");
	loads(
		`!include-service of ${what} is an error at the path`,
		main(`!include-service s * ${path}`, tree),
		"syntax-error /etc/p/50.policy:1:22",
	);
	loads(
		`$include: of ${what} is an error at the path`,
		main("!include-service s * one", { "/etc/p/one": `$include:,${path}`, ...tree }),
		"syntax-error /etc/p/one:1:11",
	);
}
for (const [what, path, more] of [
	["nothing", "x", {}],
	["a file", "x", { "/etc/p/x": "" }],
	["a path with NUL", "\0", {}],
] as const) {
	loads(
		`!include-dir of ${what} is an error at the path`,
		main(`!include-dir ${path}`, more),
		"syntax-error /etc/p/50.policy:1:14",
	);
}

test("the messages say what is not there", (t) => {
	const message = (text: string) => t.throws(() => load(main(text)), { instanceOf: PolicyLoadError })?.message;
	t.is(message("!include x"), "/etc/p/50.policy:1:10: not a file: /etc/p/x (ENOENT)");
	t.is(message("!include-dir x"), "/etc/p/50.policy:1:14: not a directory: /etc/p/x (ENOENT)");
	t.is(message("!include-dir x\0"), "/etc/p/50.policy:1:14: not a directory: x\0");
});

test("a path component of 256 bytes is an error either way", (t) => {
	const [only] = outcome(main(`!include ${"x".repeat(256)}`));
	t.regex(only ?? "", /^(syntax|load)-error \/etc\/p\/50.policy:1:10$/);
});

// Directories (spec 1.6, 3.2).

test("an empty directory is fine, and nothing is said about it (Q53)", (t) => {
	t.deepEqual(load(main("!include-dir d", { "/etc/p/d": "<dir>" })), { rules: [], warnings: [] });
});
loads(
	"a directory is included sorted and filtered",
	main(`!include-dir d\n${X}`, {
		"/etc/p/d/b.policy": RULE,
		"/etc/p/d/a.policy": RULE,
		"/etc/p/d/README": "bad",
		"/etc/p/d/.c.policy": "bad",
		"/etc/p/d/e.policy/f": "bad",
	}),
	"/etc/p/d/a.policy:1",
	"/etc/p/d/b.policy:1",
	`/etc/p/50.policy:2 ${AT_X}`,
);
loads(
	"a bad name in an included directory breaks the load",
	main("!include-dir d", { "/etc/p/d/B.policy": "" }),
	"invalid-filename /etc/p/d/B.policy:null:null",
);
loads(
	"the path of an included directory is resolved, the names in it are not",
	main("!include-dir l", { "/etc/p/l": { link: "/far" }, "/far/x.policy": { link: "/y" }, "/y": RULE }),
	"/far/x.policy:1",
);
loads(
	"what a file of an included directory includes starts from the top-level directory",
	main("!include-dir /far", { "/far/x.policy": "!include y", "/etc/p/y": RULE, "/far/y": X }),
	"/etc/p/y:1",
);
loads(
	"a directory may be included from an included file",
	main("!include x", { "/etc/p/x": "!include-dir d", "/etc/p/d/a.policy": RULE }),
	"/etc/p/d/a.policy:1",
);

// The number of fields of a directive (spec 1.3, 1.6), in plain text and in text that is read the exact way.

for (const comment of ["# plain", "# é"]) {
	for (const [line, column] of [
		["!include-service s * one more", 26],
		["!include-service s * ", 21],
		["!include-service s *", 21],
		["!include-service  s * ", 22],
		["!include-service * +x one", 20],
		["!include-service s/ * one", 19],
		["!include one more", 14],
		["!include ", 9],
		["!compat-4.0 x", 13],
	] as const) {
		loads(
			`below ${comment}, ${line.split(" ").join("·")} is an error`,
			main(`${comment}\n${line}`, { "/etc/p/one": ONE }),
			`syntax-error /etc/p/50.policy:2:${column}`,
		);
	}
}

// Files for one service (spec 2.1).

loads(
	"!include-service gives its service and argument",
	main("!include-service s +x one", { "/etc/p/one": ONE }),
	"/etc/p/one:1 s +x a b allow",
);
loads("!include-service * * is for any service", main("!include-service * * one", { "/etc/p/one": ONE }), "/etc/p/one:1");
loads("an argument * is any argument", main("!include-service s * one", { "/etc/p/one": ONE }), "/etc/p/one:1 s * a b allow");
loads(
	"an include in a file for one service is for that service too",
	main("!include-service s +x one", { "/etc/p/one": "!include two\n$include:two", "/etc/p/two": ONE }),
	"/etc/p/two:1 s +x a b allow",
	"/etc/p/two:1 s +x a b allow",
);
loads(
	"one file may serve two services",
	main("!include-service s * one\n!include-service t + one", { "/etc/p/one": ONE }),
	"/etc/p/one:1 s * a b allow",
	"/etc/p/one:1 t + a b allow",
);
loads(
	"a file that was read in one format is read anew in the other",
	main("!include both\n!include-service s * both", { "/etc/p/both": RULE }),
	"syntax-error /etc/p/both:1:5",
);
loads(
	"a line that is good in both formats is read in each",
	main("!include both\n!include-service s +x both", { "/etc/p/both": "!include x\n", "/etc/p/x": "# nothing" }),
);
loads(
	"five columns in a file for one service are an error",
	main("!include-service s * one", { "/etc/p/one": RULE }),
	"syntax-error /etc/p/one:1:5",
);
loads(
	"three columns in a file of five are an error",
	main("!include one", { "/etc/p/one": ONE }),
	"syntax-error /etc/p/one:1:10",
);
loads(
	"an include in a file for one service starts from the directory of the policy",
	main("!include-service s * inc/one", {
		"/etc/p/inc/one": "!include two",
		"/etc/p/two": ONE,
		"/etc/p/inc/two": "bad",
		"/old/two": "bad",
	}),
	"/etc/p/two:1 s * a b allow",
);
loads(
	"commas and $ in the path of a file for one service are replaced as everywhere in it",
	main("!include-service s * one", { "/etc/p/one": "$include:$x", "/etc/p/@x": ONE }),
	"/etc/p/@x:1 s * a b allow",
);
for (const directive of ["!include-dir d", "!include-service s * x", "!compat-4.0"]) {
	loads(
		`${directive} in a file for one service is an error`,
		main("!include-service s * one", { "/etc/p/one": `#\n ${directive}`, "/etc/p/d": "<dir>", "/etc/p/x": ONE, "/old": "<dir>" }),
		"syntax-error /etc/p/one:2:2",
	);
}

// Recursion (spec 1.6, Q42).

loads(
	"an include that names itself is a syntax error at its line (Q42)",
	main("#\n!include 50.policy"),
	"syntax-error /etc/p/50.policy:2:10",
);
loads(
	"two files that include each other are a syntax error at the second include (Q42)",
	main("!include x", { "/etc/p/x": "#\n#\n!include 50.policy" }),
	"syntax-error /etc/p/x:3:10",
);
loads(
	"an include of itself through a link is found (Q42)",
	main("!include l", { "/etc/p/l": { link: "50.policy" } }),
	"syntax-error /etc/p/50.policy:1:10",
);
loads(
	"an include of what the top-level link leads to is found (Q42)",
	{ "/etc/p/x.policy": { link: "/else/x" }, "/else/x": "!include /else/x" },
	"syntax-error /etc/p/x.policy:1:10",
);
loads(
	"a directory that contains the file itself is a syntax error at its line (Q42)",
	main("!include-dir ."),
	"syntax-error /etc/p/50.policy:1:14",
);
loads(
	"a directory that contains a link to the file itself is one too (Q42)",
	main("!include-dir d", { "/etc/p/d/x.policy": { link: "../50.policy" } }),
	"syntax-error /etc/p/50.policy:1:14",
);
loads(
	"the format of a file that is read already does not matter (Q42)",
	main("!include x", { "/etc/p/x": "!include-service s * x" }),
	"syntax-error /etc/p/x:1:22",
);
loads(
	"a file for one service that includes itself is found (Q42)",
	main("!include-service s * one", { "/etc/p/one": "$include:one" }),
	"syntax-error /etc/p/one:1:10",
);
loads(
	"a file of the legacy directory that is read already is found (Q42)",
	main("!include /old/s", { "/old/s": "!compat-4.0" }),
	"syntax-error /old/s:1:1",
);
loads(
	"a legacy file that includes itself is found (Q42)",
	main("!compat-4.0", { "/old/s": "\n$include:s" }),
	"syntax-error /old/s:2:10",
);
loads(
	"the same file in two branches is no recursion",
	main("!include x\n!include y", { "/etc/p/x": "!include z", "/etc/p/y": "!include z", "/etc/p/z": RULE }),
	"/etc/p/z:1",
	"/etc/p/z:1",
);
loads("sixty-four includes below a file are fine", main("!include i1", ladder(64)), "/etc/p/i64:1");
loads(
	"the sixty-fifth include is a syntax error at its line (Q42)",
	main("!include i1", ladder(65)),
	"syntax-error /etc/p/i64:1:10",
);
loads(
	"a directory counts as one include (Q42)",
	main("!include i1", { ...ladder(64), "/etc/p/i64": "!include-dir d", "/etc/p/d/x.policy": RULE }),
	"syntax-error /etc/p/i64:1:14",
);
loads(
	"an empty directory below sixty-four includes is fine",
	main("!include i1", { ...ladder(64), "/etc/p/i64": "!include-dir d", "/etc/p/d": "<dir>" }),
);

/** Files `i1` and so on, each of which includes the next one. */
function ladder(steps: number): Tree {
	const tree: { [path: string]: string } = {};
	for (let i = 1; i < steps; i++) tree[`/etc/p/i${i}`] = `!include i${i + 1}`;
	tree[`/etc/p/i${steps}`] = RULE;
	return tree;
}

test("files that include each other twice over do not go on for ever", (t) => {
	const tree: { [path: string]: string } = { "/etc/p/i40": RULE };
	for (let i = 0; i < 40; i++) tree[`/etc/p/i${i}`] = `!include i${i + 1}\n`.repeat(2);
	const error = t.throws(() => load(main("!include i0", tree)), { instanceOf: PolicyLoadError });
	t.is(error?.reason, "syntax-error");
	t.regex(error?.detail ?? "", /more than [0-9]+ includes in all/);
});

// The legacy directory (spec 2.3).

const DENIES = (path: string, columns: string) => [
	`${path} ${columns} @anyvm @anyvm deny`,
	`${path} ${columns} @anyvm @adminvm deny`,
];

loads("an empty legacy directory is fine", main("!compat-4.0", { "/old": "<dir>" }));
loads("without !compat-4.0 the legacy directory is not looked at", main(RULE, { "/old/s": "bad" }), "/etc/p/50.policy:1");
loads("a missing legacy directory is a load error", main("!compat-4.0"), "load-error undefined:undefined:undefined");
loads(
	"legacy rules stand where !compat-4.0 is",
	main(`${RULE}\n!compat-4.0\n${RULE}`, { "/old/s": ONE }),
	"/etc/p/50.policy:1",
	"/old/s:1 s * a b allow",
	"/etc/p/50.policy:3",
);
loads(
	"!compat-4.0 in an included file will do, and twice gives the rules twice",
	main("!include x\n!compat-4.0", { "/etc/p/x": "!compat-4.0", "/old/s": ONE }),
	"/old/s:1 s * a b allow",
	"/old/s:1 s * a b allow",
);
loads(
	"a legacy file for one argument ends with denies that do not cover dom0 as source (Q40)",
	main("!compat-4.0", { "/old/s+x": `#\n${ONE}` }),
	"/old/s+x:2 s +x a b allow",
	...DENIES("/old/s+x", "s +x"),
);
loads("an empty legacy file for one argument denies it", main("!compat-4.0", { "/old/s+": "" }), ...DENIES("/old/s+", "s +"));
loads("an empty legacy file for a service says nothing", main("!compat-4.0", { "/old/s": "" }));
loads(
	"services are sorted by code point, in a service its general file is last",
	main("!compat-4.0", {
		"/old/b": ONE,
		"/old/a": ONE,
		"/old/a+b": "",
		"/old/a+B": "",
		"/old/a+": "",
		"/old/B": ONE,
		"/old/a.c": ONE,
		"/old/a-b": ONE,
	}),
	"/old/B:1 B * a b allow",
	...DENIES("/old/a+", "a +"),
	...DENIES("/old/a+B", "a +B"),
	...DENIES("/old/a+b", "a +b"),
	"/old/a:1 a * a b allow",
	"/old/a-b:1 a-b * a b allow",
	"/old/a.c:1 a.c * a b allow",
	"/old/b:1 b * a b allow",
);
loads(
	"the argument in a legacy name starts at the first plus",
	main("!compat-4.0", { "/old/s+x+y": "", "/old/s++": "" }),
	...DENIES("/old/s++", "s ++"),
	...DENIES("/old/s+x+y", "s +x+y"),
);
for (const name of [".s", "s~", "s.rpmsave", "s.rpmnew", ".s.swp", "s.swp", "s b", "s:", "sé", "s@", "s,x"]) {
	loads(`a legacy file named ${name} is skipped`, main("!compat-4.0", { [`/old/${name}`]: "bad" }));
}
for (const name of ["s.bak", "s.rpmsave.bak", "rpmsave", "s.policy", "-s", "_", "S"]) {
	loads(
		`a legacy file named ${name} is read (Q41)`,
		main("!compat-4.0", { [`/old/${name}`]: ONE }),
		`/old/${name}:1 ${name} * a b allow`,
	);
}
loads(
	"a stray legacy file with an error breaks the load (Q41)",
	main("!compat-4.0", { "/old/s.bak": "bad" }),
	"syntax-error /old/s.bak:1:4",
);
loads(
	"a directory and a fifo in the legacy directory are skipped",
	main("!compat-4.0", { "/old/s": "<dir>", "/old/t": "<fifo>", "/old/d/u": "bad" }),
);
loads("a dangling link in the legacy directory is skipped", main("!compat-4.0", { "/old/s": { link: "gone" } }));
loads(
	"a legacy link shows the path it leads to, its denies show the link",
	main("!compat-4.0", { "/old/s+x": { link: "/far/f" }, "/far/f": ONE }),
	"/far/f:1 s +x a b allow",
	...DENIES("/old/s+x", "s +x"),
);
loads(
	"an include in a legacy file starts from the legacy directory",
	main("!compat-4.0", { "/old/s": "$include:include/x", "/old/include/x": ONE, "/etc/p/include/x": "bad" }),
	"/old/include/x:1 s * a b allow",
);
loads(
	"an error in a legacy file is shown in that file",
	main("!compat-4.0", { "/old/s": "a b allow\n$anyvm,$bad,allow" }),
	"syntax-error /old/s:2:8",
);

test("!compat-4.0 is warned of with its place", (t) => {
	const { warnings } = load(main("#\n!compat-4.0", { "/old": "<dir>" }));
	t.is(warnings.length, 1);
	t.regex(warnings[0] ?? "", /^\/etc\/p\/50\.policy:2: .*deprecated/);
	t.deepEqual(load(main(RULE)).warnings, []);
});

// All or nothing (spec 3.3, Q56).

loads(
	"an error in the last file takes all rules away",
	{ "/run/p/a.policy": RULE, "/etc/p/z.policy": `${RULE}\nbad` },
	"syntax-error /etc/p/z.policy:2:4",
);
loads(
	"of two errors the first in load order is told",
	{ "/etc/p/20.policy": "!include x", "/etc/p/x": "\nbad", "/etc/p/10.policy": RULE, "/etc/p/30.policy": "bad" },
	"syntax-error /etc/p/x:2:4",
);
loads(
	"an error in front of an include is told before those in it",
	main("bad\n!include x", { "/etc/p/x": "worse" }),
	"syntax-error /etc/p/50.policy:1:4",
);
loads(
	"a file that is not UTF-8 is an error without a line (Q56)",
	{ "/etc/p/x.policy": "<not utf-8>" },
	"syntax-error /etc/p/x.policy:null:null",
);
loads(
	"an included file that is not UTF-8 is an error of that file (Q56)",
	main("!include l", { "/etc/p/l": { link: "x" }, "/etc/p/x": "<not utf-8>" }),
	"syntax-error /etc/p/x:null:null",
);
loads(
	"a legacy file that is not UTF-8 is one too (Q56)",
	main("!compat-4.0", { "/old/s": "<not utf-8>" }),
	"syntax-error /old/s:null:null",
);
loads("a file with a byte order mark in front of a comment is an error", main("\ufeff# x"), "syntax-error /etc/p/50.policy:1:5");

// What the system refuses (spec 3.3).

function fails(title: string, failure: readonly [call: string, code: string], tree: Tree, wanted: string, message: string): void {
	test(title, (t) => {
		const failures = { [failure[0]]: failure[1] };
		t.deepEqual(outcome(tree, failures), [wanted]);
		const error = t.throws(() => load(tree, failures), { instanceOf: PolicyLoadError });
		t.true(error?.message.includes(message), error?.message);
	});
}

const NOWHERE = "load-error undefined:undefined:undefined";
fails(
	"a top-level file that may not be read is a load error",
	["readText /etc/p/50.policy", "EACCES"],
	main(RULE),
	NOWHERE,
	"failed to load file /etc/p/50.policy: open /etc/p/50.policy: permission denied (EACCES)",
);
fails(
	"an included file that may not be read is a load error at the include",
	["readText /etc/p/x", "EACCES"],
	main("#\n!include x", { "/etc/p/x": RULE }),
	"load-error /etc/p/50.policy:2:10",
	"failed to load file /etc/p/x: open /etc/p/x: permission denied (EACCES)",
);
fails(
	"a path that may not be looked at is a load error at the include",
	["readLink /etc/p/d", "EACCES"],
	main("!include d/x", { "/etc/p/d/x": RULE }),
	"load-error /etc/p/50.policy:1:10",
	"permission denied",
);
fails(
	"a directory that may not be listed is a load error",
	["listFiles /run/p", "EACCES"],
	main(RULE),
	NOWHERE,
	"failed to load directory /run/p: opendir /run/p: permission denied (EACCES)",
);
fails(
	"an included directory that may not be listed is a load error at the include",
	["listFiles /etc/p/d", "EIO"],
	main("!include-dir d", { "/etc/p/d": "<dir>" }),
	"load-error /etc/p/50.policy:1:14",
	"failed to load directory /etc/p/d: opendir /etc/p/d: input/output error (EIO)",
);
fails(
	"a legacy directory that may not be listed is a load error",
	["listFiles /old", "EACCES"],
	main("!compat-4.0", { "/old/s": ONE }),
	NOWHERE,
	"failed to load directory /old",
);
fails(
	"a legacy file that may not be read is a load error",
	["readText /old/s", "EACCES"],
	main("!compat-4.0", { "/old/s": ONE }),
	"load-error /etc/p/50.policy:1:1",
	"failed to load file /old/s",
);
fails(
	"a legacy path that may not be looked at is a load error",
	["readLink /old/s", "EACCES"],
	main("!compat-4.0", { "/old/s": ONE }),
	NOWHERE,
	"failed to load the policy: readlink /old/s: permission denied (EACCES)",
);
fails(
	"a file that goes away between listing and reading is a load error",
	["readText /etc/p/50.policy", "ENOENT"],
	main(RULE),
	NOWHERE,
	"no such file or directory",
);

test("each directory that cannot be listed is one that must exist (Q19)", (t) => {
	const error = t.throws(() => load({}, { "listFiles /run/p": "ENOENT" }), { instanceOf: PolicyLoadError });
	t.is(error?.reason, "load-error");
	t.true(error?.message.includes("a policy directory must exist and be readable"), error?.message);
});

test("a file of the largest size is loaded, with a byte more it is a load error", (t) => {
	const comment = "#".repeat(MAX_FILE_BYTES - RULE.length - 1);
	t.deepEqual(outcome(main(`${comment}\n${RULE}`)), ["/etc/p/50.policy:2"]);
	t.deepEqual(outcome(main(`${comment}#\n${RULE}`)), [NOWHERE]);
	t.deepEqual(outcome(main("!include x", { "/etc/p/x": `${comment}#\n${RULE}` })), ["load-error /etc/p/50.policy:1:10"]);
});

for (const method of ["readText", "readLink", "listFiles"] as const) {
	test(`what ${method} throws besides file errors goes through as it is`, (t) => {
		const files = new MemoryFiles({ "/run/p": "<dir>", "/etc/p/50.policy": "!include x", "/etc/p/x": RULE });
		const defect = new TypeError("a defect");
		files[method] = () => {
			throw defect;
		};
		t.is(
			t.throws(() => loadPolicy(files, PLACES, null), { instanceOf: TypeError }),
			defect,
		);
	});
}

test("the order in which a directory lists its files does not matter", (t) => {
	const tree: { [path: string]: string } = { "/run/p": "<dir>", "/etc/p/50.policy": "!include-dir d\n!compat-4.0" };
	for (const name of ["10", "20", "30", "40"]) tree[`/etc/p/${name}.policy`] = RULE;
	for (const name of ["a", "b", "c", "d"]) tree[`/etc/p/d/${name}.policy`] = RULE;
	for (const name of ["s", "s+", "s+a", "s+b", "r", "t"]) tree[`/old/${name}`] = ONE;
	const load = (turn: number, isBackwards: boolean) => {
		const files = new MemoryFiles(tree);
		const list = files.listFiles.bind(files);
		files.listFiles = (path) => {
			const names = isBackwards ? list(path) : list(path).reverse();
			return [...names.slice(turn), ...names.slice(0, turn)];
		};
		return loadPolicy(files, PLACES, null).rules.map(formatRulePlace);
	};
	const wanted = [
		...["10", "20", "30", "40"].map((name) => `/etc/p/${name}.policy:1`),
		...["a", "b", "c", "d"].map((name) => `/etc/p/d/${name}.policy:1`),
		"/old/r:1",
		...["+", "+a", "+b"].flatMap((argument) => [`/old/s${argument}:1`, `/old/s${argument}`, `/old/s${argument}`]),
		"/old/s:1",
		"/old/t:1",
	];
	for (let turn = 0; turn < 6; turn++) {
		t.deepEqual(load(turn, true), wanted, `backwards from ${turn}`);
		t.deepEqual(load(turn, false), wanted, `from ${turn}`);
	}
});

// Only the rules of one service.

const SERVICES = main(
	"s.S * a b allow\ns.T * a b allow\n* * a b ask\n!include-service s.T * one\n!include-service s.S * one\n!compat-4.0",
	{
		"/etc/p/one": "c d deny",
		"/old/s.S+x": "",
		"/old/s.T": ONE,
	},
);

test("a load for one service has its rules and those of any service", (t) => {
	t.deepEqual(outcome(SERVICES, {}, "s.S"), [
		"/etc/p/50.policy:1 s.S * a b allow",
		"/etc/p/50.policy:3 * * a b ask",
		"/etc/p/one:1 s.S * c d deny",
		...DENIES("/old/s.S+x", "s.S +x"),
	]);
	t.deepEqual(outcome(SERVICES, {}, "s.U"), ["/etc/p/50.policy:3 * * a b ask"]);
	t.is(outcome(SERVICES).length, 8);
});

for (const [what, text, more, wanted] of [
	["a rule of another service", "s.T * @bad b allow", {}, "50.policy:1:7"],
	["the service of a rule", "s.S * a b allow\ns/ * a b allow", {}, "50.policy:2:2"],
	["a file for another service", "!include-service s.T * one", { "/etc/p/one": "a b" }, "one:1:4"],
	[
		"a file that was wanted before",
		"!include-service s.S * one\n!include-service s.T * two",
		{ "/etc/p/one": ONE, "/etc/p/two": "x" },
		"two:1:2",
	],
	["a file for another service that is not there", "!include-service s.T * one", {}, "50.policy:1:24"],
	["an include in a file for another service", "!include-service s.T * one", { "/etc/p/one": "!include one" }, "one:1:10"],
	["a non-ASCII policy of another service", "# é\ns.T * a b allow x", {}, "50.policy:2:17"],
] as const) {
	test(`a load for one service finds an error in ${what}`, (t) => {
		const tree = main(text, more as Tree);
		t.deepEqual(outcome(tree, {}, "s.S"), [`syntax-error /etc/p/${wanted}`]);
		t.deepEqual(outcome(tree, {}, null), [`syntax-error /etc/p/${wanted}`]);
	});
}

test("a load for one service decides its calls as a full load does", (t) => {
	const seed = chooseSeed();
	const random = new Random(seed);
	const system = systemOf(house());
	for (let i = 0; i < 300; i++) {
		const call = randomCall(random);
		const rules = randomRules(random, 20);
		rules.splice(random.int(rules.length), 0, "!include-service s.S * one", "!include-service s.T +x one");
		const tree = main(`${random.oneIn(2) ? "# é\n" : ""}${rules.join("\n")}`, { "/etc/p/one": "@anyvm b ask\n* @tag:t3 deny" });
		const [some, all] = [load(tree, {}, call.service), load(tree, {}, null)];
		t.deepEqual(
			judge(some.rules, call, system),
			judge(all.rules, call, system),
			`seed ${seed}, policy ${i}:\n${rules.join("\n")}`,
		);
		t.is(sum(judge(some.rules, call, system)), sum(judge(all.rules, call, system)));
	}
});
