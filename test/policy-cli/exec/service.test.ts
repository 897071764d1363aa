// The form with five arguments: it decides, starts the target and runs the qrexec client (spec 7, Q14).
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { closeAtOnce, neverReply, reply, replySlowly, type Script } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { runToEnd } from "../../support/run-program.ts";
import { DOM0_UUID, uuidOf } from "../core/fixtures.ts";
import { type Extra, runCall, type Setting, Stage } from "./stage.ts";

const [UB, UDVM, UREL] = [uuidOf("b"), uuidOf("dvm"), uuidOf("rel")];
const NEW = "uuid:12345678-9abc-4def-8123-456789abcdef";
const START_B = `admin.vm.Start+ dom0 name uuid:${UB}\0`;
const CREATE = `admin.vm.CreateDisposable+ dom0 name uuid:${UDVM}\0uuid`;
const START_NEW = `admin.vm.Start+ dom0 name ${NEW}\0`;
const NOT_HALTED = "2\0QubesVMNotHaltedError\0\0Qube is not halted\0";

/** A qubesd that makes the disposable `made` and gives `started` for each start. */
function qubesd(started = "0\0", made = `0\0${NEW}`): Script {
	return reply((request) => (request.startsWith("admin.vm.CreateDisposable+") ? made : started));
}

function five(source: string, target: string, service = "s.S+x"): string[] {
	return ["7", source, target, service, "SOCKET11"];
}

/** Writes down what is open besides the standard files. */
const OPEN_FILES = `exec > "\${0%/*}/files"
for fd in /proc/$$/fd/*; do
	case "\${fd##*/}" in [0-2]) ;; *) readlink "$fd" ;; esac
done
exit 0`;

for (const program of HOSTS) {
	const { name } = program;

	const call = (t: ExecutionContext, setting: Setting, words: readonly string[], extra: Extra = {}) =>
		runCall(t, program, { qubesd: qubesd(), notify: reply(""), ...setting }, words, extra);

	/** What is started and run for an allowed call. */
	function runs(
		title: string,
		policy: string,
		words: readonly string[],
		{ asked, argv }: { asked: readonly string[]; argv: readonly string[] },
		more: Setting = {},
		extra: Extra = {},
	): void {
		test(`${name}: ${title}`, async (t) => {
			const { stage, status, stdout } = await call(t, { policy: `${policy}\n`, ...more }, words, extra);
			t.deepEqual(stage.requests("qubesd.sock"), asked);
			t.deepEqual(
				stage.clientCalls().map((client) => client.argv),
				[argv],
			);
			t.deepEqual({ status, stdout }, { status: 0, stdout: "" });
		});
	}

	const FROM_A = ["-c", "SOCKET11,a,7", "--"];
	const FROM_REL = ["-c", "SOCKET11,rel,7", "--"];
	const TO_B = { asked: [START_B], argv: ["-Ed", `uuid:${UB}`, ...FROM_A, "DEFAULT:QUBESRPC s.S+x a"] };
	runs("a qube is started by uuid, then connected", "* * * * allow", five("a", "b"), TO_B);
	runs("the user of the rule is in the command", "* * * * allow user=u", five("a", "b"), {
		...{ ...TO_B, argv: ["-Ed", `uuid:${UB}`, ...FROM_A, "u:QUBESRPC s.S+x a"] },
	});
	runs("a service without argument is passed on without +", "* * * * allow", five("a", "b", "s.S"), {
		...{ ...TO_B, argv: ["-Ed", `uuid:${UB}`, ...FROM_A, "DEFAULT:QUBESRPC s.S a"] },
	});
	runs("an empty argument is passed on with its +", "* * * * allow", five("a", "b", "s.S+"), {
		...{ ...TO_B, argv: ["-Ed", `uuid:${UB}`, ...FROM_A, "DEFAULT:QUBESRPC s.S+ a"] },
	});
	runs("an empty target is redirected as any other", "* * * @default allow target=b", five("a", ""), TO_B);
	runs("the choice of the user is connected", "* * * * ask target=b", five("a", ""), TO_B, { ask: reply("allow:b") });
	runs("Q14: a qube that runs already is connected", "* * * * allow", five("a", "b"), TO_B, { qubesd: qubesd(NOT_HALTED) });
	runs("Q14: with autostart=no nothing is started", "* * * * allow autostart=no", five("a", "b"), { ...TO_B, asked: [] });
	runs(
		"a qube that takes longer to start than the time limit is waited for",
		"* * * * allow",
		five("a", "b"),
		TO_B,
		{
			qubesd: replySlowly("0\0", 1500),
		},
		{ timeout: 1 },
	);

	for (const [target, policy, word] of [
		["dom0", "* * * * allow", "name dom0"],
		["@adminvm", "* * * * allow", "keyword adminvm"],
		[`uuid:${DOM0_UUID}`, "* * * * allow", `name uuid:${DOM0_UUID}`],
		["@default", "* * * * allow target=dom0", "keyword default"],
		["", "* * * * allow target=dom0", "keyword default"],
		["nosuch", "* * * * allow target=@adminvm", "keyword default"],
		["b", "* * * * allow target=dom0", "name b"],
	] as const) {
		runs(`dom0 is not started, and told that it was called as "${target}"`, policy, five("a", target), {
			asked: [],
			argv: ["-Ed", "dom0", ...FROM_A, `QUBESRPC s.S+x a ${word}`],
		});
	}

	const DISPOSABLE = { asked: [CREATE, START_NEW], argv: ["-EWkd", NEW, ...FROM_A, "DEFAULT:QUBESRPC s.S+x a"] };
	runs(
		"Q14: a disposable is made of its template, started, connected and killed",
		"* * * * allow",
		five("a", "@dispvm:dvm"),
		DISPOSABLE,
	);
	runs("Q14: the default disposable is made of its template", "* * * * allow", five("a", "@dispvm"), DISPOSABLE);
	runs(
		"Q14: a template that is named by uuid makes the same disposable",
		"* * * * allow",
		five("a", `@dispvm:uuid:${UDVM}`),
		DISPOSABLE,
	);
	runs("Q14: a disposable that runs already is connected", "* * * * allow", five("a", "@dispvm"), DISPOSABLE, {
		qubesd: qubesd(NOT_HALTED),
	});
	runs("Q14: a RemoteVM is called through its relay", "* * * rem allow user=u", five("a", "rem"), {
		asked: [`admin.vm.Start+ dom0 name uuid:${UREL}\0`],
		argv: ["-Ed", `uuid:${UREL}`, ...FROM_A, "DEFAULT:QUBESRPC x.T+rem+s.S+x a"],
	});
	runs(
		"Q14: the target of a RemoteVM's call sees the RemoteVM, the client the relay",
		"* * rem b allow",
		five("rel", "b"),
		{
			asked: [START_B],
			argv: ["-Ed", `uuid:${UB}`, ...FROM_REL, "DEFAULT:QUBESRPC s.S+x rem"],
		},
		{},
		{ options: ["--requested-source", "rem"] },
	);

	for (const [ending, wanted] of [
		["exit 0", 0],
		["exit 1", 1],
		["exit 7", 7],
		["exit 126", 126],
		["exit 255", 255],
		["kill -9 $$", 137],
		["kill -15 $$", 143],
		// Had it inherited that we ignore this signal, it would go on.
		["kill -13 $$", 141],
		["sleep 3; exit 5", 5],
	] as const) {
		test(`${name}: the status of a client that ends with ${ending} is passed on as ${wanted}`, async (t) => {
			const { status, logged } = await call(t, { client: ending }, five("a", "b"), { timeout: 1 });
			t.is(status, wanted);
			t.deepEqual(logged, ["<14>qrexec: s.S+x: a -> b: allowed to b"]);
		});
	}

	test(`${name}: the client has our standard input, output and error`, async (t) => {
		const stage = await Stage.open(t, { qubesd: qubesd(), client: null });
		stage.writeProgram("client", "cat; echo oops >&2");
		const input = "a line\nand \xff more".repeat(5000);
		const { status, stdout, stderr } = await stage.run(program, five("a", "b"), { input });
		t.is(status, 0);
		t.true(stdout === input);
		t.is(stderr, "oops\n");
	});

	test(`${name}: the client has no open file of ours`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * b ask\n", ask: reply("allow:b"), qubesd: qubesd(), client: null });
		stage.writeProgram("client", OPEN_FILES);
		// Some may be open for all that is started from here.
		t.is((await runToEnd([stage.path("client")])).status, 0);
		const usual = fs.readFileSync(stage.path("files"), "utf8");
		t.true(usual.includes(stage.path("client")));
		t.is((await stage.run(program, five("a", "b"))).status, 0);
		t.is(fs.readFileSync(stage.path("files"), "utf8"), usual);
	});

	for (const words of [five("a", "b"), five("a", "@dispvm"), five("a", "dom0")]) {
		test(`${name}: a denied call to ${words[2]} prints nothing, starts nothing, runs nothing, status 1`, async (t) => {
			const { stage, status, stdout, logged } = await call(t, { policy: "* * * * deny\n" }, words);
			t.deepEqual({ status, stdout }, { status: 1, stdout: "" });
			t.deepEqual(stage.requests("qubesd.sock"), []);
			t.deepEqual(stage.clientCalls(), []);
			t.is(logged.length, 1);
		});
	}

	for (const [policy, wanted] of [
		["* * * * allow", 0],
		["* * * * deny", 1],
		["* * * * ask", 1],
	] as const) {
		test(`${name}: with --just-evaluate ${policy} prints and runs nothing, status ${wanted}`, async (t) => {
			const { stage, status, stdout } = await call(t, { policy: `${policy}\n` }, five("a", "b"), {
				options: ["--just-evaluate"],
			});
			t.deepEqual({ status, stdout }, { status: wanted, stdout: "" });
			t.deepEqual([...stage.requests("qubesd.sock"), ...stage.requests("rpc/policy.Ask"), ...stage.clientCalls()], []);
		});
	}

	/** An allowed call that cannot be connected: nothing is run, status 1, and after the decision a line that says why. */
	function fails(title: string, target: string, setting: Setting, complaint: RegExp, extra: Extra = {}): void {
		test(`${name}: ${title}: status 1 and a line in the log`, async (t) => {
			const { stage, status, stdout, logged } = await call(t, setting, five("a", target), extra);
			t.deepEqual({ status, stdout }, { status: 1, stdout: "" });
			t.deepEqual(stage.clientCalls(), []);
			t.is(logged.length, 2, logged.join("\n"));
			t.regex(logged[0] ?? "", /^<14>qrexec: s\.S\+x: a -> .*: allowed to /);
			t.regex(logged[1] ?? "", /^<11>qrexec: s\.S\+x: a -> /);
			t.regex(logged[1] ?? "", complaint);
		});
	}

	fails("qubesd is not there to start a qube", "b", { qubesd: null }, /start.*no such file/);
	fails("qubesd closes instead of starting a qube", "b", { qubesd: closeAtOnce }, /start/);
	fails("qubesd refuses to start a qube", "b", { qubesd: qubesd("2\0QubesVMError\0\0no\0") }, /start.*QubesVMError/);
	fails("qubesd answers nonsense to a start", "b", { qubesd: qubesd("yes") }, /start.*protocol/);
	fails(
		"qubesd refuses to make a disposable",
		"@dispvm",
		{ qubesd: qubesd("0\0", "2\0QubesException\0\0no\0") },
		/create.*QubesException/,
	);
	fails("a new disposable cannot be started", "@dispvm", { qubesd: qubesd("2\0QubesVMError\0\0no\0") }, /start.*QubesVMError/);
	for (const made of [
		"",
		"disp1234",
		"uuid:",
		"uuid:x",
		`${NEW}\n`,
		`${NEW} -x`,
		"uuid:12345678-9abc-4def-8123-456789abcde/",
		"-x",
	]) {
		fails(
			`qubesd names a new disposable ${JSON.stringify(made)}`,
			"@dispvm",
			{ qubesd: qubesd("0\0", `0\0${made}`) },
			/create.*uuid/,
		);
	}
	fails("the client is not there", "b", { client: null }, /client.*no such file/);

	test(`${name}: a client that may not be executed: status 1 and a line in the log`, async (t) => {
		const stage = await Stage.open(t, { qubesd: qubesd() });
		fs.chmodSync(stage.path("client"), 0o644);
		const { status, stdout } = await stage.run(program, five("a", "b"));
		t.deepEqual({ status, stdout }, { status: 1, stdout: "" });
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>.*client.*permission denied/);
	});

	test(`${name}: a client that is no program: status 1 and a line in the log`, async (t) => {
		const stage = await Stage.open(t, { qubesd: qubesd(), client: null });
		fs.writeFileSync(stage.path("client"), "\0\0", { mode: 0o755 });
		const { status, stdout } = await stage.run(program, five("a", "b"));
		t.deepEqual({ status, stdout }, { status: 1, stdout: "" });
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>.*client/);
	});

	test(`${name}: SIGTERM while a qube starts: nothing is run, status 1, a line in the log`, async (t) => {
		let stop = (): void => undefined;
		const stage = await Stage.open(t, {
			qubesd: async (connection) => {
				await connection.readAll();
				stop();
				await neverReply(connection);
			},
		});
		const { status, stdout } = await stage.run(program, five("a", "b"), {
			started: (child) => {
				stop = () => child.kill("SIGTERM");
			},
		});
		t.deepEqual({ status, stdout }, { status: 1, stdout: "" });
		t.deepEqual(stage.clientCalls(), []);
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>qrexec: s\.S\+x: a -> b: denied: stopped by SIGTERM$/);
	});

	test(`${name}: SIGTERM while the service runs ends it too, status 1, a line in the log`, async (t) => {
		const stage = await Stage.open(t, { qubesd: qubesd(), client: 'echo $$ > "$0.pid"; exec sleep 60' });
		const { status } = await stage.run(program, five("a", "b"), {
			started: (child) => {
				const watcher = fs.watch(stage.dir, (_event, file) => {
					if (file !== "client.pid" || fs.readFileSync(stage.path("client.pid"), "utf8") === "") return;
					watcher.close();
					child.kill("SIGTERM");
				});
			},
		});
		t.is(status, 1);
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>qrexec: s\.S\+x: a -> b: denied: stopped by SIGTERM$/);
		const pid = Number(fs.readFileSync(stage.path("client.pid"), "utf8"));
		await until(() => !isRunning(pid));
		t.false(isRunning(pid));
	});

	for (const service of ["s.S+a dom0 name dom0 x", "s.S+x\n", "s.S+ä", "s S"]) {
		test(`${name}: five arguments and the service ${JSON.stringify(service)}: nothing is started, status 1, a line in the log`, async (t) => {
			const stage = await Stage.open(t, { policy: "* * * * allow\n", qubesd: qubesd() });
			const { status, stdout } = await stage.run(program, ["7", "a", "dom0", service, "SOCKET11"]);
			t.deepEqual({ status, stdout }, { status: 1, stdout: "" });
			t.deepEqual(stage.clientCalls(), []);
			t.regex((await stage.logged()).at(-1) ?? "", /^<11>.*denied: ".*" is no name of a service$/);
		});
	}

	test(`${name}: a client that is a fifo: status 1 and a line in the log`, async (t) => {
		const stage = await Stage.open(t, { qubesd: qubesd(), client: null });
		await runToEnd(["mkfifo", "-m", "755", stage.path("client")]);
		const { status, hung } = await stage.run(program, five("a", "b"));
		t.deepEqual({ status, hung }, { status: 1, hung: false });
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>.*client.*permission denied/);
	});
}

async function until(condition: () => boolean): Promise<void> {
	for (let i = 0; i < 100 && !condition(); i++) await sleep(50);
}

/** A process that has ended and is not waited for yet runs no more. */
function isRunning(pid: number): boolean {
	try {
		return !/^State:\tZ/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
	} catch {
		return false;
	}
}
