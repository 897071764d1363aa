// The user is told: spec 6.6, 6.8, 9.3, Q33, Q35.
import test, { type ExecutionContext } from "ava";
import { closeAtOnce, neverClose, neverReply, reply, replyHuge, trickle } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { entry, house, uuidOf } from "../core/fixtures.ts";
import { type Extra, runCall, type Setting, Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const HEADER = "policy.Notify dom0 name dom0\0";
const TO_B = `target=b\ntarget_uuid=uuid:${uuidOf("b")}\n`;
/** A house whose GUI qube is `g`. */
const REMOTE_HOUSE = { a: entry("a", { guivm: "g" }), b: entry("b"), g: entry("g", { guivm: null }) };

for (const program of HOSTS) {
	const { name } = program;

	const call = (t: ExecutionContext, setting: Setting, words = CALL, extra: Extra = {}) =>
		runCall(t, program, { client: null, ...setting }, words, extra);

	/** Who is told what. `wanted` null: nobody. */
	function tells(
		title: string,
		policy: string,
		words: readonly string[],
		wanted: object | null,
		more: Setting = {},
		extra: Extra = {},
	) {
		test(`${name}: ${title}`, async (t) => {
			const { stage } = await call(t, { policy: `${policy}\n`, notify: reply(""), ...more }, [...words], extra);
			const requests = stage.requests("rpc/policy.Notify");
			t.is(requests.length, wanted === null ? 0 : 1);
			if (wanted === null) return;
			const [request = ""] = requests;
			t.is(request.slice(0, HEADER.length), HEADER);
			t.deepEqual(JSON.parse(request.slice(HEADER.length)), wanted);
		});
	}

	const DENIED = { resolution: "deny", service: "s.S", argument: "+x", source: "a", target: "b" };
	tells("a denial is told to the user", "* * * * deny", CALL, DENIED);
	tells("a call without a rule is told to the user", "* * * c deny", CALL, DENIED);
	tells("a denial with notify=no is not told", "* * * * deny notify=no", CALL, null);
	tells("the raw target of a denial is told", "* * * * deny", ["a", "nosuch", "s.S+x"], { ...DENIED, target: "nosuch" });
	tells("an allowed call is not told", "* * * * allow", CALL, null);
	tells("an allowed call with notify=yes is told with its real target", "* * * * allow target=c notify=yes", CALL, {
		...DENIED,
		resolution: "allow",
		target: "c",
	});
	tells("an empty argument is told as +", "* * * * deny", ["a", "b", "s.S"], { ...DENIED, argument: "+" });
	tells("Q33: a loop is told once, as denied", "* * * * allow notify=yes", ["a", "a", "s.S+x"], { ...DENIED, target: "a" });
	tells("Q46: autostart=no is not told", "* * * * allow autostart=no", ["a", "c", "s.S+x"], null);
	tells("Q8: nobody is told of an unknown source", "* * * * deny", ["nosuch", "b", "s.S+x"], null);
	tells("Q47: nobody is told of an illegal target", "* * * * deny", ["a", "@tag:x", "s.S+x"], null);
	tells("nobody is told of a syntax error", "nonsense", CALL, null);
	tells("a policy that cannot be read is told", "", CALL, DENIED, {}, { options: ["--path", "/nonexistent"] });
	tells("a source without GuiVM is not told", "* * * * deny", CALL, null, { domains: house({ a: { guivm: null } }) });
	tells("what the user denied is not told", "* * * * ask", CALL, null, { ask: reply("deny") });
	tells("what the user denied is told with notify=yes", "* * * * ask notify=yes", CALL, DENIED, { ask: reply("deny") });
	tells(
		"what the user allowed is told with notify=yes",
		"* * * b ask notify=yes",
		CALL,
		{ ...DENIED, resolution: "allow" },
		{
			ask: reply("allow:b"),
		},
	);
	tells("an invalid answer of the agent is told", "* * * * ask", CALL, DENIED, { ask: reply("yes") });
	tells("a choice that was not offered is told", "* * * b ask", CALL, DENIED, { ask: reply("allow:c") });
	tells(
		"the denial of a RemoteVM's call is told as of the relay",
		"* * * * deny",
		["rel", "b", "s.S+x"],
		{ ...DENIED, source: "rel" },
		{},
		{
			options: ["--requested-source", "rem"],
		},
	);
	tells(
		"an allowed call of a RemoteVM is told as its own",
		"* * * * allow notify=yes",
		["rel", "b", "s.S+x"],
		{
			...{ ...DENIED, resolution: "allow", source: "rem" },
		},
		{},
		{ options: ["--requested-source", "rem"] },
	);

	for (const [title, notify] of [
		["is not there", null],
		["is silent (Q35)", neverReply],
		["never closes (Q35)", neverClose("x")],
		["writes without end (Q35)", trickle],
		["answers far too much", replyHuge("", 1 << 20)],
		["closes at once", closeAtOnce],
	] as const) {
		test(`${name}: a notification service that ${title} changes nothing of the answer`, async (t) => {
			const { status, stdout, logged } = await call(t, { policy: "* * * b allow notify=yes\n", notify }, CALL, { timeout: 1 });
			t.is(status, 0);
			t.is(stdout, `user=DEFAULT\nresult=allow\n${TO_B}autostart=True\nrequested_target=b\n`);
			t.is(logged[0], "<14>qrexec: s.S+x: a -> b: allowed to b");
			for (const line of logged.slice(1)) t.regex(line, /^<11>.*error calling qrexec-policy-agent in dom0/);
			if (title !== "closes at once") t.is(logged.length, 2, logged.join("\n"));
		});
	}

	test(`${name}: a GuiVM that is a qube is told by qrexec`, async (t) => {
		const { stage } = await call(t, { policy: "* * * * deny\n", domains: REMOTE_HOUSE, client: "" });
		const [{ argv, input } = { argv: [], input: "" }] = stage.clientCalls();
		t.deepEqual(argv, ["-d", "g", "DEFAULT:QUBESRPC policy.Notify dom0"]);
		t.deepEqual(JSON.parse(input), DENIED);
	});

	for (const client of ["exec sleep 600", "sleep 60 2> /dev/null"]) {
		test(`${name}: a qrexec client that hangs in "${client}" with a notification is given up, the answer stands (Q35)`, async (t) => {
			const setting: Setting = { policy: "* * * * allow notify=yes\n", domains: REMOTE_HOUSE, client };
			const { status, logged } = await call(t, setting, CALL, { timeout: 1 });
			t.is(status, 0);
			t.is(logged[0], "<14>qrexec: s.S+x: a -> b: allowed to b");
			t.regex(logged[1] ?? "", /^<11>.*error calling qrexec-policy-agent in g/);
		});
	}

	test(`${name}: an agent that hangs and a log that takes nothing change nothing of the answer (Q35, Q43)`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * b allow notify=yes\n", notify: neverReply });
		await stage.fillLog();
		const { status, stdout } = await stage.run(program, CALL, { timeout: 1 });
		t.is(status, 0);
		t.true(stdout.includes(TO_B));
	});
}
