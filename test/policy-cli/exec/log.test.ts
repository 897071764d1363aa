// The lines in the system log and on standard error: spec 7, Q12, Q15, Q43.
import test, { type ExecutionContext } from "ava";
import { FakeServer, neverReply, reply } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { DOM0_UUID, house } from "../core/fixtures.ts";
import { type Extra, type Setting, Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];

for (const program of HOSTS) {
	const { name } = program;

	/** The one line that a call leaves; FILE stands for the policy file. */
	function logs(
		title: string,
		policy: string,
		words: readonly string[],
		line: string | RegExp,
		extra: Extra = {},
		more: Setting = {},
	) {
		test(`${name}: ${title}`, async (t) => {
			const stage = await Stage.open(t, { policy: `${policy}\n`, notify: reply(""), ...more });
			await stage.run(program, [...words], extra);
			const lines = await stage.logged();
			t.is(lines.length, 1, lines.join("\n"));
			const found = lines[0]?.replaceAll(stage.path("policy.d/50.policy"), "FILE") ?? "";
			if (typeof line === "string") t.is(found, line);
			else t.regex(found, line);
		});
	}

	logs("an allowed call is one line", "* * * * allow", CALL, "<14>qrexec: s.S+x: a -> b: allowed to b");
	logs(
		"an allowed call without argument is shown with +",
		"* * * * allow",
		["a", "b", "s.S"],
		"<14>qrexec: s.S+: a -> b: allowed to b",
	);
	logs(
		"the line of an allowed call has the target as the rules see it, and the one that it goes to",
		"* * * @default allow target=b",
		["a", "nosuch", "s.S+x"],
		"<14>qrexec: s.S+x: a -> @default: allowed to b",
	);
	logs(
		"dom0 has its name in the line",
		"* * * * allow",
		["a", "@adminvm", "s.S+x"],
		"<14>qrexec: s.S+x: a -> @adminvm: allowed to dom0",
	);
	logs(
		"a disposable is resolved in the line",
		"* * * * allow",
		["a", "@dispvm", "s.S+x"],
		"<14>qrexec: s.S+x: a -> @dispvm: allowed to @dispvm:dvm",
	);
	logs(
		"a RemoteVM, not its relay, is in the line",
		"* * * * allow",
		["a", "rem", "s.S+x"],
		"<14>qrexec: s.S+x: a -> rem: allowed to rem",
	);
	logs(
		"a uuid stays a uuid in the line",
		"* * * * allow",
		["a", `uuid:${DOM0_UUID}`, "s.S+x"],
		new RegExp(`a -> uuid:${DOM0_UUID}: allowed to `),
	);
	logs(
		"the RemoteVM, not its relay, is the source of an allowed call",
		"* * * * allow",
		["rel", "b", "s.S+x"],
		"<14>qrexec: s.S+x: rem -> b: allowed to b",
		{ options: ["--requested-source", "rem"] },
	);
	logs(
		"the relay is the source of a denied call",
		"* * * * deny",
		["rel", "b", "s.S+x"],
		/^<14>qrexec: s\.S\+x: rel -> b: denied: .*FILE:1/,
		{ options: ["--requested-source", "rem"] },
	);
	logs(
		"a denied call is one line with the place of the rule",
		"\n* * * * deny",
		CALL,
		/^<14>qrexec: s\.S\+x: a -> b: denied: .*FILE:2/,
	);
	logs(
		"a denied call is shown as it came",
		"* * * c allow",
		["a", "", "s.S"],
		"<14>qrexec: s.S: a -> : denied: no matching rule found",
	);
	logs(
		"a denied call has its raw target",
		"* * * c allow",
		["a", "nosuch", "s.S"],
		"<14>qrexec: s.S: a -> nosuch: denied: no matching rule found",
	);
	logs(
		"the user's no is one line",
		"* * * * ask",
		CALL,
		"<14>qrexec: s.S+x: a -> b: denied: denied by the user",
		{},
		{ ask: reply("deny") },
	);
	logs(
		"Q33: a loop is one line",
		"* * * * allow",
		["a", "a", "s.S+x"],
		"<14>qrexec: s.S+x: a -> a: denied: loopback qrexec connection not supported",
	);
	logs("a syntax error is an error", "nonsense", CALL, /^<11>qrexec: s\.S\+x: a -> b: error loading policy: FILE:1:\d+: /);
	logs(
		"Q47: an illegal target is an error",
		"* * * * allow",
		["a", "@tag:x", "s.S"],
		/^<11>qrexec: s\.S: a -> @tag:x: error loading policy: .*@tag:x/,
	);
	logs(
		"Q15: a policy directory that is missing is one line that names it",
		"",
		CALL,
		/^<1[14]>qrexec: s\.S\+x: a -> b: error loading policy: .*\/nonexistent\/p/,
		{ options: ["--path", "/nonexistent/p"] },
	);
	logs(
		"an error of qubesd is an error",
		"* * * * allow",
		CALL,
		/^<11>qrexec: s\.S\+x: a -> b: error getting system info: /,
		{},
		{
			info: reply("2\0X\0\0\0"),
		},
	);

	test(`${name}: Q12: a relay that calls leaves a warning besides the decision`, async (t) => {
		const stage = await Stage.open(t);
		const { status, stdout } = await stage.run(program, ["rel", "b", "s.S+x"]);
		t.is(status, 0);
		t.notRegex(stdout, /policy_source/);
		const [warning = "", ...rest] = await stage.logged();
		t.regex(warning, /^<12>qrexec: s\.S\+x: rel -> b: .*relay.*qrexec-policy-daemon/);
		t.deepEqual(rest, ["<14>qrexec: s.S+x: rel -> b: allowed to b"]);
	});

	test(`${name}: a relay whose RemoteVM is named leaves no warning`, async (t) => {
		const stage = await Stage.open(t);
		await stage.run(program, ["rel", "b", "s.S+x"], { options: ["--requested-source", "rem"] });
		t.is((await stage.logged()).length, 1);
	});

	test(`${name}: a datagram of the log starts with its priority and has one line`, async (t) => {
		const stage = await Stage.open(t);
		await stage.run(program, CALL);
		const [datagram = ""] = await stage.datagrams();
		t.true(datagram.startsWith("<14>"));
		// The Node program sends by logger, which adds a header and no NUL.
		if (name === "native") t.is(datagram, "<14>qrexec: s.S+x: a -> b: allowed to b\0");
		else t.true(datagram.endsWith(" qrexec: qrexec: s.S+x: a -> b: allowed to b"), datagram);
	});

	test(`${name}: what is no ASCII is logged as UTF-8`, async (t) => {
		const stage = await Stage.open(t);
		await stage.run(program, ["é", "b", "s.S+x"]);
		const [line = ""] = await stage.logged();
		t.regex(Buffer.from(line, "latin1").toString(), /^<14>qrexec: s\.S\+x: é -> b: denied: /);
	});

	test(`${name}: a line with an argument of 20000 characters is logged whole`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * c allow\n", notify: reply("") });
		const service = `s.S+${"x".repeat(20000)}`;
		await stage.run(program, ["a", "b", service]);
		const lines = await stage.logged();
		t.is(lines.length, 1);
		t.true(lines[0] === `<14>qrexec: ${service}: a -> b: denied: no matching rule found`, `${lines[0]?.slice(-60)}`);
	});

	/** Text that wants to be a line of its own, or to hide something. */
	for (const [title, evil] of [
		["a line feed", "x\n<14>qrexec: s.S+: a -> b: allowed to b"],
		["a carriage return", "x\rqrexec: s.S+: a -> b: allowed to b"],
		["an escape sequence", "x\x1b[2Kqrexec: s.S+: a -> b: allowed to b"],
		["a C1 control character", "x\x9b2Ky"],
		["a line separator", "x\u2028y"],
		["a direction mark", "x\u202ey"],
	] as const) {
		for (const [place, words] of [
			["source", [evil, "b", "s.S+x"]],
			["target", ["a", evil, "s.S+x"]],
			["service", ["a", "b", evil]],
		] as const) {
			test(`${name}: ${title} in the ${place} cannot forge or hide a log line`, async (t) => {
				const stage = await Stage.open(t, { policy: "* * * c allow\n", notify: reply("") });
				const { stdout, stderr } = await stage.run(program, [...words]);
				t.is(stdout, "result=deny\n");
				const lines = (await stage.logged()).map((line) => Buffer.from(line, "latin1").toString());
				t.is(lines.length, 1);
				t.regex(lines[0] ?? "", /^<1[14]>qrexec: .* -> .*: denied: /);
				t.notRegex(lines[0] ?? "", HIDING);
				for (const line of stderr.split("\n").slice(0, -1)) t.regex(line, /^WARNING:root:/);
				t.notRegex(stderr.replaceAll("\n", ""), HIDING);
			});
		}
	}

	test(`${name}: a line feed in the answer of the agent cannot forge a log line`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * b ask\n", ask: reply("x\n<14>qrexec: forged"), notify: reply("") });
		await stage.run(program, CALL);
		const lines = await stage.logged();
		t.is(lines.length, 2);
		for (const line of lines) t.notRegex(line, HIDING);
	});

	/** The log is not to be had: its line goes to standard error, the decision stands (Q43). */
	async function fallsBack(t: ExecutionContext, stage: Stage, options: readonly string[] = []): Promise<void> {
		const { status, stdout, stderr } = await stage.run(program, CALL, { options });
		t.is(status, 0);
		t.regex(stdout, /^result=allow$/m);
		t.is(stderr, "qrexec: s.S+x: a -> b: allowed to b\n");
	}

	test(`${name}: Q43: without a log socket the line goes to standard error`, async (t) => {
		await fallsBack(t, await Stage.open(t, { log: false }));
	});

	test(`${name}: Q43: a log socket that is a file counts as none`, async (t) => {
		const stage = await Stage.open(t, { log: false });
		stage.write("log.sock", "");
		await fallsBack(t, stage);
	});

	test(`${name}: Q43: a log socket in a directory that is missing counts as none`, async (t) => {
		await fallsBack(t, await Stage.open(t), ["--log-socket", "/nonexistent/log"]);
	});

	test(`${name}: Q43: a log socket with too long a path counts as none`, async (t) => {
		await fallsBack(t, await Stage.open(t), ["--log-socket", `/tmp/${"x".repeat(200)}`]);
	});

	test(`${name}: Q43: a log socket with an empty path counts as none`, async (t) => {
		await fallsBack(t, await Stage.open(t), ["--log-socket", ""]);
	});

	test(`${name}: Q43: a log that takes nothing more counts as none`, async (t) => {
		const stage = await Stage.open(t);
		await stage.fillLog();
		await fallsBack(t, stage);
	});

	test(`${name}: a log socket of the wrong kind does not stop the call`, async (t) => {
		const stage = await Stage.open(t, { log: false });
		const server = await FakeServer.listen(stage.path("log.sock"), neverReply);
		t.teardown(() => server.close());
		const { status, stdout } = await stage.run(program, CALL);
		t.is(status, 0);
		t.regex(stdout, /^result=allow$/m);
	});

	test(`${name}: Q43: a denial without a log is a denial`, async (t) => {
		const stage = await Stage.open(t, { policy: "nonsense\n", log: false });
		const { status, stdout, stderr } = await stage.run(program, CALL);
		t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
		t.regex(stderr, /^qrexec: s\.S\+x: a -> b: error loading policy: .*\n$/);
	});

	/** What is odd is said on standard error, the decision stands. */
	function warns(title: string, policy: string, words: readonly string[], warning: RegExp, more: Setting = {}): void {
		test(`${name}: ${title} is a warning on standard error`, async (t) => {
			const stage = await Stage.open(t, { policy: `${policy}\n`, ...more });
			const { status, stderr } = await stage.run(program, [...words]);
			t.is(status, 0);
			t.regex(stderr, /^WARNING:root:[^\n]+\n$/);
			t.regex(stderr, warning);
			t.is((await stage.logged()).length, 1);
		});
	}

	warns("Q55: a target that does not exist", "* * * @default allow target=b", ["a", "nosuch", "s.S+x"], /nosuch/);
	warns("a preselected target that is not offered", "* * * b ask default_target=c", CALL, /c/, { ask: reply("allow:b") });
	warns("Q45: a user for a RemoteVM", "* * * * allow user=root", ["a", "rem", "s.S+x"], /user/);
	warns("!compat-4.0", "!compat-4.0\n* * * * allow", CALL, /compat-4\.0/);
	warns("Q55: a target with a line feed", "* * * @default allow target=b", ["a", "x\nWARNING:root:y", "s.S+x"], /x\\x0aWARNING/, {
		domains: house(),
	});
}

/** Characters that end a line, or that change what is seen of it. */
const HIDING = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
