// Policies that cannot be read, and what in a policy directory is no policy: spec 3, Q42, Q56. Never an allow, never a hang.
import fs from "node:fs";
import test, { type ExecutionContext } from "ava";
import { FakeServer, neverReply, reply } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { runToEnd } from "../../support/run-program.ts";
import { isDenied } from "./is-denied.ts";
import { type Extra, Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const ALLOW = "* * * * allow\n";
const MIB = 1 << 20;

for (const program of HOSTS) {
	const { name } = program;

	/** A policy directory that makes the call a denial. */
	function denies(title: string, prepare: (stage: Stage) => void, complaint: RegExp, extra: Extra = {}): void {
		test(`${name}: ${title} is a denial`, async (t) => {
			const stage = await Stage.open(t, { policy: ALLOW, notify: reply("") });
			prepare(stage);
			await isDenied(t, stage, await stage.run(program, CALL, extra), complaint);
		});
	}

	/** Something in the policy directory that is no policy file, and does not disturb. */
	function ignores(title: string, prepare: (stage: Stage, t: ExecutionContext) => Promise<void> | void): void {
		test(`${name}: ${title} is ignored`, async (t) => {
			const stage = await Stage.open(t, { policy: ALLOW });
			await prepare(stage, t);
			const { status, stderr } = await stage.run(program, CALL);
			t.deepEqual({ status, stderr }, { status: 0, stderr: "" });
		});
	}

	const LOADING = "^<1[14]>qrexec: s\\.S\\+x: a -> b: error loading policy: .*";
	const loading = (end: string): RegExp => new RegExp(LOADING + end);

	denies(
		"a policy directory that does not exist",
		(stage) => fs.rmSync(stage.path("policy.d"), { recursive: true }),
		loading("no such file"),
	);
	denies("a second policy directory that does not exist", () => undefined, loading("/nonexistent/p.*no such file"), {
		options: ["--path", "/nonexistent/p"],
	});
	denies(
		"a policy directory that is a file",
		(stage) => {
			fs.rmSync(stage.path("policy.d"), { recursive: true });
			stage.write("policy.d", ALLOW);
		},
		loading("not a directory"),
	);
	denies(
		"a policy directory that is a link to nothing",
		(stage) => {
			fs.rmSync(stage.path("policy.d"), { recursive: true });
			fs.symlinkSync("nothing", stage.path("policy.d"));
		},
		loading("no such file"),
	);
	denies("an empty policy directory", (stage) => fs.rmSync(stage.path("policy.d/50.policy")), /no matching rule found/);
	denies("an empty path of a policy directory", () => undefined, /^<1[14]>qrexec: /, { options: ["--path", ""] });
	denies(
		"a policy file of 100 MB",
		(stage) => growTo(stage.path("policy.d/60.policy"), 100e6),
		loading("60\\.policy.*too large"),
	);
	denies(
		"a policy file of 4 MiB and a byte",
		(stage) => growTo(stage.path("policy.d/60.policy"), 4 * MIB + 1),
		loading("too large"),
	);
	denies(
		"a policy file of NUL bytes",
		(stage) => growTo(stage.path("policy.d/60.policy"), 4096),
		loading("60\\.policy:1:\\d+: .*wrong number of fields"),
	);
	denies(
		"a NUL in the path of an include",
		(stage) => stage.write("policy.d/60.policy", "!include x\0y\n"),
		loading("60\\.policy:1:10: "),
	);
	denies(
		"a policy file that is not UTF-8",
		(stage) => stage.write("policy.d/60.policy", Buffer.from("# caf\xe9\n", "latin1")),
		loading("60\\.policy.*UTF-8"),
	);
	denies(
		"a policy file with an overlong encoding",
		(stage) => stage.write("policy.d/60.policy", Buffer.from("# \xc0\xaf\n", "latin1")),
		loading("60\\.policy.*UTF-8"),
	);
	denies(
		"an included file that is not UTF-8",
		(stage) => {
			stage.write("policy.d/inc", Buffer.from("# caf\xe9\n", "latin1"));
			stage.write("policy.d/60.policy", "!include inc\n");
		},
		loading("inc.*UTF-8"),
	);
	denies(
		"a byte order mark before a comment",
		(stage) => stage.write("policy.d/60.policy", "\ufeff# comment\n"),
		loading("60\\.policy:1:\\d+: "),
	);
	denies("a policy file with an upper-case name", (stage) => stage.write("policy.d/A.policy", ""), loading("A\\.policy"));
	denies("a policy file with a space in its name", (stage) => stage.write("policy.d/a b.policy", ""), loading("a b\\.policy"));
	denies(
		"a policy file with a name that is not UTF-8",
		(stage) => fs.writeFileSync(Buffer.from(`${stage.path("policy.d")}/\xff.policy`, "latin1"), ""),
		loading("xff\\.policy"),
	);
	denies(
		"a line feed in the name of a policy file",
		(stage) => stage.write("policy.d/a\nb.policy", ""),
		loading("a\\\\x0ab\\.policy"),
	);
	denies(
		"an include of itself",
		(stage) => stage.write("policy.d/60.policy", "!include 60.policy\n"),
		loading("60\\.policy:1:\\d+: "),
	);
	denies(
		"an include cycle",
		(stage) => {
			stage.write("policy.d/60.policy", "!include x\n");
			stage.write("policy.d/x", "# first\n!include y\n");
			stage.write("policy.d/y", "!include x\n");
		},
		loading("/y:1:\\d+: "),
	);
	denies(
		"an include cycle through a link",
		(stage) => {
			fs.symlinkSync("60.policy", stage.path("policy.d/link"));
			stage.write("policy.d/60.policy", "!include link\n");
		},
		loading("60\\.policy:1:\\d+: "),
	);
	denies(
		"a directory that includes itself",
		(stage) => stage.write("policy.d/60.policy", "!include-dir .\n"),
		loading("60\\.policy:1:\\d+: "),
	);
	denies(
		"files that include the next one twice, forty times",
		(stage) => {
			stage.write("policy.d/60.policy", "!include i0\n");
			for (let i = 0; i < 40; i++) stage.write(`policy.d/i${i}`, `!include i${i + 1}\n!include i${i + 1}\n`);
			stage.write("policy.d/i40", "");
		},
		loading(""),
	);
	denies(
		"an include of a dangling link",
		(stage) => {
			fs.symlinkSync("nothing", stage.path("policy.d/link"));
			stage.write("policy.d/60.policy", "!include link\n");
		},
		loading("60\\.policy:1:\\d+: .*not a file"),
	);
	denies(
		"an include of a link loop",
		(stage) => {
			fs.symlinkSync("loop", stage.path("policy.d/loop"));
			stage.write("policy.d/60.policy", "!include loop\n");
		},
		loading("60\\.policy:1:\\d+: "),
	);
	denies(
		"an include of a directory",
		(stage) => stage.write("policy.d/60.policy", "!include ../old\n"),
		loading("60\\.policy:1:\\d+: .*not a file"),
	);
	denies(
		"an include of a name of 300 characters",
		(stage) => stage.write("policy.d/60.policy", `!include ${"x".repeat(300)}\n`),
		loading("60\\.policy:1:"),
	);
	denies(
		"an include of a device",
		(stage) => stage.write("policy.d/60.policy", "!include /dev/zero\n"),
		loading("60\\.policy:1:\\d+: .*not a file"),
	);
	denies(
		"a line of 4 million characters",
		(stage) => stage.write("policy.d/60.policy", "x".repeat(4e6)),
		loading("60\\.policy:1:\\d+: .*wrong number of fields"),
	);
	denies(
		"an include of a missing file with 2000 slashes in its path",
		(stage) => stage.write("policy.d/60.policy", `!include ${"a/".repeat(1990)}x\n`),
		loading("60\\.policy:1:10: .*not a file"),
	);
	denies(
		"a rule with 20000 parameters",
		(stage) =>
			stage.write("policy.d/60.policy", `* * a b allow ${Array.from({ length: 20000 }, (_, i) => `k${i}=`).join(" ")}\n`),
		loading('60\\.policy:1:15: invalid parameters for allow: "k0"'),
	);
	denies(
		"!compat-4.0 without its directory",
		(stage) => {
			fs.rmSync(stage.path("old"), { recursive: true });
			stage.write("policy.d/60.policy", "!compat-4.0\n");
		},
		loading(""),
	);

	test(`${name}: an include by a way of 1000 steps is found`, async (t) => {
		const stage = await Stage.open(t, { policy: `!include ${"./".repeat(1000)}x\n` });
		stage.write("policy.d/x", ALLOW);
		t.is((await stage.run(program, CALL)).status, 0);
	});

	test(`${name}: an include of a socket is a syntax error`, async (t) => {
		const stage = await Stage.open(t, { policy: "!include socket\n" });
		const server = await FakeServer.listen(stage.path("policy.d/socket"), neverReply);
		t.teardown(() => server.close());
		await isDenied(t, stage, await stage.run(program, CALL), loading("50\\.policy:1:10: .*not a file"));
	});

	test(`${name}: the last of 100000 rules of a file of 3 MB decides`, async (t) => {
		const stage = await Stage.open(t, { policy: null });
		const rules = Array.from({ length: 100_000 }, (_, i) => `s.S * a${i} b${i} deny`);
		stage.write("policy.d/50.policy", `${rules.join("\n")}\n* * a b allow\n`);
		t.is((await stage.run(program, CALL)).status, 0);
	});

	test(`${name}: an include of a fifo is a denial and does not wait`, async (t) => {
		const stage = await Stage.open(t, { policy: "!include fifo\n* * * * allow\n" });
		await makeFifo(stage, "policy.d/fifo");
		await isDenied(t, stage, await stage.run(program, CALL), loading("50\\.policy:1:\\d+: .*not a file"));
	});

	test(`${name}: a policy file that may not be read is a denial`, async (t) => {
		const stage = await Stage.open(t, { policy: ALLOW });
		fs.chmodSync(stage.dir, 0o755);
		for (const socket of ["internal.sock", "log.sock"]) fs.chmodSync(stage.path(socket), 0o777);
		fs.chmodSync(stage.path("policy.d/50.policy"), 0o000);
		const isRoot = process.getuid?.() === 0;
		const script = `exec ${isRoot ? "setpriv --reuid=65534 --clear-groups " : ""}"$@"`;
		// The notification may not be sent either.
		const { status, stdout } = await stage.runInShell(program, script, CALL);
		t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
		t.regex((await stage.logged())[0] ?? "", loading("50\\.policy.*permission denied"));
	});

	ignores("a fifo called x.policy", (stage) => makeFifo(stage, "policy.d/x.policy"));
	ignores("a directory called x.policy", (stage) => fs.mkdirSync(stage.path("policy.d/x.policy")));
	ignores("a dangling link called x.policy", (stage) => fs.symlinkSync("nothing", stage.path("policy.d/x.policy")));
	ignores("a link loop called x.policy", (stage) => fs.symlinkSync("x.policy", stage.path("policy.d/x.policy")));
	ignores("a link to a device called x.policy", (stage) => fs.symlinkSync("/dev/zero", stage.path("policy.d/x.policy")));
	ignores("a socket called x.policy", async (stage, t) => {
		const server = await FakeServer.listen(stage.path("policy.d/x.policy"), neverReply);
		t.teardown(() => server.close());
	});
	ignores("a file that is not called .policy", (stage) => stage.write("policy.d/README", "nonsense"));
	ignores("a file whose name starts with a dot", (stage) => stage.write("policy.d/.x.policy", "nonsense"));
	ignores("a file called x.policy~", (stage) => stage.write("policy.d/x.policy~", "nonsense"));

	test(`${name}: the last of 10000 policy files decides`, async (t) => {
		const stage = await Stage.open(t, { policy: null });
		for (let i = 10000; i < 20000; i++) stage.write(`policy.d/${i}.policy`, `s.S +${i} * * allow\n`);
		stage.write("policy.d/99999.policy", "* * * b allow\n");
		const { status } = await stage.run(program, CALL);
		t.is(status, 0);
	});

	test(`${name}: an error in the last of 10000 policy files is a denial`, async (t) => {
		const stage = await Stage.open(t, { policy: ALLOW });
		for (let i = 10000; i < 20000; i++) stage.write(`policy.d/${i}.policy`, "s.T * * * deny\n");
		stage.write("policy.d/99999.policy", "nonsense\n");
		await isDenied(t, stage, await stage.run(program, CALL), loading("99999\\.policy:1:\\d+: "));
	});
}

/** Makes a file of zeros that takes no room on the disk. */
function growTo(file: string, bytes: number): void {
	fs.writeFileSync(file, "");
	fs.truncateSync(file, bytes);
}

async function makeFifo(stage: Stage, name: string): Promise<void> {
	const { status } = await runToEnd(["mkfifo", stage.path(name)]);
	if (status !== 0) throw new Error("mkfifo failed");
}
