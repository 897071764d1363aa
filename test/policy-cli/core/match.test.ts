import test from "ava";
import type { Call } from "../../../policy-cli/core/call.ts";
import { DataError } from "../../../policy-cli/core/errors.ts";
import { defaultDispvm, matchesRule } from "../../../policy-cli/core/match.ts";
import { isDom0 } from "../../../policy-cli/core/names.ts";
import type { Rule } from "../../../policy-cli/core/rule.ts";
import { DOM0_UUID, type Domains, entry, house, rulesOf, systemOf, uuidOf } from "./fixtures.ts";

const U0 = `uuid:${DOM0_UUID}`;
const [UA, UB, UC, UDVM, UREM] = ["a", "b", "c", "dvm", "rem"].map((name) => `uuid:${uuidOf(name)}`) as [
	string,
	string,
	string,
	string,
	string,
];
const DOM0 = ["dom0", U0, "@adminvm"];

function call(source: string, target: string, service = "s.S", argument = "+x"): Call {
	return { source, target, service, argument, realSource: source, policySource: null };
}

function matches(rule: string, subject: Call, domains: Domains = house()): boolean {
	const [parsed] = rulesOf(rule);
	return matchesRule(parsed as Rule, subject, systemOf(domains));
}

// The source column of the table in spec 5.2: each token, and who of SOURCES it means.

const SOURCES = ["a", "b", "c", "tpl", "rem", UA, UC, UREM, "nosuch", "uuid:nosuch", ...DOM0];

for (const [token, ...wanted] of [
	["*", ...SOURCES],
	["@anyvm", "a", "b", "c", "tpl", "rem", UA, UC, UREM, "nosuch", "uuid:nosuch"],
	["@adminvm", ...DOM0],
	["dom0", ...DOM0],
	[U0, ...DOM0],
	["a", "a", UA],
	[UA, "a", UA],
	["c", "c", UC],
	["rem", "rem", UREM],
	[UREM, "rem", UREM],
	["nosuch", "nosuch"],
	["uuid:nosuch", "uuid:nosuch"],
	["@type:AppVM", "a", "b", "c", UA, UC],
	["@type:TemplateVM", "tpl"],
	["@type:RemoteVM", "rem", UREM],
	["@type:AdminVM", "dom0", U0],
	["@tag:t1", "a", "tpl", UA],
	["@tag:t2", "a", "b", UA],
	["@tag:t3", "c", UC],
	["@tag:ta", "dom0", U0],
] as const) {
	test(`as source, ${token} means ${wanted.join(", ")} only`, (t) => {
		t.deepEqual(
			SOURCES.filter((source) => matches(`* * ${token} * deny`, call(source, "b"))),
			SOURCES.filter((source) => (wanted as readonly string[]).includes(source)),
		);
	});
}
for (const [token, why] of [
	["@dispvm:c", "a disposable is no source (Q38)"],
	[`@dispvm:${UC}`, "a disposable is no source (Q38)"],
	["@dispvm:@tag:t3", "a disposable is no source (Q38)"],
	["@type:appvm", "types are compared exactly"],
	["@type:*", "a star in a type is a letter like others"],
	["@tag:T1", "tags are compared exactly"],
	["@tag:*", "a star in a tag is a letter like others"],
	["@tag:constructor", "a tag is looked for in the list only"],
	["A", "names are compared exactly"],
	["**", "two stars are a name (Q37)"],
	["a*", "a star in a name is a letter like others (Q37)"],
	["$anyvm", "the old spelling is a name (Q37)"],
	["uuid:", "an empty uuid is nobody's (Q37)"],
	["constructor", "a name is looked for in the list only"],
	[uuidOf("a"), "a uuid without its prefix is a name"],
	[`UUID:${uuidOf("a")}`, "the prefix is compared exactly"],
	[UREM.toUpperCase().replace("UUID", "uuid"), "uuids are compared exactly"],
] as const) {
	test(`as source, ${token} means nobody: ${why}`, (t) => {
		t.deepEqual(
			SOURCES.filter((source) => matches(`* * ${token} * deny`, call(source, "b"))),
			[],
		);
	});
}

// The target column, for calls from `a`, whose default disposable is made of dvm.

const DISPOSABLES = ["@dispvm:dvm", "@dispvm:c", `@dispvm:${UC}`, `@dispvm:${UDVM}`];
const TARGETS = ["a", "b", "c", "tpl", "rem", UA, UB, UC, UREM, ...DOM0, "@default", "@dispvm", ...DISPOSABLES];

for (const [token, ...wanted] of [
	["*", ...TARGETS],
	["@anyvm", "a", "b", "c", "tpl", "rem", UA, UB, UC, UREM, "@default", "@dispvm", ...DISPOSABLES],
	["@adminvm", ...DOM0],
	["dom0", ...DOM0],
	[U0, ...DOM0],
	["b", "b", UB],
	[UB, "b", UB],
	["c", "c", UC],
	[UC, "c", UC],
	["rem", "rem", UREM],
	["@default", "@default"],
	["@type:AppVM", "a", "b", "c", UA, UB, UC],
	["@type:TemplateVM", "tpl"],
	["@type:RemoteVM", "rem", UREM],
	["@tag:t1", "a", "tpl", UA],
	["@tag:t3", "c", UC],
	["@dispvm", "@dispvm"],
	["@dispvm:dvm", "@dispvm", "@dispvm:dvm", `@dispvm:${UDVM}`],
	["@dispvm:c", "@dispvm:c", `@dispvm:${UC}`],
	[`@dispvm:${UC}`, "@dispvm:c", `@dispvm:${UC}`],
	["@dispvm:@tag:t3", "@dispvm:c", `@dispvm:${UC}`],
] as const) {
	test(`as target, ${token} means ${wanted.join(", ")} only`, (t) => {
		t.deepEqual(
			TARGETS.filter((target) => matches(`* * * ${token} deny`, call("a", target))),
			TARGETS.filter((target) => (wanted as readonly string[]).includes(target)),
		);
	});
}
for (const [token, why] of [
	["nosuch", "there is no such qube"],
	["@dispvm:nosuch", "there is no such template"],
	["@dispvm:b", "nobody asked for it"],
	["@dispvm:@tag:t1", "no template has this tag"],
	["@dispvm:*", "a star behind a prefix is a letter like others"],
	["@type:appvm", "types are compared exactly"],
	["@tag:*", "a star in a tag is a letter like others"],
	["**", "two stars are a name (Q37)"],
	["$dispvm", "the old spelling is a name (Q37)"],
	["uuid:", "an empty uuid is nobody's (Q37)"],
] as const) {
	test(`as target, ${token} means nothing: ${why}`, (t) => {
		t.deepEqual(
			TARGETS.filter((target) => matches(`* * * ${token} deny`, call("a", target))),
			[],
		);
	});
}
for (const token of ["@type:AdminVM", "@tag:ta"]) {
	test(`as target, ${token} means dom0 by its name and uuid, not as @adminvm (Q54)`, (t) => {
		t.deepEqual(
			TARGETS.filter((target) => matches(`* * * ${token} deny`, call("a", target))),
			["dom0", U0],
		);
	});
}

// @dispvm and the default of the source (Q1 to Q3).

const DISPVM_RULES = [
	"@dispvm:dvm",
	`@dispvm:${UDVM}`,
	"@dispvm:c",
	"@dispvm:a",
	"@dispvm:zzz",
	"@dispvm:@tag:t1",
	"@dispvm:@tag:t3",
];

for (const [what, source, changes, ...wanted] of [
	["whose default is a template", "a", {}, "@dispvm:dvm", `@dispvm:${UDVM}`],
	["whose default has the tag", "a", { default_dispvm: "c" }, "@dispvm:c", "@dispvm:@tag:t3"],
	["without a default (Q1)", "a", { default_dispvm: null }],
	["whose default is not named at all (Q1)", "a", { default_dispvm: undefined }],
	["whose default is no template (Q2)", "b", { default_dispvm: "a" }],
	["whose default does not exist (Q2)", "a", { default_dispvm: "zzz" }],
	["who is a template with itself as default", "dvm", { default_dispvm: "dvm" }, "@dispvm:dvm", `@dispvm:${UDVM}`],
] as const) {
	test(`the disposable of a qube ${what} is met by ${wanted.length === 0 ? "no rule" : wanted.join(", ")}`, (t) => {
		const domains = house({ [source]: changes });
		t.deepEqual(
			DISPVM_RULES.filter((token) => matches(`* * * ${token} deny`, call(source, "@dispvm"), domains)),
			[...wanted],
		);
		t.true(matches("* * * @dispvm deny", call(source, "@dispvm"), domains));
	});
}
test("the default disposable named by uuid in a rule is the same one (Q3)", (t) => {
	t.true(matches(`* * * @dispvm:${UDVM} deny`, call("a", "@dispvm")));
	t.true(matches(`* * * @dispvm:${UDVM} deny`, call(UA, "@dispvm")));
	t.false(matches(`* * * @dispvm:${UC} deny`, call("a", "@dispvm")));
});
test("the default disposable is that of the source, also when the source is a uuid", (t) => {
	const domains = house({ b: { default_dispvm: "c" } });
	t.true(matches("* * * @dispvm:c deny", call("b", "@dispvm"), domains));
	t.true(matches("* * * @dispvm:c deny", call(UB, "@dispvm"), domains));
	t.false(matches("* * * @dispvm:c deny", call("a", "@dispvm"), domains));
});
test("@dispvm is not met by the name of its template", (t) => {
	for (const token of ["dvm", UDVM, "@type:AppVM", "@tag:t3"])
		t.false(matches(`* * * ${token} deny`, call("a", "@dispvm")), token);
});
test("a default disposable that is of no use is none (Q2)", (t) => {
	const system = systemOf(house());
	t.is(defaultDispvm("a", system)?.name, "dvm");
	for (const source of ["nod", "bad", "gone", "nosuch", "@adminvm"]) t.is(defaultDispvm(source, system), null, source);
});
test("a tagged qube that makes no disposables is not met by @dispvm:@tag:", (t) => {
	const domains = house({ c: { template_for_dispvms: false } });
	t.false(matches("* * * @dispvm:@tag:t3 deny", call("a", "@dispvm:c"), domains));
});

// Service and argument (spec 5.4).

for (const [columns, ...wanted] of [
	["* *", "s.S+x", "s.S+", "s.S+x+y", "s.T+x", "s.s+x", "+x"],
	["s.S *", "s.S+x", "s.S+", "s.S+x+y"],
	["s.S +", "s.S+"],
	["s.S +x", "s.S+x"],
	["s.S +x+y", "s.S+x+y"],
	["s.T *", "s.T+x"],
	["s.S ++x"],
	["s *"],
] as const) {
	test(`${columns} means ${wanted.length === 0 ? "none" : wanted.join(", ")} of these calls`, (t) => {
		const calls = ["s.S+x", "s.S+", "s.S+x+y", "s.T+x", "s.s+x", "+x"];
		const met = calls.filter((text) => {
			const plus = text.indexOf("+");
			return matches(`${columns} * * deny`, call("a", "b", text.slice(0, plus), text.slice(plus)));
		});
		t.deepEqual(met, [...wanted]);
	});
}

test("all four columns must fit", (t) => {
	t.true(matches("s.S +x a b deny", call("a", "b")));
	for (const rule of ["s.T +x a b deny", "s.S +y a b deny", "s.S +x b b deny", "s.S +x a a deny"])
		t.false(matches(rule, call("a", "b")), rule);
});

// dom0 and names (spec 5).

test("dom0 has three spellings", (t) => {
	for (const name of ["dom0", "@adminvm", U0]) t.true(isDom0(name), name);
	for (const name of ["", "Dom0", "dom0 ", "@dom0", "adminvm", DOM0_UUID, "uuid:", "@dispvm:dom0", "dom01"])
		t.false(isDom0(name), name);
});
test("a qube that is named like another one's uuid is not that one", (t) => {
	const domains = { ...house(), [uuidOf("a")]: entry("x") };
	t.false(matches(`* * ${uuidOf("a")} * deny`, call("a", "b"), domains));
	t.true(matches(`* * ${uuidOf("a")} * deny`, call(uuidOf("a"), "b"), domains));
});
test("a qube without a uuid is met by name and not by any uuid", (t) => {
	for (const uuid of [null, undefined]) {
		const domains = house({ b: { uuid } });
		t.true(matches("* * * b deny", call("a", "b"), domains));
		for (const token of [UB, "uuid:", "uuid:null", "uuid:undefined"])
			t.false(matches(`* * * ${token} deny`, call("a", "b"), domains), token);
	}
});
test("aliases that are registered already change nothing", (t) => {
	const domains = house();
	const aliased = { ...domains, [UB]: domains["b"] as Domains[string] };
	t.true(matches(`* * * ${UB} deny`, call("a", "b"), aliased));
	t.true(matches("* * * b deny", call("a", UB), aliased));
	t.false(matches(`* * * ${UB} deny`, call("a", "c"), aliased));
});

// What is looked at must be there (Q57).

for (const [token, target, field] of [
	["@type:AppVM", "b", "type"],
	["@tag:t1", "b", "tags"],
	["@dispvm:@tag:t3", "@dispvm:b", "template_for_dispvms"],
] as const) {
	test(`${token} is a data error for a target without ${field} (Q57)`, (t) => {
		const domains = house({ b: { [field]: undefined } });
		t.throws(() => matches(`* * * ${token} deny`, call("a", target), domains), {
			instanceOf: DataError,
			message: new RegExp(`"b": "${field}"`),
		});
		t.false(matches(`* * dom0 ${token} deny`, call("a", target), domains), "the source is looked at first");
	});
}
