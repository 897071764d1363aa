// Outputs that cannot be written, or only slowly: an answer that cannot be given is no allow.
import test from "ava";
import { closeAtOnce, neverReply, reply } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { type Domains, entry, house } from "../core/fixtures.ts";
import { Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const ALLOW = "* * * * allow\n";

for (const program of HOSTS) {
	const { name } = program;

	/** An answer that cannot be given is no allow. */
	function refusesOutput(title: string, script: string): void {
		test(`${name}: an allow that cannot be written to ${title} ends with status 1 and a line in the log`, async (t) => {
			const stage = await Stage.open(t, { policy: ALLOW });
			const { stdout } = await stage.runInShell(program, script, CALL);
			t.is(stdout, "status 1\n");
			t.regex((await stage.logged()).at(-1) ?? "", /^<11>qrexec: s\.S\+x: a -> b: denied: .*standard output/);
		});

		test(`${name}: a denial that cannot be written to ${title} ends with status 1`, async (t) => {
			const stage = await Stage.open(t, { policy: "* * * * deny notify=no\n" });
			const { stdout } = await stage.runInShell(program, script, CALL);
			t.is(stdout, "status 1\n");
			t.regex((await stage.logged())[0] ?? "", /^<14>qrexec: s\.S\+x: a -> b: denied: /);
		});
	}

	refusesOutput("a full device", '"$@" > /dev/full; echo "status $?"');
	refusesOutput("a standard output that is for reading", '"$@" 1< /dev/null; echo "status $?"');

	test(`${name}: an allow that nobody reads ends with status 1 and a line in the log`, async (t) => {
		const stage = await Stage.open(t, { policy: ALLOW });
		// It cannot answer before we tell it who is who, and by then the pipe is gone.
		const { status, stderr } = await stage.run(program, CALL, { started: (child) => child.stdout?.destroy() });
		t.deepEqual({ status, stderr }, { status: 1, stderr: "" });
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>qrexec: s\.S\+x: a -> b: denied: .*standard output/);
	});

	test(`${name}: an allow to a standard output that is closed reaches nobody`, async (t) => {
		const stage = await Stage.open(t, { policy: ALLOW });
		const { stdout } = await stage.runInShell(program, '"$@" >&-; echo "status $?"', CALL);
		t.is(stdout, "status 1\n");
	});

	test(`${name}: an allow to /dev/null is one`, async (t) => {
		const stage = await Stage.open(t, { policy: ALLOW });
		const { stdout } = await stage.runInShell(program, '"$@" > /dev/null; echo "status $?"', CALL);
		t.is(stdout, "status 0\n");
	});

	test(`${name}: an allow to a file that may not grow ends with status 1 and a line in the log`, async (t) => {
		const stage = await Stage.open(t, { policy: ALLOW });
		const { stdout } = await stage.runInShell(
			program,
			'file=$(mktemp); (ulimit -f 0; exec "$@" > "$file"); echo "status $?"',
			CALL,
		);
		t.is(stdout, "status 1\n");
		t.regex((await stage.logged()).at(-1) ?? "", /^<11>qrexec: s\.S\+x: a -> b: denied: write standard output: .*EFBIG/);
	});

	/** Descriptor 9 is a pipe that nobody reads and nobody closes. */
	const STUCK = 'pipe=$(mktemp -u); mkfifo "$pipe"; exec 9<> "$pipe"; ';
	const LONG = `s.S+${"x".repeat(100_000)}`;

	for (const [title, setting, words, options] of [
		["a warning", { policy: ALLOW }, ["a", "y".repeat(100_000), "s.S"], []],
		[
			"the line about a question without a GuiVM",
			{ policy: "* * * * ask\n", domains: house({ a: { guivm: null } }) },
			["a", "b", LONG],
			[],
		],
		["the line about an invalid answer of the agent", { policy: "* * * * ask\n", ask: reply("deny\n") }, ["a", "b", LONG], []],
		["the line about a qube that does not start", { policy: ALLOW, qubesd: closeAtOnce }, ["1", "a", "b", LONG, "2"], []],
		["the line about a qubesd that hangs", { policy: ALLOW, info: neverReply }, ["a", "b", LONG], []],
		["the usage", { policy: ALLOW }, ["a", "b"], ["z".repeat(100_000)]],
	] as const) {
		test(`${name}: ${title} that goes to a pipe which nobody reads is given up, and nothing is allowed`, async (t) => {
			const stage = await Stage.open(t, { ...setting, log: false });
			const { stdout, hung } = await stage.runInShell(program, `${STUCK}"$@" 2>&9 9>&-; echo "status $?"`, [...words], {
				options: [...options],
				timeout: 1,
			});
			t.false(hung);
			t.regex(stdout, /^(result=deny\n)?status [12]\n$/);
		});
	}

	test(`${name}: an answer that goes to a pipe which nobody reads is given up, status 1`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * @anyvm ask\n", domains: manyQubes() });
		const script = `${STUCK}"$@" >&9 9>&-; echo "status $?"`;
		const { stdout, hung } = await stage.runInShell(program, script, ["qube-0", "qube-1", "s.S"], {
			options: ["--json"],
			timeout: 1,
		});
		t.false(hung);
		t.is(stdout, "status 1\n");
	});

	test(`${name}: a help that cannot be written ends with status 1 and says why`, async (t) => {
		const stage = await Stage.open(t);
		const { stdout, stderr } = await stage.runInShell(program, '"$@" > /dev/full; echo "status $?" >&2', [], {
			options: ["--help"],
		});
		t.is(stdout, "");
		t.is(stderr, "qrexec-policy-exec: write standard output: no space left (ENOSPC)\nstatus 1\n");
	});

	for (const [title, script] of [
		["closed", 'exec "$@" 2>&-'],
		["full", 'exec "$@" 2>/dev/full'],
	] as const) {
		test(`${name}: without a log and with a standard error that is ${title} the decision stands`, async (t) => {
			const stage = await Stage.open(t, { policy: ALLOW, log: false });
			const { status, stdout } = await stage.runInShell(program, script, CALL);
			t.is(status, 0);
			t.regex(stdout, /^result=allow$/m);
		});
	}

	test(`${name}: with all three standard files closed nothing of the answer goes to qubesd or the agent`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * b ask notify=yes\n", ask: reply("allow:b"), notify: reply("") });
		await stage.runInShell(program, 'exec "$@" <&- >&- 2>&-', CALL);
		const sent = [
			...stage.requests("internal.sock"),
			...stage.requests("rpc/policy.Ask"),
			...stage.requests("rpc/policy.Notify"),
		];
		t.is(stage.requests("internal.sock").length, 1);
		for (const request of sent) t.false(request.includes("result="), request);
	});

	test(`${name}: a reader that is slow gets the whole of a long answer`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * @anyvm ask\n", domains: manyQubes() });
		const words = ["qube-0", "qube-1", "s.S+x"];
		const { stdout } = await stage.runInShell(program, '"$@" | (sleep 3; cat)', words, { options: ["--json"] });
		t.is(JSON.parse(stdout).targets_for_ask.length, 19999);
	});

	test(`${name}: a slow reader of standard error gets the whole of a line that no log takes`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * c allow\n", log: false, notify: reply("") });
		const service = `s.S+${"x".repeat(100_000)}`;
		const { stdout } = await stage.runInShell(program, '"$@" 2>&1 >/dev/null | (sleep 3; cat)', ["a", "b", service]);
		t.true(stdout === `qrexec: ${service}: a -> b: denied: no matching rule found\n`, stdout.slice(-60));
	});
}

/** So many that their names do not go through a pipe at once. */
function manyQubes(): Domains {
	return Object.fromEntries(Array.from({ length: 20000 }, (_, i) => [`qube-${i}`, entry(`q${i}`)]));
}
