import test from "ava";
import { checkConnection, DENY_TEXT, refuseText } from "../../../policy-cli/core/answer.ts";
import { type Call, type Request, readCall } from "../../../policy-cli/core/call.ts";
import { DataError } from "../../../policy-cli/core/errors.ts";
import type { Allowance } from "../../../policy-cli/core/resolution.ts";
import {
	DOM0_UUID,
	type Domains,
	decide,
	entry,
	house,
	type Judgement,
	judge,
	policyText,
	request,
	rulesOf,
	systemOf,
	uuidOf,
} from "./fixtures.ts";

const U0 = `uuid:${DOM0_UUID}`;
const [UA, UB, UC, UREL, UREM] = ["a", "b", "c", "rel", "rem"].map((name) => `uuid:${uuidOf(name)}`) as [
	string,
	string,
	string,
	string,
	string,
];

function ask(rules: string, call: string, more: Partial<Request> = {}, domains: Domains = house()): Judgement {
	return judge(rulesOf(policyText(rules)), request(call, more), systemOf(domains));
}

/** The exact text for qrexec; `lines` with `|` for the line ends, as in the specification. */
function answers(
	title: string,
	rules: string,
	call: string,
	lines: string,
	more: Partial<Request> = {},
	domains?: Domains,
): void {
	test(`${title}: ${rules}: ${call}`, (t) => t.is(ask(rules, call, more, domains).text, lines.split("|").join("\n")));
}

// The text (spec 6.6).

answers("a qube", "… b allow", "a→b", `user=DEFAULT|result=allow|target=b|target_uuid=${UB}|autostart=True|requested_target=b`);
answers(
	"all that a rule may say",
	"… @default allow target=b user=root autostart=no notify=yes",
	"a→",
	`user=root|result=allow|target=b|target_uuid=${UB}|autostart=False|requested_target=@default`,
);
answers(
	"an empty user is none",
	"… b allow user=",
	"a→b",
	`user=DEFAULT|result=allow|target=b|target_uuid=${UB}|autostart=True|requested_target=b`,
);
answers(
	"a target that was asked for by uuid stays a uuid",
	"… b allow",
	`a→${UB}`,
	`user=DEFAULT|result=allow|target=${UB}|target_uuid=${UB}|autostart=True|requested_target=${UB}`,
);
answers(
	"a redirect by uuid stays a uuid",
	`… @default allow target=${UB}`,
	"a→nosuch",
	`user=DEFAULT|result=allow|target=${UB}|target_uuid=${UB}|autostart=True|requested_target=@default`,
);
answers("dom0", "… dom0 allow", "a→dom0", "user=DEFAULT|result=allow|target=dom0|autostart=True|requested_target=dom0");
answers(
	"dom0 as keyword",
	"… dom0 allow user=u autostart=no",
	"a→@adminvm",
	"user=u|result=allow|target=dom0|autostart=False|requested_target=@adminvm",
);
answers("dom0 by uuid", "… dom0 allow", `a→${U0}`, `user=DEFAULT|result=allow|target=dom0|autostart=True|requested_target=${U0}`);
answers(
	"a redirect to dom0",
	"… b allow target=@adminvm",
	"a→b",
	"user=DEFAULT|result=allow|target=dom0|autostart=True|requested_target=b",
);
answers(
	"the default disposable",
	"… @dispvm allow",
	"a→@dispvm",
	`user=DEFAULT|result=allow|target=@dispvm:dvm|target_uuid=@dispvm:uuid:${uuidOf("dvm")}|autostart=True|requested_target=@dispvm`,
);
answers(
	"a disposable by name",
	"… @dispvm:c allow user=u",
	"a→@dispvm:c",
	`user=u|result=allow|target=@dispvm:c|target_uuid=@dispvm:${UC}|autostart=True|requested_target=@dispvm:c`,
);
answers(
	"a disposable by uuid stays a uuid",
	"… @dispvm:c allow",
	`a→@dispvm:${UC}`,
	`user=DEFAULT|result=allow|target=@dispvm:${UC}|target_uuid=@dispvm:${UC}|autostart=True|requested_target=@dispvm:${UC}`,
);
answers("a deny says nothing else", "… b deny", "a→b", "result=deny");
test("the text of a denial is what the specification says", (t) => t.is(DENY_TEXT, "result=deny"));

// RemoteVM as target (spec 6.6 point 4).

answers(
	"a RemoteVM is reached through its relay",
	"a rem allow",
	"a→rem",
	`user=DEFAULT|result=allow|target=rel|target_uuid=${UREL}|autostart=True|requested_target=rem|service=x.T+rem+s.S+x`,
);
answers(
	"an empty argument leaves a plus at the end of the relayed service",
	"a rem allow",
	"a→rem",
	`user=DEFAULT|result=allow|target=rel|target_uuid=${UREL}|autostart=True|requested_target=rem|service=x.T+rem+s.S+`,
	{ argument: "+" },
);
answers(
	"a RemoteVM by uuid is named to the relay (Q10)",
	"a rem allow",
	`a→${UREM}`,
	`user=DEFAULT|result=allow|target=rel|target_uuid=${UREL}|autostart=True|requested_target=${UREM}|service=x.T+rem+s.S+x`,
);
answers(
	"a redirect to a RemoteVM names that one to the relay (Q10)",
	"a * allow target=rem",
	"a→b",
	`user=DEFAULT|result=allow|target=rel|target_uuid=${UREL}|autostart=True|requested_target=b|service=x.T+rem+s.S+x`,
);
answers(
	"a redirect from no target names the RemoteVM to the relay (Q10)",
	"a * allow target=rem autostart=no",
	"a→",
	`user=DEFAULT|result=allow|target=rel|target_uuid=${UREL}|autostart=False|requested_target=@default|service=x.T+rem+s.S+x`,
);
test("a RemoteVM that the user chose is named to the relay (Q10)", (t) => {
	const system = systemOf(house());
	const call = readCall(request("a→b"), system, []) as Call;
	const [rule] = rulesOf("* * a * ask\n");
	const chosen = { decision: "allow", rule, target: "rem", user: null, autostart: true, notify: false } as Allowance;
	const connection = checkConnection(chosen, call, system, []);
	t.like(connection, { target: "rel", service: "x.T+rem+s.S+x" });
});
test("the user of a rule is ignored for a RemoteVM, with a warning (Q45)", (t) => {
	const { text, warnings } = ask("a rem allow user=u", "a→rem");
	t.is(text?.split("\n")[0], "user=DEFAULT");
	t.is(warnings.length, 1);
	t.regex(warnings[0] ?? "", /user=u is ignored: rem is a RemoteVM/);
	t.deepEqual(ask("a rem allow", "a→rem").warnings, []);
});
for (const [what, changes, wanted] of [
	["without relay", { relayvm: null }, "deny relay-not-set"],
	["with an empty relay", { relayvm: "" }, "deny relay-not-set"],
	["where the relay is not named", { relayvm: undefined }, "deny relay-not-set"],
	["without transport", { transport_rpc: null }, "deny transport-not-set"],
	["with an empty transport", { transport_rpc: "" }, "deny transport-not-set"],
	["where the transport is not named", { transport_rpc: undefined }, "deny transport-not-set"],
	["without both", { relayvm: null, transport_rpc: null }, "deny relay-not-set"],
	["whose relay does not exist (Q57)", { relayvm: "zzz" }, "deny data-error quiet"],
	["whose relay is a number (Q57)", { relayvm: 1 }, "deny data-error quiet"],
	["whose transport is a list (Q57)", { transport_rpc: ["x"] }, "deny data-error quiet"],
] as const) {
	test(`a RemoteVM ${what} is ${wanted}`, (t) =>
		t.is(decide("a rem allow notify=no", "a→rem", {}, house({ rem: changes })), wanted));
}
test("a missing relay is told with the name of the RemoteVM", (t) => {
	t.like(ask("a rem3 allow", "a→rem3").resolution, { message: "rem3: relayvm is not set" });
	t.like(ask("a rem2 allow", "a→rem2").resolution, { message: "rem2: transport RPC is not set" });
});
test("relay and transport of a qube that is no RemoteVM do not matter", (t) => {
	const domains = house({ b: { relayvm: "rel", transport_rpc: "x.T" } });
	t.is(decide("… b allow", "a→b", {}, domains), "allow b");
});
test("autostart=no is about the RemoteVM, not about its relay", (t) => {
	t.is(
		decide("a rem allow autostart=no", "a→rem", {}, house({ rel: { power_state: "Halted" } })),
		"allow rel autostart=False service=x.T+rem+s.S+x",
	);
	t.is(decide("a rem allow autostart=no", "a→rem", {}, house({ rem: { power_state: "Halted" } })), "deny autostart quiet");
});

// RemoteVM as source (spec 6.6, 6.7, Q11).

const FOR_REM = { requestedSource: "rem" };
answers(
	"a call for a RemoteVM says so",
	"rem b allow",
	"rel→b",
	`user=DEFAULT|result=allow|target=b|target_uuid=${UB}|autostart=True|requested_target=b|policy_source=rem`,
	FOR_REM,
);
answers(
	"a call for a RemoteVM to dom0 says so too (Q11)",
	"rem @adminvm allow",
	"rel→@adminvm",
	"user=DEFAULT|result=allow|target=dom0|autostart=True|requested_target=@adminvm|policy_source=rem",
	FOR_REM,
);
answers(
	"a call for a RemoteVM to a disposable says so too",
	"rem @dispvm:c allow",
	"rel→@dispvm:c",
	`user=DEFAULT|result=allow|target=@dispvm:c|target_uuid=@dispvm:${UC}|autostart=True|requested_target=@dispvm:c|policy_source=rem`,
	FOR_REM,
);
answers(
	"a RemoteVM that is given by uuid is named (Q51)",
	"rem b allow",
	"rel→b",
	`user=DEFAULT|result=allow|target=b|target_uuid=${UB}|autostart=True|requested_target=b|policy_source=rem`,
	{ requestedSource: UREM },
);
answers(
	"one RemoteVM calls another one behind another relay",
	"rem far allow",
	"rel→far",
	`user=DEFAULT|result=allow|target=b|target_uuid=${UB}|autostart=True|requested_target=far|service=y.T+far+s.S+x|policy_source=rem`,
	FOR_REM,
	{ ...house(), far: entry("far", { type: "RemoteVM", relayvm: "b", transport_rpc: "y.T" }) },
);
answers(
	"an empty requested source is none",
	"rel b allow",
	"rel→b",
	`user=DEFAULT|result=allow|target=b|target_uuid=${UB}|autostart=True|requested_target=b`,
	{ requestedSource: "" },
);

// Loopback (Q9).

for (const [call, requestedSource, wanted] of [
	["a→a", null, "deny loopback"],
	[`a→${UA}`, null, "deny loopback"],
	[`${UA}→a`, null, "deny loopback"],
	[`${UA}→${UA}`, null, "deny loopback"],
	["dom0→dom0", null, "deny loopback"],
	["dom0→@adminvm", null, "deny loopback"],
	[`dom0→${U0}`, null, "deny loopback"],
	[`${U0}→@adminvm`, null, "deny loopback"],
	["rel→rem", null, "deny loopback"],
	[`rel→${UREM}`, null, "deny loopback"],
	["rel→rem", "rem", "deny loopback"],
	["rel→rel", "rem", "deny loopback"],
	[`rel→${UREL}`, "rem", "deny loopback"],
	["rem→rem", null, "deny loopback"],
	["rel→rem2", null, "deny loopback"],
	["rel→rem2", "rem", "deny loopback"],
	["rem→rel", null, "allow rel"],
	["a→b", null, "allow b"],
	["dom0→a", null, "allow a"],
	["c→@dispvm:c", null, "allow @dispvm:c"],
	["dvm→@dispvm", null, "allow @dispvm:dvm"],
	["rel→rem3", null, "deny relay-not-set"],
] as const) {
	const by = requestedSource === null ? "" : ` for ${requestedSource}`;
	test(`a call ${call}${by} is ${wanted} (Q9)`, (t) => t.is(decide("… * allow", call, { requestedSource }), wanted));
}
test("a redirect or a relay that leads back is a loop (Q9)", (t) => {
	t.is(decide("… * allow target=a", "a→b"), "deny loopback");
	t.is(decide(`… * allow target=${UA}`, "a→b"), "deny loopback");
	t.is(decide("… * allow target=rem", "rel→b"), "deny loopback");
	t.is(decide("… * allow target=@adminvm", "dom0→b"), "deny loopback");
});
test("a loop is told to the user even with notify=no", (t) => {
	t.is(decide("… * allow notify=no", "a→a"), "deny loopback");
});
test("a loop is found before relay and transport are missed (Q9)", (t) => {
	t.is(decide("… * allow", "rem2→rem2"), "deny loopback");
	t.is(decide("… * allow", "rem3→rem3"), "deny loopback");
});
test("a relay of a qube that is no RemoteVM makes no loop (Q9)", (t) => {
	t.is(decide("… * allow", "rel→b", {}, house({ b: { relayvm: "rel" } })), "allow b");
});
test("an ask that ends at the caller is a loop (Q5, Q9)", (t) => {
	const system = systemOf(house());
	const call = readCall(request("a→b"), system, []) as Call;
	const [rule] = rulesOf("* * a b ask target=a\n");
	const chosen = { decision: "allow", rule, target: "a", user: null, autostart: true, notify: false } as Allowance;
	t.like(checkConnection(chosen, call, system, []), { decision: "deny", reason: "loopback", notify: true, rule });
});

// What the text may be made of (spec 8.6).

for (const [what, name] of [
	["a line break", "b\nresult=allow"],
	["a carriage return", "b\r"],
	["an escape", "b\x1b[2J"],
	["a NUL", "b\0"],
	["a C1 control", "b\x9b"],
] as const) {
	test(`${what} in the name of a target is a data error`, (t) => {
		const domains = { ...house(), [name]: entry("x") };
		const { resolution, text } = ask("… * allow", `a→${name}`, {}, domains);
		t.true(resolution instanceof DataError);
		t.regex((resolution as DataError).message, /control character/);
		t.is(text, "result=deny");
	});
}
test("a line break is found in each part of the answer", (t) => {
	const bad = "x\ny";
	for (const [rules, call, more, domains] of [
		["… b allow", "a→b", {}, house({ b: { uuid: bad } })],
		["… @dispvm:c allow", "a→@dispvm:c", {}, house({ c: { uuid: bad } })],
		["… rem allow", "a→rem", {}, house({ rem: { transport_rpc: bad } })],
		["… rem allow", "a→rem", {}, house({ rel: { uuid: bad } })],
		["… rem allow", "a→rem", { service: bad }, house()],
		["… rem allow", "a→rem", { argument: `+${bad}` }, house()],
		["… b allow", "rel→b", { requestedSource: bad }, { ...house(), [bad]: entry("y", { type: "RemoteVM", relayvm: "rel" }) }],
	] as const) {
		t.true(ask(rules, call, more, domains).resolution instanceof DataError, `${rules}: ${call}`);
	}
});
test("a qube without a uuid is a data error where the uuid is needed (Q57)", (t) => {
	t.is(decide("… b allow", "a→b", {}, house({ b: { uuid: undefined } })), "deny data-error quiet");
	t.is(decide("… @dispvm:c allow", "a→@dispvm:c", {}, house({ c: { uuid: undefined } })), "deny data-error quiet");
	t.is(decide("… rem allow", "a→rem", {}, house({ rel: { uuid: undefined } })), "deny data-error quiet");
	t.is(decide("… dom0 allow", "a→dom0", {}, house({ dom0: { uuid: undefined } })), "allow dom0");
});

// How long it may be: 4095 bytes with the line end.

/** A call to a qube with this name, by a rule for it alone. */
function askLong(name: string): Judgement {
	return ask("… @tag:long allow", `a→${name}`, {}, { ...house(), [name]: entry("x", { tags: ["long"] }) });
}
const OVERHEAD = `user=DEFAULT|result=allow|target=|target_uuid=uuid:${uuidOf("x")}|autostart=True|requested_target=`.length + 1;

for (const [what, letter, bytes] of [
	["ASCII", "x", 1],
	["two bytes each", "é", 2],
	["three bytes each", "€", 3],
	["three bytes each behind the surrogates", "\uff21", 3],
	["four bytes each", "\u{1f600}", 4],
] as const) {
	test(`an answer of more than 4095 bytes is a denial, in letters of ${what}`, (t) => {
		const room = Math.floor((4095 - OVERHEAD) / 2);
		const most = letter.repeat(Math.floor(room / bytes)) + "x".repeat(room % bytes);
		const fits = askLong(most);
		t.is(fits.resolution instanceof DataError ? "" : fits.resolution.decision, "allow");
		t.true(Buffer.byteLength(`${fits.text}\n`) <= 4095);
		t.true(Buffer.byteLength(`${fits.text}\n`) > 4093);
		const over = askLong(`${most}x`);
		t.like(over.resolution, { decision: "deny", reason: "unfit-answer", notify: true });
		t.is(over.text, "result=deny");
	});
}
test("an answer of exactly 4095 bytes with its line end is not too long", (t) => {
	const rules = rulesOf("* * a b allow\n");
	const allowed = { decision: "allow", rule: rules[0], target: "b", user: null, autostart: true, notify: false } as Allowance;
	const connection = { target: "b", targetUuid: null, user: null, autostart: true, service: null };
	t.is(refuseText({ ...connection, text: "x".repeat(4094) }, allowed), null);
	t.like(refuseText({ ...connection, text: "target=b\nservice=x.T+rem+s.S+a b" }, allowed), {
		reason: "unfit-answer",
		rule: rules[0],
	});
	t.like(refuseText({ ...connection, text: "x".repeat(4095) }, allowed), { reason: "unfit-answer", rule: rules[0] });
	for (const letter of ["\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}"]) {
		const bytes = Buffer.byteLength(letter);
		t.is(refuseText({ ...connection, text: "x".repeat(4094 - bytes) + letter }, allowed), null, letter);
		t.not(refuseText({ ...connection, text: "x".repeat(4095 - bytes) + letter }, allowed), null, letter);
	}
});
