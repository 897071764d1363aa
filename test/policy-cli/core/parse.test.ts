import test from "ava";
import { PolicyLoadError } from "../../../policy-cli/core/errors.ts";
import { loadPolicy } from "../../../policy-cli/core/load.ts";
import { isPlain } from "../../../policy-cli/core/rows.ts";
import type { Rule } from "../../../policy-cli/core/rule.ts";
import { parseToken, type TokenContext } from "../../../policy-cli/core/token.ts";
import { loadTree } from "./fixtures.ts";
import { MemoryFiles, type Tree } from "./memory-files.ts";

type Format = "columns" | "service";

function load(text: string, format: Format, wanted: string | null = null): readonly Rule[] {
	const tree = format === "columns" ? { "/p/50.policy": text } : { "/p/50.policy": "!include-service s.S + one", "/p/one": text };
	return loadTree(tree, wanted);
}

/** Where the sign ‸ stands in a line is where the error is. */
function takeMark(marked: string): { text: string; column: number } {
	const at = marked.indexOf("‸");
	return { text: marked.slice(0, at) + marked.slice(at + 1), column: [...marked.slice(0, at)].length + 1 };
}

function show(text: string): string {
	return JSON.stringify(text).replace(/[^\x20-\x7e‸…]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function refuses(format: Format, marked: string, message: string): void {
	test(`${format}: ${show(marked)} is an error: ${message}`, (t) => {
		const { text, column } = takeMark(marked);
		// Two good lines in front, so that the line number is known too.
		const error = t.throws(() => load(`# comment\n\n${text}\nalso wrong`, format), { instanceOf: PolicyLoadError });
		t.is(error?.reason, "syntax-error");
		t.deepEqual(error?.at, { file: format === "columns" ? "/p/50.policy" : "/p/one", line: 3, column, text });
		t.true(error?.detail.includes(message), error?.detail);
		t.notRegex(error?.detail ?? "", /\.$|\n/);
	});
}

const FIELDS = "wrong number of fields";
const CHARACTERS = "contains invalid characters";
const PARAMS = "invalid number of params";
const SOURCE = "invalid source token";
const TARGET = "invalid target token";
const REDIRECT = "invalid redirect target token";

/** A line of the five-column format and part of the message, by the number of the check in spec 1.3. */
const COLUMN_ERRORS: readonly (readonly [marked: string, message: string])[] = [
	["x‸", FIELDS],
	["* *‸", FIELDS],
	["* * *‸", FIELDS],
	["* * a b‸", FIELDS],
	["* * a b‸  \t ", FIELDS],
	["\t * * a b‸", FIELDS],
	["\u3000*\u00a0*\u2003a\u0085b‸\u2028", FIELDS],
	["s.S+x * a b‸", FIELDS],
	["*,*,a,b,allow‸", FIELDS],
	["\ufeff#‸", FIELDS],
	["‸\ufeff* * a b allow", CHARACTERS],
	["\ufeff!include x‸", FIELDS],

	["s‸+x * a b allow", 'service "s+x" contains invalid characters: "+"'],
	["‸+ * a b allow", CHARACTERS],
	["a‸* * a b allow", CHARACTERS],
	["  a‸$b + a b deny", CHARACTERS],
	["\ts‸/x * a b allow", CHARACTERS],
	["s‸é * a b allow", CHARACTERS],
	["s‸\0 * a b allow", CHARACTERS],
	["‸@anyvm * a b allow", CHARACTERS],
	["‸** * a b allow", CHARACTERS],
	["s‸: bad a b allow", CHARACTERS],

	["s ‸x a b allow", 'does not start with "+"'],
	["s  ‸x+y a b allow", 'does not start with "+"'],
	["s +a‸* a b allow", CHARACTERS],
	["s ‸** a b allow", 'argument "**" contains invalid characters'],
	["s\t+‸@ a b allow", CHARACTERS],
	["s x‸/ a b allow", CHARACTERS],
	["* ‸+ a b allow", 'argument must be "*"'],
	["* ‸+x a b allow", 'argument must be "*"'],
	["* ‸x a b allow", 'does not start with "+"'],

	["* * ‸@default b allow", SOURCE],
	["* * ‸@dispvm b allow", SOURCE],
	["* * ‸@ b allow", SOURCE],
	["* * ‸@x b allow", SOURCE],
	["* * ‸@anyvm:x b allow", SOURCE],
	["* * ‸@adminvmx b allow", SOURCE],
	["* * ‸@ANYVM b allow", SOURCE],
	["* * ‸@uuid:x b allow", SOURCE],
	["* * ‸@tag: b allow", "invalid empty source token"],
	["* * ‸@type: b allow", "invalid empty source token"],
	["* * ‸@dispvm: b allow", "invalid empty source token"],
	["* * ‸@dispvm:@tag: b allow", "invalid empty source token"],
	["* * ‸@tag:@x b allow", SOURCE],
	["* * ‸@type:@tag:x b allow", SOURCE],
	["* * ‸@dispvm:@dispvm:x b allow", SOURCE],
	["* * ‸@dispvm:@type:x b allow", SOURCE],
	["* * ‸@dispvm:@tag:@x b allow", SOURCE],
	["* * ‸@bad @bad bad", SOURCE],

	["* * a ‸@anyvm: allow", TARGET],
	["* * a ‸@dispvmx allow", TARGET],
	["* * a ‸@default:x allow", TARGET],
	["* * a ‸@tag: allow", "invalid empty target token"],
	["* * a ‸@type:@x allow", TARGET],
	["* * a\t\t‸@dispvm:@anyvm\tallow", TARGET],
	["* * a ‸@dispvm:@tag: allow", "invalid empty target token"],
	["* * a ‸@bad bad", TARGET],
	["* * \ud83d\ude00 ‸@bad allow", TARGET],

	["* * a b ‸Allow", "invalid action"],
	["* * a b ‸ALLOW", "invalid action"],
	["* * a b ‸allow,target=x", "invalid action"],
	["* * a b ‸# allow", "invalid action"],
	["* * a b ‸target=c allow", "invalid action"],
	["* * a b ‸allow; bad", "invalid action"],
	["* * a b ‸constructor", "invalid action"],
	["* * a b\u3000\u3000‸permit", "invalid action"],
	["s.S +x a b\t‸allow\u200b", "invalid action"],

	["* * a b allow ‸# comment", "invalid action parameter"],
	["* * a b allow ‸target", "invalid action parameter"],
	["* * a b deny ‸notify", "invalid action parameter"],
	["* * a b allow user=x ‸yes", "invalid action parameter"],
	["* * a b allow target=c ‸target=d", 'parameter "target" given twice'],
	["* * a b allow notify=yes ‸notify=yes", 'parameter "notify" given twice'],
	["* * a b allow x=1 ‸x=2", 'parameter "x" given twice'],
	["* * a b allow = ‸=", 'parameter "" given twice'],
	["* * a b allow __proto__=1 ‸__proto__=2", 'parameter "__proto__" given twice'],
	["* * a b allow notify=maybe ‸user", "invalid action parameter"],

	["* * a b allow ‸notify=", 'invalid value "" of "notify": want yes or no'],
	["* * a b allow ‸notify=Yes", "want yes or no"],
	["* * a b ask ‸notify=true", "want yes or no"],
	["* * a b deny ‸notify=1", "want yes or no"],
	["* * a b allow ‸autostart=no,", "want yes or no"],
	["* * a b deny ‸autostart=maybe", "want yes or no"],
	["* * a b deny target=c ‸notify=x", "want yes or no"],
	["* * a b allow ‸autostart=yes=no", 'invalid value "yes=no"'],
	["* * a b allow autostart=x ‸notify=y", 'of "notify"'],

	["* * a b deny ‸target=c", "invalid parameters for deny"],
	["* * a b deny ‸default_target=c", "invalid parameters for deny"],
	["* * a b deny ‸user=c", "invalid parameters for deny"],
	["* * a b deny notify=no ‸autostart=yes", "invalid parameters for deny"],
	["* * a b allow ‸default_target=c", "invalid parameters for allow"],
	["* * a b ask ‸x=y", "invalid parameters for ask"],
	["* * a b ask ‸Target=y", "invalid parameters for ask"],
	["* * a b allow ‸rule=y", "invalid parameters for allow"],
	["* * a b allow ‸self=y", "invalid parameters for allow"],
	["* * a b allow ‸=y", "invalid parameters for allow"],
	["* * a b allow ‸constructor=y", "invalid parameters for allow"],
	["* * a b allow target=@bad ‸x=y", "invalid parameters for allow"],

	["* * a b allow target=‸", "empty redirect target"],
	["* * a b ask default_target=‸", "empty redirect target"],
	["* * a b ask\ttarget=‸*", REDIRECT],
	["* * a b allow target=‸@anyvm", REDIRECT],
	["* * a b allow target=‸@default", REDIRECT],
	["* * a b allow target=‸@tag:x", REDIRECT],
	["* * a b allow target=‸@type:x", REDIRECT],
	["* * a b allow target=‸@dispvm:", "invalid empty redirect target token"],
	["* * a b allow target=‸@dispvm:@tag:x", REDIRECT],
	["* * a b ask default_target=‸@default", REDIRECT],
	["* * a b ask default_target=‸@x target=c", REDIRECT],
	["* * a b ask default_target=@x target=‸@y", REDIRECT],

	["* * a @default ‸allow", "allow for @default goes nowhere"],
	["s +  a\t@default  ‸allow notify=yes", "allow for @default goes nowhere"],
	["* * a @default allow target=‸@bad", REDIRECT],

	["‸!", 'invalid directive "!"'],
	["‸! include x", "invalid directive"],
	["  ‸!Include x", "invalid directive"],
	["\u3000‸!included x", "invalid directive"],
	["‸!compat-4.1", "invalid directive"],
	["‸!compat", "invalid directive"],
	["‸!!include x", "invalid directive"],
	["!include‸", PARAMS],
	["!include‸  \t", PARAMS],
	["!include x ‸y", PARAMS],
	["!include x ‸# comment", PARAMS],
	["!include-dir‸", PARAMS],
	["!include-dir x ‸y z", PARAMS],
	["!include-service‸", PARAMS],
	["!include-service s *‸ ", PARAMS],
	["!include-service s * x ‸y", PARAMS],
	["!compat-4.0 ‸x", PARAMS],
	["!include-service s‸+ * x", CHARACTERS],
	["!include-service  s ‸x x", 'does not start with "+"'],
	["!include-service * ‸+x x", 'argument must be "*"'],
	["!include-service s +‸é x", CHARACTERS],
];

for (const [marked, message] of COLUMN_ERRORS) refuses("columns", marked, message);

/** The same for files of one service (spec 2.1): columns count in the line as it is written. */
const SERVICE_ERRORS: readonly (readonly [marked: string, message: string])[] = [
	["a‸", FIELDS],
	["a b‸", FIELDS],
	["a,b‸", FIELDS],
	["\ta\u00a0,,b‸ ,", FIELDS],
	[",‸", FIELDS],
	[",!include x‸", FIELDS],
	[",# a‸", FIELDS],
	["@include:x‸", FIELDS],
	["‸$default b allow", SOURCE],
	["  ‸$dispvm,b,allow", SOURCE],
	["‸@tag:$x b allow", SOURCE],
	["a ‸$nonsense allow", TARGET],
	["a,‸$tag:,allow", "invalid empty target token"],
	["a $include:‸x allow", 'invalid action "x"'],
	["* * ‸a b allow", 'invalid action "a"'],
	["a b ‸Allow", "invalid action"],
	["a b,‸permit,x=y", "invalid action"],
	["a b allow,target=c,‸target=c", "given twice"],
	["a b allow,target=‸$anyvm", REDIRECT],
	["a b\tallow,,user=x ‸y", "invalid action parameter"],
	["$anyvm $default ‸allow", "allow for @default goes nowhere"],
	["a b deny,‸user=x", "invalid parameters for deny"],
	["a b allow,‸notify=maybe", "want yes or no"],
	["‸!include-dir x", "invalid directive"],
	["  ‸!compat-4.0", "invalid directive"],
	["‸!include-service s * x", "invalid directive"],
	["‸!include: x", "invalid directive"],
	["‸!$include:x", "invalid directive"],
	["!include‸", PARAMS],
	["!include,x,‸y", PARAMS],
	["!include a ‸b", PARAMS],
	["$include:a ‸b", PARAMS],
	["$include:a,‸b", PARAMS],
	["!include a$include:‸b", PARAMS],
];

for (const [marked, message] of SERVICE_ERRORS) refuses("service", marked, message);

/** What a rule says, in one line; its service is not told where it is the one of `load`. */
function summarise(rule: Rule): string {
	const { type, target, defaultTarget, user, notify, autostart } = rule.action;
	const words = [rule.source.text, rule.target.text, type];
	if (rule.service !== "s.S") words.unshift(`${rule.service}|${rule.argument}`);
	if (target !== null) words.push(`target:${target.text}`);
	if (defaultTarget !== null) words.push(`default:${defaultTarget.text}`);
	if (user !== null) words.push(`user:${user}`);
	if (notify) words.push("notify");
	if (!autostart) words.push("stay");
	return words.join(" ");
}

function means(format: Format, text: string, ...wanted: string[]): void {
	test(`${format}: ${show(text)} means ${wanted.join("; ") || "nothing"}`, (t) => {
		t.deepEqual(load(text, format).map(summarise), wanted);
	});
}

means("columns", "");
means("columns", "\n\r\n\r  \t\u3000\n");
means("columns", "# x\n  # y\n\u2028#");
means("columns", "#\tx + a b\n");
means("columns", "* * a b allow", "null|null a b allow");
means("columns", "s * a b allow", "s|null a b allow");
means("columns", "s + a b allow", "s|+ a b allow");
means("columns", "s ++a a b allow", "s|++a a b allow");
means("columns", "s +- a b deny", "s|+- a b deny notify");
means("columns", "A-z_0.9 +A-z_0.9+ a b ask", "A-z_0.9|+A-z_0.9+ a b ask");
means("columns", "- * a b ask", "-|null a b ask");
means("columns", "null * a b ask", "null|null a b ask");
means("columns", "*\t\t*    a     b\u3000allow  ", "null|null a b allow");
means("columns", "* * ** a*b allow", "null|null ** a*b allow");
means("columns", "* * $anyvm $tag:x allow", "null|null $anyvm $tag:x allow");
means("columns", "* * uuid: uuid:x allow", "null|null uuid: uuid:x allow");
means("columns", "* * é \ud83d\ude00 allow", "null|null é \ud83d\ude00 allow");
means("columns", "* * a#b #c allow", "null|null a#b #c allow");
means("columns", "* * !include ! allow", "null|null !include ! allow");
means("columns", "* * a\0b \x1b[0m allow", "null|null a\0b \x1b[0m allow");
means("columns", "* * \ufeff \u200b allow", "null|null \ufeff \u200b allow");
means("columns", "* * a=b , allow", "null|null a=b , allow");
means("columns", "* * @dispvm:* @tag:* allow", "null|null @dispvm:* @tag:* allow");
means("columns", "* * @dispvm:x @dispvm:@tag:x allow", "null|null @dispvm:x @dispvm:@tag:x allow");
means("columns", "* * @tag:a@b @type:: allow", "null|null @tag:a@b @type:: allow");
means("columns", "* * a @default ask", "null|null a @default ask");
means("columns", "* * a @default deny", "null|null a @default deny notify");
means("columns", "* * a @default allow target=b", "null|null a @default allow target:b");
means("columns", "* * a b allow user=", "null|null a b allow");
means("columns", "* * a b allow user=x:y", "null|null a b allow user:x:y");
means("columns", "* * a b allow user==x=y", "null|null a b allow user:=x=y");
means("columns", "* * a b allow target=x=y", "null|null a b allow target:x=y");
means("columns", "* * a b allow notify=yes autostart=no", "null|null a b allow notify stay");
means("columns", "* * a b allow autostart=yes notify=no", "null|null a b allow");
means("columns", "* * a b ask default_target=** target=@dispvm", "null|null a b ask target:@dispvm default:**");
means("columns", "* * a b ask target=@adminvm user=u", "null|null a b ask target:@adminvm user:u");
means("columns", "* * a b ask target=@dispvm:uuid:x", "null|null a b ask target:@dispvm:uuid:x");
means("columns", "* * a b deny notify=no", "null|null a b deny");
means("service", "a b allow", "a b allow");
means("service", "a,b allow", "a b allow");
means("service", ",a,,b,allow,", "a b allow");
means("service", "$anyvm $dispvm:$tag:x allow", "@anyvm @dispvm:@tag:x allow");
means("service", "a b allow,target=$dispvm,user=$u", "a b allow target:@dispvm user:@u");
means("service", "a$b a@b allow", "a@b a@b allow");
means("service", "# a,b\n  #$include:x\n\n,\ta b allow", "a b allow");
/** A directive and the call of the host by which it is followed. */
const DIRECTIVES: readonly (readonly [format: Format, line: string, call: string])[] = [
	["columns", "!include x", "readText /p/x"],
	["columns", " !include\tx ", "readText /p/x"],
	["columns", "\u3000!include\u3000x", "readText /p/x"],
	["columns", "!include x#y", "readText /p/x#y"],
	["columns", "!include x,$y", "readText /p/x,$y"],
	["columns", "!include \ufeffé", "readText /p/\ufeffé"],
	["columns", "!include /x", "readText /x"],
	["columns", "!include-dir x", "listFiles /p/x"],
	["columns", "!include-dir\u3000/x/", "listFiles /x"],
	["columns", "!include-service * * x", "readText /p/x"],
	["columns", "!include-service s + x", "readText /p/x"],
	["columns", "!include-service\ts\t++a-b\tx", "readText /p/x"],
	["columns", "!compat-4.0", "listFiles /old"],
	["columns", "  !compat-4.0\t", "listFiles /old"],
	["service", "!include x", "readText /p/x"],
	["service", "  $include:x", "readText /p/x"],
	["service", "$include:  x", "readText /p/x"],
	["service", "$include: ,x,", "readText /p/x"],
	["service", "!include,x", "readText /p/x"],
	["service", "!include $x", "readText /p/@x"],
	["service", "$include:a$$b", "readText /p/a@@b"],
];

for (const [format, line, call] of DIRECTIVES) {
	test(`${format}: ${show(line)} is followed by ${show(call)}`, (t) => {
		const [method = "", path = ""] = call.split(" ");
		const head: Tree =
			format === "columns" ? { "/p/50.policy": line } : { "/p/50.policy": "!include-service s + one", "/p/one": line };
		const files = new MemoryFiles({ "/old": "<dir>", ...head, [path]: method === "readText" ? "" : "<dir>" });
		loadPolicy(files, { dirs: ["/p"], legacyDir: "/old" }, null);
		t.is(files.calls.filter((made) => !made.startsWith("readLink")).at(-1), call);
	});
}

test("only LF, CR LF and lone CR end a line", (t) => {
	const rule = "* * a b allow";
	const lines = (text: string) => load(text, "columns").map((rule) => rule.line);
	t.deepEqual(lines(`${rule}\n${rule}`), [1, 2]);
	t.deepEqual(lines(`${rule}\r\n${rule}\r\n`), [1, 2]);
	t.deepEqual(lines(`${rule}\r${rule}\r`), [1, 2]);
	t.deepEqual(lines(`\n\r${rule}\r\r\n\n${rule}`), [3, 6]);
	t.deepEqual(lines(`# hidden\r${rule}`), [2]);
	for (const other of ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029"]) {
		t.deepEqual(lines(`# hidden${other}${rule}\n${rule}`), [2], show(other));
	}
});

test("white space is exactly the 29 characters of the specification", (t) => {
	const ranges = [
		[0x09, 0x0d],
		[0x1c, 0x20],
		[0x85],
		[0xa0],
		[0x1680],
		[0x2000, 0x200a],
		[0x2028, 0x2029],
		[0x202f],
		[0x205f],
		[0x3000],
	];
	const isSpace = (code: number) => ranges.some(([from = 0, to = from]) => code >= from && code <= to);
	const others: string[] = [];
	for (let code = 0; code < 0x10000; code++) {
		const c = String.fromCharCode(code);
		if (c === "\n" || c === "\r") continue;
		if (!isSpace(code)) others.push(`x${c}y`);
		else t.is(load(`${c}*${c}*${c}${c}x${c}y${c}allow${c}`, "columns")[0]?.source.text, "x", show(c));
	}
	t.is(others.length, 0x10000 - 29);
	const rules = load(others.map((source) => `* * ${source} b allow`).join("\n"), "columns");
	t.deepEqual(
		rules.map((rule) => rule.source.text),
		others,
	);
});

test("text is plain if it is printable ASCII, tabs and line feeds", (t) => {
	for (let code = 0; code < 0x300; code++) {
		t.is(
			isPlain(`a${String.fromCharCode(code)}`),
			code === 9 || code === 10 || (code >= 0x20 && code <= 0x7e),
			code.toString(16),
		);
	}
	t.true(isPlain(""));
	t.false(isPlain("a\r\n"));
});

test("what stands before an error is followed first", (t) => {
	const error = t.throws(() => load("!include nothing\nbad", "columns"), { instanceOf: PolicyLoadError });
	t.deepEqual([error?.at?.line, error?.at?.column], [1, 10]);
});

test("an error in a rule of another service than the wanted one is an error", (t) => {
	const rules = "other * a b allow\nother bad a b allow";
	const error = t.throws(() => load(rules, "columns", "s.S"), { instanceOf: PolicyLoadError });
	t.is(error?.at?.line, 2);
});

test("rules of other services are left out when one is wanted", (t) => {
	const text = "s * a b allow\nother * a b allow\n* * a b deny\ns.S * a b allow\nS * a b allow\ns +x a b ask";
	t.deepEqual(
		load(text, "columns", "s").map((rule) => rule.line),
		[1, 3, 6],
	);
});

/** Legal in: s source, t target, r redirect, i intended target (the table of spec 1.4). */
const TOKENS: readonly (readonly [token: string, legalIn: string, kind: string])[] = [
	["dom0", "stri", "name"],
	["uuid:00000000-0000-0000-0000-000000000000", "stri", "name"],
	["uuid:", "stri", "name"],
	["$anyvm", "stri", "name"],
	["**", "stri", "name"],
	["a*b", "stri", "name"],
	[" ", "stri", "name"],
	["a@b", "stri", "name"],
	["\0", "stri", "name"],
	["\ufeff", "stri", "name"],
	["*", "st", "any"],
	["@anyvm", "st", "anyvm"],
	["@adminvm", "stri", "adminvm"],
	["@default", "ti", "default"],
	["@dispvm", "tri", "dispvm"],
	["@type:X", "st", "type"],
	["@tag:X", "st", "tag"],
	["@tag:*", "st", "tag"],
	["@tag::", "st", "tag"],
	["@tag:a@b", "st", "tag"],
	["@dispvm:X", "stri", "dispvm-of"],
	["@dispvm:*", "stri", "dispvm-of"],
	["@dispvm:uuid:X", "stri", "dispvm-of"],
	["@dispvm:dispvm:x", "stri", "dispvm-of"],
	["@dispvm:tag:x", "stri", "dispvm-of"],
	["@dispvm:@tag:X", "st", "dispvm-tag"],
	["@dispvm:@tag:X@", "st", "dispvm-tag"],
	["", "", ""],
	["@", "", ""],
	["@x", "", ""],
	["@@anyvm", "", ""],
	["@any", "", ""],
	["@anyvm ", "", ""],
	["@anyvm:x", "", ""],
	["@Anyvm", "", ""],
	["@adminvmx", "", ""],
	["@adminvm:", "", ""],
	["@default:x", "", ""],
	["@dispvmx", "", ""],
	["@dispvm:", "", ""],
	["@dispvm:@", "", ""],
	["@dispvm:@x", "", ""],
	["@dispvm:@dispvm:x", "", ""],
	["@dispvm:@type:x", "", ""],
	["@dispvm:@default", "", ""],
	["@dispvm:@tag:", "", ""],
	["@dispvm:@tag:@x", "", ""],
	["@tag", "", ""],
	["@tag:", "", ""],
	["@tag:@x", "", ""],
	["@type:", "", ""],
	["@type:@tag:x", "", ""],
	["@uuid:x", "", ""],
	["@*", "", ""],
];

const CONTEXTS: readonly TokenContext[] = ["source", "target", "redirect", "intended"];

for (const [text, legalIn, kind] of TOKENS) {
	for (const context of CONTEXTS) {
		const legal = legalIn.includes(context.charAt(0));
		test(`${show(text)} is ${legal ? "a" : "no"} ${context} token`, (t) => {
			const token = parseToken(text, context);
			if (!legal) {
				t.is(typeof token, "string");
				t.true(String(token).includes(context === "redirect" || context === "intended" ? `${context} target` : context));
				return;
			}
			if (typeof token === "string") return t.fail(token);
			t.is(token.kind as string, kind);
			t.is(token.text, text);
			if ("value" in token) t.true(text.endsWith(`:${token.value}`) && !token.value.startsWith("@"));
		});
	}
}

test("a prefix token knows what stands behind its prefix", (t) => {
	const value = (text: string) => {
		const token = parseToken(text, "target");
		return typeof token === "object" && "value" in token ? token.value : null;
	};
	t.is(value("@tag:t1"), "t1");
	t.is(value("@type:AppVM"), "AppVM");
	t.is(value("@dispvm:x"), "x");
	t.is(value("@dispvm:@tag:x"), "x");
	t.is(value("@dispvm:uuid:x"), "uuid:x");
});
