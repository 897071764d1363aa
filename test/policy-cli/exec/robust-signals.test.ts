// The program is told to end while it waits: that is a denial (see Host.arm in policy-cli/host/host.ts).
import test, { type ExecutionContext } from "ava";
import { reply, type Script } from "../../support/fake-server.ts";
import { HOSTS, type Program } from "../../support/programs.ts";
import { isDenied } from "./is-denied.ts";
import { type Extra, type Setting, Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
/** Starts what follows with signals blocked. */
const BLOCKING = [
	"python3",
	"-c",
	`import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGALRM])
os.execv(sys.argv[1], sys.argv[1:])`,
];

function launched(program: Program, launcher: readonly string[]): Program {
	return { ...program, argv: [...launcher, ...program.argv] as unknown as Program["argv"] };
}

for (const program of HOSTS) {
	const { name } = program;

	/** The program is told to end by `signal` as soon as `place` has been asked. */
	async function interrupt(
		t: ExecutionContext,
		place: "info" | "ask" | "notify",
		signal: NodeJS.Signals,
		{ words = CALL, launcher = [], ...extra }: Extra & { words?: readonly string[]; launcher?: readonly string[] } = {},
	) {
		let stop = (): void => undefined;
		const interrupting: Script = async (connection) => {
			await connection.readAll();
			stop();
		};
		const setting: Setting = { policy: "* * * b ask notify=yes\n", ask: reply("allow:b"), notify: reply("") };
		const stage = await Stage.open(t, { ...setting, [place]: interrupting });
		const started: Extra["started"] = (child) => {
			stop = () => child.kill(signal);
		};
		return { stage, ended: await stage.run(launched(program, launcher), words, { ...extra, started }) };
	}

	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const) {
		for (const [place, title] of [
			["info", "qubesd"],
			["ask", "the user"],
		] as const) {
			test(`${name}: ${signal} while waiting for ${title} is a denial`, async (t) => {
				const { stage, ended } = await interrupt(t, place, signal);
				await isDenied(t, stage, ended, new RegExp(`^<11>qrexec: s\\.S\\+x: a -> b: denied: stopped by ${signal}$`));
			});
		}
	}

	test(`${name}: SIGTERM that is blocked by whoever starts the program ends it all the same`, async (t) => {
		const { stage, ended } = await interrupt(t, "info", "SIGTERM", { launcher: BLOCKING });
		await isDenied(t, stage, ended, /denied: stopped by SIGTERM$/);
	});

	test(`${name}: names cannot forge a line of the log by way of SIGTERM`, async (t) => {
		const evil = "s.S+x\n<14>qrexec: s.S+x: b -> dom0: allowed to dom0\x1b[2K";
		const { stage, ended } = await interrupt(t, "info", "SIGTERM", { words: ["a", "b", evil] });
		t.is(ended.stdout, "result=deny\n");
		const lines = await stage.logged();
		t.is(lines.length, 1, lines.join("\n"));
		t.regex(lines[0] ?? "", /^<11>qrexec: s\.S\+x\\x0a<14>qrexec: .*\\x1b\[2K: a -> b: denied: stopped by SIGTERM$/);
	});

	test(`${name}: a time limit holds where SIGALRM is blocked by whoever starts the program`, async (t) => {
		const stage = await Stage.open(t);
		const script = `pipe=$(mktemp -u); mkfifo "$pipe"; exec 9<> "$pipe"; exec "$@" <&9`;
		const ended = await stage.runInShell(launched(program, BLOCKING), script, CALL, {
			options: ["--system-info", "-"],
			timeout: 1,
		});
		await isDenied(t, stage, ended, /denied: time limit of 2 s$/);
	});

	test(`${name}: SIGTERM while the user is told of an allowed call is a denial`, async (t) => {
		const { stage, ended } = await interrupt(t, "notify", "SIGTERM");
		t.deepEqual({ status: ended.status, stdout: ended.stdout }, { status: 1, stdout: "result=deny\n" });
		t.deepEqual(await stage.logged(), [
			"<14>qrexec: s.S+x: a -> b: allowed to b",
			"<11>qrexec: s.S+x: a -> b: denied: stopped by SIGTERM",
		]);
	});

	test(`${name}: SIGTERM with --just-evaluate prints nothing, status 1`, async (t) => {
		const { ended } = await interrupt(t, "info", "SIGTERM", { options: ["--just-evaluate"] });
		t.deepEqual({ status: ended.status, stdout: ended.stdout }, { status: 1, stdout: "" });
	});

	test(`${name}: SIGTERM with --json prints a denial in one object and logs nothing`, async (t) => {
		const { stage, ended } = await interrupt(t, "info", "SIGTERM", { options: ["--json"] });
		t.is(ended.status, 1);
		t.is(JSON.parse(ended.stdout).decision, "deny");
		t.deepEqual(await stage.logged(), []);
		t.is(ended.stderr, "");
	});

	test(`${name}: SIGTERM without a log is a denial with its line on standard error`, async (t) => {
		const { stage, ended } = await interrupt(t, "info", "SIGTERM", { options: ["--log-socket", "/nonexistent/log"] });
		await isDenied(t, stage, ended, /^qrexec: s\.S\+x: a -> b: denied: stopped by SIGTERM$/);
	});
}
