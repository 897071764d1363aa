// The form with three arguments: what is asked of qubesd, what is answered, what the modes change (spec 4.1, 6, 7).
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { neverReply, reply } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { policyText, uuidOf } from "../core/fixtures.ts";
import { type Setting, Stage } from "./stage.ts";

const DENIED = { status: 1, stdout: "result=deny\n", stderr: "" };
const SILENT_ALLOW = { status: 0, stdout: "", stderr: "" };
const SILENT_DENY = { status: 1, stdout: "", stderr: "" };
/** An agent that must not be asked: who is asked anyway gets a yes. */
const AGENT: Setting = { ask: reply("allow:b"), notify: reply(""), client: "printf allow:b" };

for (const program of HOSTS) {
	const { name } = program;

	/** What a policy (see `policyText`) makes of a call `source→target` of s.S+x. */
	async function decide(t: ExecutionContext, rules: string, call: string, options: readonly string[] = [], more: Setting = {}) {
		const stage = await Stage.open(t, { ...AGENT, policy: policyText(rules), ...more });
		const [source = "", target = ""] = call.split("→");
		const { status, stdout, stderr } = await stage.run(program, [source, target, "s.S+x"], { options });
		return { stage, ended: { status, stdout, stderr } };
	}

	test(`${name}: qubesd is asked once, with exactly these bytes`, async (t) => {
		const { stage } = await decide(t, "… b allow", "a→b");
		t.deepEqual(stage.requests("internal.sock"), ["internal.GetSystemInfo+ dom0 name dom0\0"]);
	});

	/** `|` stands for the line ends, as in the specification. */
	function allows(title: string, rules: string, call: string, text: string, options: readonly string[] = [], more: Setting = {}) {
		test(`${name}: ${title}`, async (t) => {
			const { ended } = await decide(t, rules, call, options, more);
			t.is(ended.stdout, `${text.replaceAll("|", "\n")}\n`);
			t.is(ended.status, 0);
		});
	}

	const B = `target=b|target_uuid=uuid:${uuidOf("b")}`;
	allows(
		"an allowed call is answered with the text for qrexec and a line end, status 0 (Q48)",
		"… b allow",
		"a→b",
		`user=DEFAULT|result=allow|${B}|autostart=True|requested_target=b`,
	);
	allows(
		"user= and autostart= are in the answer",
		"… b allow user=root autostart=no",
		"a→b",
		`user=root|result=allow|${B}|autostart=False|requested_target=b`,
	);
	allows(
		"the answer for dom0 has no uuid",
		"… dom0 allow",
		"a→@adminvm",
		"user=DEFAULT|result=allow|target=dom0|autostart=True|requested_target=@adminvm",
	);
	allows(
		"the answer for a disposable names its template",
		"… @dispvm allow",
		"a→@dispvm",
		`user=DEFAULT|result=allow|target=@dispvm:dvm|target_uuid=@dispvm:uuid:${uuidOf("dvm")}|autostart=True|requested_target=@dispvm`,
	);
	allows(
		"an empty target is @default",
		"… @default allow target=b",
		"a→",
		`user=DEFAULT|result=allow|${B}|autostart=True|requested_target=@default`,
	);
	allows(
		"the answer for a RemoteVM names its relay and the service there",
		"… rem allow",
		"a→rem",
		`user=DEFAULT|result=allow|target=rel|target_uuid=uuid:${uuidOf("rel")}|autostart=True|requested_target=rem|service=x.T+rem+s.S+x`,
	);
	allows(
		"Q10: the relay is told the RemoteVM of the rule",
		"… @default allow target=rem",
		"a→@default",
		`user=DEFAULT|result=allow|target=rel|target_uuid=uuid:${uuidOf("rel")}|autostart=True|requested_target=@default|service=x.T+rem+s.S+x`,
	);
	allows(
		"a call for a RemoteVM says so",
		"rem b allow",
		"rel→b",
		`user=DEFAULT|result=allow|${B}|autostart=True|requested_target=b|policy_source=rem`,
		["--requested-source", "rem"],
	);
	allows(
		"Q11: a call for a RemoteVM to dom0 says so",
		"rem dom0 allow",
		"rel→dom0",
		"user=DEFAULT|result=allow|target=dom0|autostart=True|requested_target=dom0|policy_source=rem",
		["--requested-source", "rem"],
	);
	allows(
		"--assume-yes-for-ask allows what could be chosen",
		"… b ask user=u",
		"a→b",
		`user=u|result=allow|${B}|autostart=True|requested_target=b`,
		["--assume-yes-for-ask"],
	);
	allows(
		"the user's choice is the target",
		"… @default ask target=b",
		"a→@default",
		`user=DEFAULT|result=allow|${B}|autostart=True|requested_target=@default`,
	);

	/** `reason` is in the one line that is logged, besides warnings. */
	function denies(
		title: string,
		rules: string,
		call: string,
		reason: RegExp,
		options: readonly string[] = [],
		more: Setting = {},
	) {
		test(`${name}: ${title}`, async (t) => {
			const { stage, ended } = await decide(t, rules, call, options, more);
			t.deepEqual({ ...ended, stderr: "" }, DENIED);
			const lines = (await stage.logged()).filter((line) => !line.startsWith("<12>"));
			t.is(lines.length, 1, lines.join("\n"));
			t.regex(lines[0] ?? "", reason);
		});
	}

	denies("a denied call is answered with result=deny, status 1", "… b deny", "a→b", /50\.policy:1/);
	denies("a call without a rule is denied", "… c allow", "a→b", /no matching rule found/);
	denies("a call without a target is denied", "… * allow", "a→", /no target specified/);
	denies("Q8: an unknown source is denied", "… * allow", "nosuch→b", /unknown source/);
	denies("a call of a qube to itself is denied", "… * allow", "a→a", /loopback qrexec connection not supported/);
	denies("Q9: also if it names itself by uuid", "… * allow", `a→uuid:${uuidOf("a")}`, /loopback/);
	denies("Q9: a relay may not call its own RemoteVM", "… * allow", "rel→rem", /loopback/);
	denies("a target that is no legal token is denied", "… * allow", "a→@tag:t1", /@tag:t1/);
	denies("a disposable of what is no template is denied", "… * allow", "a→@dispvm:b", /not a template/);
	denies("a RemoteVM without relay is denied", "… * allow", "a→rem3", /rem3: relayvm is not set/);
	denies("a RemoteVM without transport is denied", "… * allow", "a→rem2", /rem2: transport RPC is not set/);
	denies("Q49: a user with a colon is denied", "… b allow user=x:y", "a→b", /user/);
	denies("Q5: an ask for a target that is not there is denied", "… * ask target=zzz", "a→b", /no target specified/);
	denies("an ask with nothing to choose from is denied", "… @default ask", "a→@default", /no target available to choose from/);
	denies("Q17: --assume-yes-for-ask does not know @adminvm", "… * ask", "a→@adminvm", /not a valid choice/, [
		"--assume-yes-for-ask",
	]);
	denies("a qube that does not run is denied with autostart=no", "… * allow autostart=no", "a→c", /autostart/);
	denies("an answer of more than 4095 bytes is denied", `… b allow user=${"u".repeat(4000)}`, "a→b", /4095/);
	for (const [source, requested, reason] of [
		["rel", "nosuch", /unknown requested source qube .nosuch/],
		["rel", "a", /a: requested source is only authorized for RemoteVM/],
		["a", "rem", /a is not a relay for rem/],
		[`uuid:${uuidOf("rel")}`, "rem", /is not a relay for rem/],
	] as const) {
		denies(`${source} may not call for ${requested}`, "… * allow", `${source}→b`, reason, ["--requested-source", requested]);
	}

	test(`${name}: an answer of exactly 4095 bytes is allowed`, async (t) => {
		const rest = `user=|result=allow|${B}|autostart=True|requested_target=b|`.length;
		const { ended } = await decide(t, `… b allow user=${"u".repeat(4095 - rest)}`, "a→b");
		t.is(ended.stdout.length, 4095);
		t.is(ended.status, 0);
	});

	/** `--just-evaluate` answers by its status alone. */
	function justEvaluates(title: string, rules: string, call: string, options: readonly string[], wanted: object) {
		test(`${name}: with --just-evaluate ${title}`, async (t) => {
			const { stage, ended } = await decide(t, rules, call, ["--just-evaluate", ...options]);
			t.deepEqual(ended, wanted as typeof ended);
			t.deepEqual([...stage.requests("rpc/policy.Ask"), ...stage.requests("rpc/policy.Notify"), ...stage.clientCalls()], []);
			const lines = await stage.logged();
			// Spec 7: allow is not logged in this mode, any deny is.
			t.is(lines.length, wanted === SILENT_ALLOW ? 0 : 1, lines.join("\n"));
		});
	}

	justEvaluates("an allowed call prints nothing, status 0", "… b allow notify=yes", "a→b", [], SILENT_ALLOW);
	justEvaluates("a denied call prints nothing, status 1", "… b deny notify=yes", "a→b", [], SILENT_DENY);
	justEvaluates("an ask is a denial", "… b ask", "a→b", [], SILENT_DENY);
	justEvaluates("and --assume-yes-for-ask an ask is an allow", "… b ask", "a→b", ["--assume-yes-for-ask"], SILENT_ALLOW);
	justEvaluates("Q16: a call of a qube to itself is an allow", "… * allow", "a→a", [], SILENT_ALLOW);
	justEvaluates("Q16: a RemoteVM without relay is an allow", "… * allow", "a→rem3", [], SILENT_ALLOW);

	for (const [title, rules, wanted] of [
		["an allow", "… b allow notify=yes", "allow"],
		["an ask", "… b ask notify=yes", "ask"],
		["a deny", "… b deny", "deny"],
		["a syntax error", "… b nonsense", "deny"],
	] as const) {
		for (const option of ["--json", "--explain"]) {
			test(`${name}: ${option} of ${title} asks, runs, notifies and logs nothing`, async (t) => {
				const { stage, ended } = await decide(t, rules, "a→b", [option]);
				t.true(ended.stdout.includes(wanted));
				t.is(ended.status, wanted === "allow" ? 0 : 1);
				t.is(ended.stderr, "");
				t.deepEqual([...stage.requests("rpc/policy.Ask"), ...stage.requests("rpc/policy.Notify"), ...stage.clientCalls()], []);
				t.deepEqual(await stage.logged(), []);
			});
		}
	}

	/** The whole object that `--json` prints; PATH stands for the policy file. */
	function prints(title: string, rules: string, call: string, wanted: object, message = "") {
		test(`${name}: --json prints the keys of ${title}, on one line`, async (t) => {
			const { stage, ended } = await decide(t, rules, call, ["--json"]);
			t.regex(ended.stdout, /^\{.*\}\n$/);
			const { message: found, ...rest } = JSON.parse(ended.stdout.replaceAll(stage.path("policy.d/50.policy"), "PATH"));
			t.deepEqual(rest, wanted);
			t.true((found ?? "").includes(message), found);
		});
	}

	const RULE = { file: "PATH", line: 1 };
	const TEXT = `user=u\nresult=allow\n${B.replace("|", "\n")}\nautostart=True\nrequested_target=b`;
	prints("an allow", "… b allow user=u", "a→b", {
		...{ decision: "allow", result: TEXT, rule: RULE, user: "u", autostart: true, notify: false, warnings: [] },
	});
	prints("an ask", "… b ask default_target=b ; … c ask", "a→b", {
		...{ decision: "ask", rule: RULE, targets_for_ask: ["b", "c"], default_target: "b", user: null, autostart: true },
		...{ notify: false, warnings: [] },
	});
	prints(
		"a deny",
		"… b deny notify=no",
		"a→b",
		{ decision: "deny", result: "result=deny", reason: "denied-by-rule", rule: RULE, notify: false, warnings: [] },
		"PATH:1",
	);
	prints(
		"a syntax error",
		"… b allow ; s.S * a b maybe",
		"a→b",
		{
			...{ decision: "deny", result: "result=deny", reason: "syntax-error", rule: null, notify: false, warnings: [] },
			error_at: { file: "PATH", line: 2, column: 11 },
		},
		"PATH:2:11: ",
	);

	test(`${name}: --json has what is odd in its warnings, not on standard error`, async (t) => {
		const { ended } = await decide(t, "… @default allow target=b", "a→nosuch", ["--json"]);
		t.is(ended.stderr, "");
		t.regex(JSON.parse(ended.stdout).warnings.join("\n"), /nosuch/);
	});

	test(`${name}: with five arguments --json prints the decision and starts nothing`, async (t) => {
		const stage = await Stage.open(t, { ...AGENT, qubesd: reply("0\0") });
		const { status, stdout } = await stage.run(program, ["7", "a", "b", "s.S+x", "SOCKET11"], { options: ["--json"] });
		t.is(status, 0);
		t.is(JSON.parse(stdout).decision, "allow");
		t.deepEqual(stage.requests("qubesd.sock"), []);
		t.deepEqual(stage.clientCalls(), []);
	});

	test(`${name}: --explain names the deciding rule with its place`, async (t) => {
		const { stage, ended } = await decide(t, "… c deny ; … b allow user=u", "a→b", ["--explain"]);
		const rule = ended.stdout.split("\n").find((line) => line.startsWith("rule")) ?? "";
		t.true(rule.includes(`${stage.path("policy.d/50.policy")}:2`), rule);
		t.regex(rule, /\*\s\*\s\*\sb\sallow user=u$/);
	});

	test(`${name}: --explain says that no rule decided`, async (t) => {
		const { ended } = await decide(t, "… c allow", "a→b", ["--explain"]);
		t.regex(ended.stdout, /^rule +none/m);
		t.regex(ended.stdout, /no-matching-rule/);
	});

	test(`${name}: --explain of an ask lists the targets`, async (t) => {
		const { ended } = await decide(t, "… b ask ; … c ask", "a→b", ["--explain"]);
		t.regex(ended.stdout, /^targets +b, c$/m);
	});

	test(`${name}: --explain cannot be made to print a line by the caller`, async (t) => {
		const { ended } = await decide(t, "… b allow", "a→b\ndecision allow", ["--explain"]);
		t.notRegex(ended.stdout, /^decision allow$/m);
		t.regex(ended.stdout, /^decision {2,}deny$/m);
	});

	test(`${name}: --explain says so when it is stopped before it has decided`, async (t) => {
		const stage = await Stage.open(t, { info: neverReply });
		const stopped = stage.run(program, ["a", "b", "s.S+x"], {
			options: ["--explain"],
			started: async (child) => {
				while (stage.requests("internal.sock").length === 0) await sleep(10);
				child.kill("SIGTERM");
			},
		});
		const { status, stdout } = await stopped;
		t.is(status, 1);
		t.regex(stdout, /^decision {4}deny\nreason {6}.*stopped before it was decided/m);
	});

	/** `‸` stands before the place that is wrong, in the line that is wrong. */
	function misses(text: string) {
		const lines = text.split("\n");
		const line = lines.findIndex((content) => content.includes("‸")) + 1;
		const wrong = lines[line - 1] ?? "";
		const place = `:${line}:${wrong.indexOf("‸") + 1}`;
		const policy = `${text.replace("‸", "")}\n`;

		test(`${name}: the error in ${JSON.stringify(text)} is logged with its place, and denies`, async (t) => {
			const stage = await Stage.open(t, { policy });
			const { status, stdout, stderr } = await stage.run(program, ["a", "b", "s.S+x"]);
			t.deepEqual({ status, stdout, stderr }, DENIED);
			const start = `<11>qrexec: s.S+x: a -> b: error loading policy: ${stage.path("policy.d/50.policy")}${place}: `;
			const logged = await stage.logged();
			t.is(logged.length, 1);
			t.is(logged[0]?.slice(0, start.length), start);
		});

		test(`${name}: --explain shows the error in ${JSON.stringify(text)} with a caret`, async (t) => {
			const stage = await Stage.open(t, { policy });
			const ended = await stage.run(program, ["a", "b", "s.S+x"], { options: ["--explain"] });
			t.is(ended.status, 1);
			const margin = wrong.slice(0, wrong.indexOf("‸")).replace(/[^\t]/g, " ");
			const shown = `${place}\n  ${wrong.replace("‸", "")}\n  ${margin}^\n`;
			t.true(ended.stdout.endsWith(shown), JSON.stringify(ended));
		});
	}

	misses("s.S +x a b‸");
	misses("s‸/S * a b allow");
	misses("s.S ‸x a b allow");
	misses("s.S +x‸/ a b allow");
	misses("* ‸+x a b allow");
	misses("s.S * ‸@default b allow");
	misses("s.S * a ‸@foo allow");
	misses("s.S * a b ‸Allow");
	misses("s.S * a b ‸allow,target=c");
	misses("s.S * a b allow ‸target");
	misses("s.S * a b allow user=x ‸user=x");
	misses("s.S * a b allow ‸notify=maybe");
	misses("s.S * a b deny ‸target=b");
	misses("s.S * a b allow ‸# no comment");
	misses("s.S * a b ask target=‸@tag:x");
	misses("‸!nonsense");
	misses("!include ‸none");
	misses("!include-dir ‸none");
	misses("!include-service s‸/S * none");
	misses("!include-service s.S * ‸none");
	misses("# first\n\n* * * * allow\n\ts.T\t*\ta\tb\t‸foo\n* * * * allow");
}
