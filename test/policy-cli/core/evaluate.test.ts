import test from "ava";
import { normaliseTarget, readCall, splitService } from "../../../policy-cli/core/call.ts";
import { escapeControls } from "../../../policy-cli/core/errors.ts";
import { DOM0_UUID, type Domains, decide, house, judge, policyText, request, rulesOf, systemOf, uuidOf } from "./fixtures.ts";

const U0 = `uuid:${DOM0_UUID}`;
const [UA, UB, UC] = [`uuid:${uuidOf("a")}`, `uuid:${uuidOf("b")}`, `uuid:${uuidOf("c")}`];

/** Rules, calls and what comes of them; `[rules, call, outcome, domains]`. */
function decides(
	title: string,
	cases: readonly (readonly [rules: string, call: string, wanted: string, domains?: Domains])[],
): void {
	for (const [i, [rules, call, wanted, domains]] of cases.entries()) {
		const here = domains === undefined ? "" : ` in house ${i}`;
		test(`${title}: ${escapeControls(rules)}: ${call} is ${wanted}${here}`, (t) =>
			t.is(decide(rules, call, {}, domains ?? house()), wanted));
	}
}

/** The warnings of one call. */
function warningsOf(rules: string, call: string): readonly string[] {
	return judge(rulesOf(policyText(rules)), request(call), systemOf(house())).warnings;
}

// The first rule that matches decides (spec 6.1, 6.2).

decides("the first rule that matches decides", [
	["… b allow ; … b deny", "a→b", "allow b"],
	["… b deny ; … b allow", "a→b", "deny denied-by-rule"],
	["… c deny ; … b allow ; … * deny", "a→b", "allow b"],
	["… * allow ; … b deny", "a→b", "allow b"],
	["s.T * * b deny ; s.S +y * b deny ; b b deny ; … b allow", "a→b", "allow b"],
	["s.S + * * allow", "a→b", "deny no-matching-rule"],
	["a b allow", "a→c", "deny no-matching-rule"],
	["a b allow", "b→a", "deny no-matching-rule"],
]);
test("without rules every call is denied and the user is told", (t) => {
	const { resolution, text } = judge([], request("a→b"), systemOf(house()));
	t.deepEqual(resolution, {
		decision: "deny",
		rule: null,
		reason: "no-matching-rule",
		message: "no matching rule found",
		notify: true,
	});
	t.is(text, "result=deny");
});
decides("notify= of a deny is kept, yes if it says nothing", [
	["… * deny", "a→b", "deny denied-by-rule"],
	["… * deny notify=yes", "a→b", "deny denied-by-rule"],
	["… * deny notify=no", "a→b", "deny denied-by-rule quiet"],
]);
test("a denial says where the rule is", (t) => {
	const rules = rulesOf("#\n\n* * a b deny\n");
	const { resolution } = judge(rules, request("a→b"), systemOf(house()));
	t.like(resolution, { decision: "deny", message: "denied by policy /p/50.policy:3", rule: rules[0] });
});

// The intended target (spec 5.1).

decides("an unknown source is denied without notification (Q8)", [
	["… * allow", "nosuch→b", "deny unknown-source quiet"],
	["nosuch b allow", "nosuch→b", "deny unknown-source quiet"],
	["… b allow ; … * deny", "nosuch→b", "deny unknown-source quiet"],
	["… b ask", "nosuch→b", "deny unknown-source quiet"],
	["… * deny", "nosuch→b", "deny unknown-source quiet"],
	["… * allow", "→b", "deny unknown-source quiet"],
	["… * allow", "@adminvm→b", "deny unknown-source quiet"],
	["… * allow", "constructor→b", "deny unknown-source quiet"],
	["… * allow", "uuid:nosuch→b", "deny unknown-source quiet"],
	["… * allow", "nosuch→@bad", "deny unknown-source quiet"],
]);
decides("a source may be a uuid", [
	["a b allow", `${UA}→b`, "allow b"],
	["dom0 b allow", `${U0}→b`, "allow b"],
]);
decides("an intended target that is no token is denied without notification (Q47)", [
	["… * allow", "a→@anyvm", "deny invalid-target-token quiet"],
	["… * allow", "a→*", "deny invalid-target-token quiet"],
	["… * allow", "a→@tag:t1", "deny invalid-target-token quiet"],
	["… * allow", "a→@type:AppVM", "deny invalid-target-token quiet"],
	["… * allow", "a→@dispvm:", "deny invalid-target-token quiet"],
	["… * allow", "a→@dispvm:@tag:t3", "deny invalid-target-token quiet"],
	["… * allow", "a→@adminvmx", "deny invalid-target-token quiet"],
	["… * allow", "a→@uuid:x", "deny invalid-target-token quiet"],
	["… * allow", "a→@", "deny invalid-target-token quiet"],
]);
decides("a disposable of what is no template is denied", [
	["… * allow", "a→@dispvm:b", "deny not-a-dispvm-template"],
	["… * allow", "a→@dispvm:zzz", "deny not-a-dispvm-template"],
	["… * allow", `a→@dispvm:${UB}`, "deny not-a-dispvm-template"],
	["… * allow", "a→@dispvm:dom0", "deny not-a-dispvm-template"],
	["… @dispvm:b allow", "a→@dispvm:b", "deny not-a-dispvm-template"],
	["… * deny notify=no", "a→@dispvm:b", "deny not-a-dispvm-template"],
]);
decides("an empty or unknown target is @default (Q55)", [
	["… @default allow target=b", "a→", "allow b"],
	["… @default allow target=b", "a→@default", "allow b"],
	["… @default allow target=b", "a→nosuch", "allow b"],
	["… @default allow target=b", "a→uuid:nosuch", "allow b"],
	["… @default allow target=b", "a→constructor", "allow b"],
	["… nosuch allow", "a→nosuch", "deny no-matching-rule"],
	["… @anyvm allow", "a→nosuch", "deny no-target"],
	["… * allow", "a→", "deny no-target"],
	["… @default allow target=b", "a→b", "deny no-matching-rule"],
]);
test("an unknown target is warned of, the others are not (Q55)", (t) => {
	t.is(warningsOf("… * deny", "a→nosuch").length, 1);
	t.regex(warningsOf("… * deny", "a→nosuch")[0] ?? "", /"nosuch" does not exist/);
	for (const target of ["b", UB, "", "@default", "@dispvm", "@dispvm:c", "dom0", "@adminvm"]) {
		t.deepEqual(warningsOf("… * deny", `a→${target}`), [], target);
	}
});
for (const [text, wanted] of [
	["", "@default"],
	["@default", "@default"],
	["@adminvm", "@adminvm"],
	["dom0", "dom0"],
	[U0, U0],
	["@dispvm", "@dispvm"],
	["@dispvm:c", "@dispvm:c"],
	[`@dispvm:${UC}`, `@dispvm:${UC}`],
	["b", "b"],
	[UB, UB],
	["nosuch", "@default"],
] as const) {
	test(`the rules see the target "${text}" as ${wanted}`, (t) => t.is(normaliseTarget(text, systemOf(house()), []), wanted));
}
test("without dom0 in the system information the name dom0 is an unknown target, @adminvm is not", (t) => {
	const domains = house({ dom0: null });
	t.is(decide("… * allow", "a→dom0", {}, domains), "deny no-target");
	t.is(decide("… * allow", "a→@adminvm", {}, domains), "allow dom0");
});
for (const [text, service, argument] of [
	["s.S", "s.S", "+"],
	["s.S+", "s.S", "+"],
	["s.S+x", "s.S", "+x"],
	["s.S+x+y", "s.S", "+x+y"],
	["s.S++", "s.S", "++"],
	["+x", "", "+x"],
	["", "", "+"],
] as const) {
	test(`"${text}" is the service "${service}" with the argument "${argument}"`, (t) =>
		t.deepEqual(splitService(text), { service, argument }));
}

// The requested source (spec 6.7).

for (const [source, requested, wanted] of [
	["rel", "rem", "allow b policy_source=rem"],
	["rel", `uuid:${uuidOf("rem")}`, "allow b policy_source=rem"],
	["rel", "rem2", "deny no-matching-rule"],
	["rel", "zzz", "deny request-error"],
	["rel", "@adminvm", "deny request-error"],
	["rel", "a", "deny request-error"],
	["rel", "rel", "deny request-error"],
	["rel", "rem3", "deny request-error"],
	["a", "rem", "deny request-error"],
	["rem", "rem", "deny request-error"],
	[`uuid:${uuidOf("rel")}`, "rem", "deny request-error"],
	["rel", "", "deny no-matching-rule"],
	["nosuch", "rem", "deny unknown-source quiet"],
] as const) {
	test(`a call of ${source} for "${requested}" is ${wanted} where rem may (Q51)`, (t) => {
		t.is(decide("rem b allow", `${source}→b`, { requestedSource: requested }), wanted);
	});
}
test("the reasons against a requested source are told in this order", (t) => {
	const message = (source: string, requestedSource: string) => {
		const checked = readCall(request(`${source}→b`, { requestedSource }), systemOf(house()), []);
		return "message" in checked ? checked.message : "";
	};
	t.is(message("rel", "zzz"), 'unknown requested source qube "zzz"');
	t.is(message("a", "b"), "b: requested source is only authorized for RemoteVM");
	t.is(message("a", "rem"), "a is not a relay for rem");
});
test("the target is looked at before the requested source", (t) => {
	t.is(decide("… * allow", "rel→@bad", { requestedSource: "zzz" }), "deny invalid-target-token quiet");
	t.is(decide("… * allow", "rel→@dispvm:b", { requestedSource: "zzz" }), "deny not-a-dispvm-template");
});
test("all of the rules see the requested source", (t) => {
	const more = { requestedSource: "rem" };
	t.is(decide("rel b allow", "rel→b", more), "deny no-matching-rule");
	t.is(decide("@type:RemoteVM b allow", "rel→b", more), "allow b policy_source=rem");
	t.is(decide("rem @dispvm allow", "rel→@dispvm", more), "deny no-default-dispvm");
	t.is(
		decide("rem @dispvm allow", "rel→@dispvm", more, house({ rem: { default_dispvm: "c" } })),
		"allow @dispvm:c policy_source=rem",
	);
	t.is(decide("rem @dispvm:c ask", "rel→@dispvm:c", more), "ask @dispvm:c");
});
test("an ask for a requested source does not offer that qube, but its relay", (t) => {
	t.is(decide("… rem ask ; … rel ask ; … b ask", "rel→b", { requestedSource: "rem" }), "ask b,rel");
});

// Allow (spec 6.3).

decides("an allow goes to the target or the redirect", [
	["… b allow", `a→${UB}`, `allow ${UB}`],
	["… @anyvm allow target=c", "a→b", "allow c"],
	["… @anyvm allow target=@adminvm", "a→b", "allow dom0"],
	["… @anyvm allow target=dom0", "a→b", "allow dom0"],
	[`… @anyvm allow target=${U0}`, "a→b", "allow dom0"],
	[`… @anyvm allow target=${UC}`, "a→b", `allow ${UC}`],
	["… @anyvm allow target=zzz", "a→b", "deny no-target"],
	["… @anyvm allow target=uuid:zzz", "a→b", "deny no-target"],
	["… @anyvm allow target=@dispvm:c", "a→b", "allow @dispvm:c"],
	["… @anyvm allow target=@dispvm:b", "a→c", "deny not-a-dispvm-template"],
	["… @anyvm allow target=@dispvm:zzz", "a→c", "deny not-a-dispvm-template"],
	["… @anyvm allow target=@dispvm", "a→b", "allow @dispvm:dvm"],
	["… @anyvm allow target=@dispvm", "nod→b", "deny no-default-dispvm"],
	["… dom0 allow", "a→@adminvm", "allow dom0"],
	["… @adminvm allow", `a→${U0}`, "allow dom0"],
	["… @dispvm allow", "a→@dispvm", "allow @dispvm:dvm"],
	["… @dispvm allow", "a→@dispvm:dvm", "deny no-matching-rule"],
	["… @dispvm:dvm allow", "a→@dispvm", "allow @dispvm:dvm"],
	[`… @dispvm:uuid:${uuidOf("dvm")} allow`, "a→@dispvm", "allow @dispvm:dvm"],
	["… @anyvm allow", "a→@dispvm:c", "allow @dispvm:c"],
	["… @anyvm allow", `a→@dispvm:${UC}`, `allow @dispvm:${UC}`],
]);
decides("a disposable needs a default that exists and is a template (Q1, Q2)", [
	["… @dispvm allow", "nod→@dispvm", "deny no-default-dispvm"],
	["… @dispvm allow", "bad→@dispvm", "deny no-default-dispvm"],
	["… @dispvm allow", "gone→@dispvm", "deny no-default-dispvm"],
	["… @dispvm:dvm allow", "nod→@dispvm", "deny no-matching-rule"],
	["… @dispvm:a allow", "bad→@dispvm", "deny no-matching-rule"],
	["… @dispvm:zzz allow", "gone→@dispvm", "deny no-matching-rule"],
	["… @dispvm:dvm allow ; … @anyvm allow target=b", "nod→@dispvm", "allow b"],
	["… @dispvm:@tag:t3 allow ; … @anyvm allow target=b", "gone→@dispvm", "allow b"],
]);
test("a redirect to nowhere is warned of", (t) => {
	t.regex(warningsOf("… b allow target=zzz", "a→b").join(), /"zzz" does not exist/);
});
test("a denial after a rule was chosen names that rule", (t) => {
	for (const action of [
		"allow target=zzz",
		"allow target=@dispvm:b",
		"allow target=a",
		"allow autostart=no",
		"allow user=x:y",
		"ask target=zzz",
		"ask target=@dispvm:b",
		"ask autostart=no",
	]) {
		const rules = rulesOf(`* * a c ${action}\n`);
		const { resolution } = judge(rules, request("a→c"), systemOf(house()));
		t.like(resolution, { decision: "deny", rule: rules[0] }, action);
	}
});

decides("autostart=no allows only what runs, and is silent unless notify=yes (Q46)", [
	["… * allow autostart=no", "a→b", "allow b autostart=False"],
	["… * allow autostart=no", `a→${UB}`, `allow ${UB} autostart=False`],
	["… * allow autostart=no", "a→c", "deny autostart quiet"],
	["… * allow autostart=no notify=no", "a→c", "deny autostart quiet"],
	["… * allow autostart=no notify=yes", "a→c", "deny autostart"],
	["… * allow autostart=no", "a→@dispvm", "deny autostart quiet"],
	["… * allow autostart=no", "a→@dispvm:c", "deny autostart quiet"],
	["… * allow autostart=no", "a→dom0", "allow dom0 autostart=False"],
	["… * allow autostart=no", `a→${U0}`, "allow dom0 autostart=False"],
	["… * allow autostart=no target=c", "a→b", "deny autostart quiet"],
	["… * allow autostart=no target=b", "a→c", "allow b autostart=False"],
	["… * allow autostart=yes", "a→c", "allow c"],
	["… * allow autostart=no", "a→b", "deny autostart quiet", house({ b: { power_state: "Paused" } })],
	["… * allow autostart=no", "a→b", "deny autostart quiet", house({ b: { power_state: "running" } })],
	["… * allow autostart=no", "a→dom0", "allow dom0 autostart=False", house({ dom0: { power_state: "Halted" } })],
]);
decides("notify= of an allow is kept, no if it says nothing", [
	["… b allow notify=yes", "a→b", "allow b notify"],
	["… b allow notify=no", "a→b", "allow b"],
	["… b ask notify=yes", "a→b", "ask b notify"],
	["… b ask notify=no", "a→b", "ask b"],
]);

// Users (Q49).

decides("a user with a colon or a control character is denied (Q49)", [
	["… b allow user=x:y", "a→b", "deny bad-user"],
	["… b allow user=:", "a→b", "deny bad-user"],
	["… b allow user=x:", "a→b", "deny bad-user"],
	["… b allow user=x\0", "a→b", "deny bad-user"],
	["… b allow user=\x1b[0m", "a→b", "deny bad-user"],
	["… b allow user=x\x7f", "a→b", "deny bad-user"],
	["… b allow user=x\x80", "a→b", "deny bad-user"],
	["… b allow user=x\x9f", "a→b", "deny bad-user"],
	["… b ask user=x:y", "a→b", "deny bad-user"],
	["… b allow user=x:y notify=no", "a→b", "deny bad-user"],
	["… dom0 allow user=x:y", "a→dom0", "deny bad-user"],
	["a rem allow user=x:y", "a→rem", "deny bad-user"],
	["… b allow user=x:y target=zzz", "a→b", "deny bad-user"],
	["… b allow user=x:y autostart=no", "a→b", "deny bad-user"],
	["… int ask user=x:y", "a→int", "deny bad-user"],
	["… b deny ; … b allow user=x:y", "a→b", "deny denied-by-rule"],
]);
decides("other users are taken as they are (Q39)", [
	["… b allow user=root", "a→b", "allow b user=root"],
	["… b allow user=", "a→b", "allow b"],
	["… b allow user=a=b", "a→b", "allow b user=a=b"],
	["… b allow user=é;$(x)", "a→b", "allow b user=é;$(x)"],
	["… b ask user=root", "a→b", "ask b user=root"],
	["… b ask user=", "a→b", "ask b"],
]);

// Ask (spec 6.4, 6.5).

const ANYVM = "b,bad,c,dvm,gone,nod,rel,rem,rem2,rem3,tpl";

decides("an ask offers what the rules for this source and service name", [
	["… b ask", "a→b", "ask b"],
	["… b ask", `${UA}→b`, "ask b"],
	["… b ask", `a→${UB}`, "ask b"],
	[`… ${UB} ask`, "a→b", "ask b"],
	["… @default ask", "a→@default", "deny ask-no-targets"],
	["… @anyvm ask", "a→b", `ask @dispvm:c,@dispvm:dvm,${ANYVM}`],
	["… @anyvm ask", `${UA}→b`, `ask @dispvm:c,@dispvm:dvm,${ANYVM}`],
	["… @anyvm ask", "nod→b", "ask @dispvm:c,@dispvm:dvm,a,b,bad,c,dvm,gone,rel,rem,rem2,rem3,tpl"],
	["… * ask", "a→b", `ask @dispvm:c,@dispvm:dvm,${ANYVM.replace("dvm,", "dom0,dvm,")}`],
	["… @type:AppVM ask", "a→b", "ask b,bad,c,dvm,gone,nod,rel"],
	["… @type:AdminVM ask", "a→dom0", "ask dom0"],
	["… @tag:t2 ask", "a→b", "ask b"],
	["… @tag:ta ask", "a→dom0", "ask dom0"],
	["… @adminvm ask", "a→dom0", "ask dom0"],
	[`… ${U0} ask`, "a→dom0", "ask dom0"],
	["… @dispvm ask", "a→@dispvm", "ask @dispvm:dvm"],
	["… @dispvm:c ask", "a→@dispvm:c", "ask @dispvm:c"],
	[`… @dispvm:${UC} ask`, "a→@dispvm:c", "ask @dispvm:c"],
	["… @dispvm:@tag:t3 ask", "a→@dispvm:c", "ask @dispvm:c"],
	["… b ask ; … zzz ask", "a→b", "ask b"],
	["… b ask ; c dvm allow", "a→b", "ask b"],
	["… b ask ; s.T * * c allow", "a→b", "ask b"],
	["… b ask ; s.S +y * c allow", "a→b", "ask b"],
	["… b ask ; … @dispvm:b ask", "a→b", "ask b"],
]);
decides("allow rules add their targets too, redirects count instead of the column", [
	["… b ask ; … c allow", "a→b", "ask b,c"],
	["… b ask ; … @default allow target=c", "a→b", "ask b,c"],
	["… b ask ; … dvm allow target=c", "a→b", "ask b,c"],
	["… b ask ; … @default ask target=@dispvm", "a→b", "ask @dispvm:dvm,b"],
	["… b ask ; … @default allow target=zzz", "a→b", "ask b"],
]);
decides("of two rules about a target the first counts", [
	["… b ask ; … c deny ; … @tag:t3 ask", "a→b", "ask b"],
	["… b ask ; … @tag:t3 allow ; … c deny", "a→b", "ask b,c"],
	["… b ask ; … @anyvm deny ; … c ask", "a→b", "ask b"],
	["… b ask ; … @tag:t1 deny ; … tpl ask ; … c ask", "a→b", "ask b,c"],
	["… b ask ; … @type:TemplateVM deny ; … tpl ask", "a→b", "ask b"],
	[`… b ask ; … ${UC} deny ; … c ask`, "a→b", "ask b"],
	["… b ask ; … @default deny ; … c ask", "a→b", "ask b,c"],
	["… b ask ; … @dispvm:@tag:t3 deny ; … @dispvm:c ask", "a→b", "ask b"],
	["… @default ask default_target=b ; … b deny", "a→@default", "deny ask-no-targets"],
	["b b deny ; … b ask", "a→b", "ask b"],
]);
decides("a deny means dom0 by any of its names (Q4)", [
	["… b ask ; … dom0 deny ; … @adminvm ask", "a→b", "ask b"],
	["… b ask ; … @adminvm deny ; … dom0 ask", "a→b", "ask b"],
	["… b ask ; … * deny ; … @adminvm ask", "a→b", "ask b"],
	[`… b ask ; … ${U0} deny ; … @adminvm ask`, "a→b", "ask b"],
	["… b ask ; … @type:AdminVM deny ; … @adminvm ask", "a→b", "ask b"],
	["… b ask ; … @tag:ta deny ; … @adminvm ask", "a→b", "ask b"],
	["… b ask ; … @anyvm deny ; … @adminvm ask", "a→b", "ask b,dom0"],
]);
decides("a deny of the default disposable by its template is a deny of @dispvm (Q4)", [
	["… b ask ; … @dispvm:dvm deny ; … @dispvm ask", "a→b", "ask b"],
	[`… b ask ; … @dispvm:uuid:${uuidOf("dvm")} deny ; … @dispvm ask`, "a→b", "ask b"],
	["… b ask ; … @dispvm:@tag:t deny ; … @dispvm ask", "a→b", "ask b", house({ dvm: { tags: ["t"] } })],
	["… b ask ; … @anyvm deny ; … @dispvm ask", "a→b", "ask b"],
	["… b ask ; … @dispvm:c deny ; … @dispvm ask", "a→b", "ask @dispvm:dvm,b"],
	["… b ask ; … @dispvm ask ; … @dispvm:dvm deny", "a→b", "ask @dispvm:dvm,b"],
]);
decides("a deny of @dispvm leaves a disposable that a rule names by its template (Q4)", [
	["… b ask ; … @dispvm deny ; … @dispvm:dvm ask", "a→b", "ask @dispvm:dvm,b"],
	["… b ask ; … @dispvm deny ; … @dispvm ask", "a→b", "ask b"],
]);
decides("a disposable of a qube that is not there is nothing (Q7)", [
	["… b ask ; … @dispvm:zzz deny", "a→b", "ask b"],
	["… b ask ; … @dispvm:zzz ask", "a→b", "ask b"],
	["… b ask ; … @dispvm:uuid:zzz allow", "a→b", "ask b"],
	["… b ask ; … @default allow target=@dispvm:zzz", "a→b", "ask b"],
]);
decides("@dispvm is offered only where the default is of use (Q2)", [
	["… @dispvm ask", "nod→@dispvm", "deny ask-no-targets"],
	["… @dispvm ask", "bad→@dispvm", "deny ask-no-targets"],
	["… @dispvm ask", "gone→@dispvm", "deny ask-no-targets"],
	["… @anyvm ask", "gone→b", `ask @dispvm:c,@dispvm:dvm,a,${ANYVM.replace("gone,", "")}`],
]);
decides("the source and internal qubes are not offered", [
	["… * ask", "b→a", "ask @dispvm:c,@dispvm:dvm,a,bad,c,dom0,dvm,gone,nod,rel,rem,rem2,rem3,tpl"],
	["… a ask ; … b ask", "a→a", "ask b"],
	[`… ${UA} ask ; … b ask`, "a→a", "ask b"],
	["… int ask", "a→int", "deny ask-no-targets"],
	["… @dispvm:intd ask ; … b ask", "a→b", "ask b"],
	["… @dispvm ask ; … b ask", "a→b", "ask b", house({ a: { default_dispvm: "intd" } })],
	["… @dispvm:c ask", "c→@dispvm:c", "ask @dispvm:c"],
	["… dom0 ask ; … b ask", "dom0→b", "ask b"],
	["… b ask", "a→b", "ask b", house({ b: { internal: "" } })],
	["… b ask", "a→b", "deny ask-no-targets", house({ b: { internal: "0" } })],
	["… b ask", "a→b", "ask b", house({ b: { internal: undefined } })],
]);
test("targets are sorted by code point, not by UTF-16 unit (Q32)", (t) => {
	const names = ["Z", "_", "z", "é", "\uffee", "\u{1f600}"];
	const domains = house(Object.fromEntries(names.map((name) => [name, { tags: ["new"], uuid: name }])));
	t.is(decide("… @tag:new ask", "a→z", {}, domains), `ask ${names.join(",")}`);
	t.is(
		decide(
			`${[...names]
				.reverse()
				.map((name) => `… ${name} ask`)
				.join(" ; ")}`,
			"a→z",
			{},
			domains,
		),
		`ask ${names.join(",")}`,
	);
});
test("each target is offered once", (t) => {
	t.is(decide(`… b ask ; … ${UB} allow ; … @tag:t2 ask ; … @dispvm ask ; … @dispvm:dvm ask`, "a→b"), "ask @dispvm:dvm,b");
});
decides("the target that was called need not be offered", [
	["… int ask ; … b ask", "a→int", "ask b"],
	["… * ask target=c", "a→b", "ask c"],
]);
decides("user, autostart and notify are those of the rule that matched, not of others (Q52)", [
	["… b ask user=u notify=yes ; … c allow user=v autostart=no", "a→b", "ask b,c user=u notify"],
	["… b ask ; … c allow user=v notify=yes", "a→b", "ask b,c"],
]);
decides("autostart=no offers only what runs", [
	["… * ask autostart=no", "a→b", "ask b,dom0,rel,rem autostart=False"],
	["… c ask autostart=no", "a→c", "deny ask-no-targets"],
	["… c ask autostart=no notify=no", "a→c", "deny ask-no-targets"],
	["… @dispvm:c ask autostart=no", "a→@dispvm:c", "deny ask-no-targets"],
	["… * ask target=@dispvm autostart=no", "a→b", "deny ask-no-targets"],
	["… * ask target=b autostart=no", "a→b", "ask b autostart=False"],
	["… * ask target=c autostart=no", "a→b", "deny ask-no-targets"],
]);

decides("a redirected ask goes where the allow would go (Q5)", [
	["… @default ask target=b", "a→@default", "ask b"],
	["… * ask target=@dispvm", "a→b", "ask @dispvm:dvm"],
	["… * ask target=@dispvm", "nod→b", "deny no-default-dispvm"],
	["… * ask target=@dispvm", "bad→b", "deny no-default-dispvm"],
	["… * ask target=@dispvm:c", "a→b", "ask @dispvm:c"],
	[`… * ask target=@dispvm:${UC}`, "a→b", "ask @dispvm:c"],
	["… * ask target=@dispvm:b", "a→b", "deny not-a-dispvm-template"],
	["… * ask target=zzz", "a→b", "deny no-target"],
	["… * ask target=zzz autostart=no", "a→b", "deny no-target"],
	[`… * ask target=${UB}`, "a→c", "ask b"],
	["… * ask target=@adminvm", "a→b", "ask dom0"],
	[`… * ask target=${U0}`, "a→b", "ask dom0"],
	["… * ask target=a", "a→b", "ask a"],
	["… int ask target=int", "a→int", "ask int"],
	["… * ask target=b ; … c ask", "a→c", "ask b"],
]);

decides("the default is preselected if it is offered", [
	["… b ask default_target=b", "a→b", "ask b default=b"],
	["… @default ask default_target=b ; … b ask", "a→@default", "ask b default=b"],
	["… @tag:t2 ask default_target=a", "a→b", "ask b"],
	["… b ask default_target=c", "a→b", "ask b"],
	["… b ask default_target=zzz", "a→b", "ask b"],
	["… @dispvm ask default_target=@dispvm", "a→@dispvm", "ask @dispvm:dvm default=@dispvm:dvm"],
	["… @dispvm ask default_target=@dispvm:dvm", "a→@dispvm", "ask @dispvm:dvm default=@dispvm:dvm"],
	["… b ask default_target=@dispvm", "a→b", "ask b"],
	["… b ask default_target=@dispvm", "nod→b", "ask b"],
	["… b ask default_target=@dispvm", "bad→b", "ask b"],
	["… dom0 ask default_target=@adminvm", "a→dom0", "ask dom0 default=dom0"],
	["… * ask target=@adminvm default_target=dom0", "a→b", "ask dom0 default=dom0"],
	["… * ask target=@dispvm default_target=@dispvm", "a→b", "ask @dispvm:dvm default=@dispvm:dvm"],
	[`… * ask target=${UB} default_target=b`, "a→b", "ask b default=b"],
]);
decides("a default that is a uuid means the qube (Q6)", [
	[`… b ask default_target=${UB}`, "a→b", "ask b default=b"],
	[`… @dispvm:c ask default_target=@dispvm:${UC}`, "a→@dispvm:c", "ask @dispvm:c default=@dispvm:c"],
	[`… dom0 ask default_target=${U0}`, "a→dom0", "ask dom0 default=dom0"],
	["… b ask default_target=uuid:zzz", "a→b", "ask b"],
	["… b ask default_target=@dispvm:uuid:zzz", "a→b", "ask b"],
]);
test("a default that is not offered is warned of", (t) => {
	t.regex(warningsOf("… b ask default_target=c", "a→b").join(), /default_target=c is not among the targets/);
	t.deepEqual(warningsOf("… b ask default_target=b", "a→b"), []);
	t.deepEqual(warningsOf("… b ask", "a→b"), []);
});
