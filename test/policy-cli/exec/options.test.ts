// The command line of the program: spec 7.
import fs from "node:fs";
import test from "ava";
import { reply } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { runToEnd } from "../../support/run-program.ts";
import { Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const DENIED = "result=deny\n";

for (const program of HOSTS) {
	const { name, argv } = program;

	/** Options that are wrong for any call. */
	function refuses(title: string, args: readonly string[], complaint: RegExp): void {
		test(`${name}: ${title}: usage on standard error, status 2`, async (t) => {
			const { status, stdout, stderr } = await runToEnd([...argv, ...args]);
			t.is(status, 2);
			t.is(stdout, "");
			t.regex(stderr, /^usage: qrexec-policy-exec \[/);
			t.regex(stderr.trimEnd().split("\n").at(-1) ?? "", complaint);
		});
	}

	refuses("no argument", [], /3 or 5 arguments, not 0/);
	refuses("one argument", ["a"], /not 1/);
	refuses("two arguments", ["a", "b"], /not 2/);
	refuses("four arguments", ["a", "b", "c", "d"], /not 4/);
	refuses("six arguments", ["1", "a", "b", "c", "d", "e"], /not 6/);
	refuses("an unknown option", ["--nonsense", ...CALL], /--nonsense/);
	refuses("an unknown short option", ["-x", ...CALL], /-x/);
	refuses("a prefix of several options", ["--qubesd", "/x", ...CALL], /ambiguous.*--qubesd-internal-socket.*--qubesd-socket/);
	refuses("a prefix that is not the start of any option", ["--just-evaluated", ...CALL], /--just-evaluated/);
	refuses("an option with another one in place of its value", ["--path", "--json", ...CALL], /--path wants DIR/);
	refuses("an option with -- in place of its value", ["--path", "--", ...CALL], /--path wants DIR/);
	refuses("a time limit in another notation", ["--timeout", "1e1", ...CALL], /--timeout: want a whole number/);
	refuses("a time limit with a fraction", ["--timeout", "1.5", ...CALL], /--timeout: want a whole number/);
	refuses("an option without its value", [...CALL, "--path"], /--path/);
	refuses("a switch with a value", ["--json=yes", ...CALL], /--json/);
	refuses("a limit of 0 seconds", ["--timeout", "0", ...CALL], /--timeout/);
	refuses("a limit of 3601 seconds", ["--timeout", "3601", ...CALL], /--timeout/);
	refuses("a limit that is no number", ["--timeout", "soon", ...CALL], /--timeout/);
	refuses("a negative limit", ["--timeout=-1", ...CALL], /--timeout/);
	refuses("a value without the name of an option", ["--=x", ...CALL], /option/);
	refuses("an option behind -- counts as an argument", ["--", "--json", ...CALL], /not 4/);

	for (const flag of ["-h", "--help", "--he"]) {
		test(`${name}: ${flag} prints every option on standard output, status 0`, async (t) => {
			const { status, stdout, stderr } = await runToEnd([...argv, flag]);
			t.is(status, 0);
			t.is(stderr, "");
			t.regex(stdout, /^usage: qrexec-policy-exec \[options\] SOURCE TARGET SERVICE/);
			for (const option of OPTIONS) t.true(stdout.includes(`  ${option}`) || stdout.includes(`, ${option}`), option);
		});
	}

	test(`${name}: --help is answered also with arguments that make no call`, async (t) => {
		const { status, stdout } = await runToEnd([...argv, "a", "--help"]);
		t.is(status, 0);
		t.regex(stdout, /^usage:/);
	});

	test(`${name}: --version prints name and version, status 0`, async (t) => {
		const { version } = JSON.parse(fs.readFileSync("package.json", "utf8")) as { version: string };
		const { status, stdout, stderr } = await runToEnd([...argv, "--version"]);
		t.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `qrexec-policy-exec ${version}\n`, stderr: "" });
	});

	test(`${name}: options may follow the arguments`, async (t) => {
		const stage = await Stage.open(t);
		const options = stage.command(program, []).slice(argv.length, -1);
		const { status, stdout } = await runToEnd([...argv, ...CALL, ...options]);
		t.is(status, 0);
		t.regex(stdout, /^result=allow$/m);
	});

	test(`${name}: options may stand between the arguments`, async (t) => {
		const stage = await Stage.open(t);
		const options = stage.command(program, []).slice(argv.length, -1);
		const { status, stdout } = await runToEnd([...argv, "a", ...options, "b", "--just-evaluate", "s.S+x"]);
		t.is(status, 0);
		t.is(stdout, "");
	});

	test(`${name}: a value may follow its option with =, and have = in it`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * * deny\n" });
		fs.mkdirSync(stage.path("x=y"));
		stage.write("x=y/50.policy", "* * * * allow\n");
		const options = stage.command(program, []).slice(argv.length + 2, -1);
		const { status } = await runToEnd([...argv, `--path=${stage.path("x=y")}`, ...options, ...CALL]);
		t.is(status, 0);
	});

	test(`${name}: an option may be shortened as long as it is the only one`, async (t) => {
		const stage = await Stage.open(t);
		const { status, stdout } = await stage.run(program, CALL, { options: ["--just"] });
		t.is(status, 0);
		t.is(stdout, "");
	});

	test(`${name}: a shortened option takes its value, with = or without`, async (t) => {
		const stage = await Stage.open(t, { policy: "s.S * rem b allow\n" });
		for (const options of [["--req=rem"], ["--requested-s", "rem"]]) {
			const { status, stdout } = await stage.run(program, ["rel", "b", "s.S+x"], { options });
			t.is(status, 0);
			t.regex(stdout, /^policy_source=rem$/m);
		}
	});

	test(`${name}: an argument behind -- may start with a dash`, async (t) => {
		const stage = await Stage.open(t);
		const { status, stdout } = await stage.run(program, ["--json", "b", "s.S+x"]);
		t.is(status, 1);
		t.is(stdout, DENIED);
		t.deepEqual(await stage.logged(), [`<14>qrexec: s.S+x: --json -> b: denied: unknown source qube "--json"`]);
	});

	test(`${name}: - alone is an argument`, async (t) => {
		const stage = await Stage.open(t);
		const { status, stdout } = await stage.run(program, ["a", "-", "s.S+x"], { options: ["--json"] });
		t.is(status, 1);
		t.is(JSON.parse(stdout).reason, "no-target");
	});

	test(`${name}: Q13: --path replaces the directories of the system`, async (t) => {
		const stage = await Stage.open(t, { policy: "s.S * a b deny\n" });
		const { stdout } = await stage.run(program, CALL, { options: ["--json"] });
		t.deepEqual(JSON.parse(stdout).rule, { file: stage.path("policy.d/50.policy"), line: 1 });
	});

	test(`${name}: of two --path with a file of the same name the first one counts`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * a b deny\n" });
		fs.mkdirSync(stage.path("second"));
		stage.write("second/50.policy", "* * a b allow\n");
		const { status } = await stage.run(program, CALL, { options: ["--path", stage.path("second")] });
		t.is(status, 1);
	});

	test(`${name}: an empty file in the first --path hides the one in the second`, async (t) => {
		const stage = await Stage.open(t, { policy: "" });
		fs.mkdirSync(stage.path("second"));
		stage.write("second/50.policy", "* * a b allow\n");
		const { stdout } = await stage.run(program, CALL, { options: ["--path", stage.path("second"), "--json"] });
		t.is(JSON.parse(stdout).reason, "no-matching-rule");
	});

	test(`${name}: the files of several --path are ordered by name, not by directory`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * a b deny\n" });
		fs.mkdirSync(stage.path("second"));
		stage.write("second/40.policy", "* * a b allow\n");
		const { status } = await stage.run(program, CALL, { options: ["--path", stage.path("second")] });
		t.is(status, 0);
	});

	test(`${name}: --p means --path, of which --policy-dir is only another name; their order is kept`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * a b deny\n" });
		for (const [dir, action] of [
			["second", "deny"],
			["third", "allow"],
		] as const) {
			fs.mkdirSync(stage.path(dir));
			stage.write(`${dir}/40.policy`, `* * a b ${action}\n`);
		}
		const order = ["--p", stage.path("third"), "--policy-dir", stage.path("second")];
		t.is((await stage.run(program, CALL, { options: order })).status, 0);
		const other = ["--policy-dir", stage.path("second"), "--p", stage.path("third")];
		t.is((await stage.run(program, CALL, { options: other })).status, 1);
	});

	test(`${name}: --policy-dir is the same as --path`, async (t) => {
		const stage = await Stage.open(t, { policy: "" });
		fs.mkdirSync(stage.path("second"));
		stage.write("second/60.policy", "* * a b allow\n");
		const { status } = await stage.run(program, CALL, { options: ["--policy-dir", stage.path("second")] });
		t.is(status, 0);
	});

	test(`${name}: a relative --path starts from the working directory`, async (t) => {
		const stage = await Stage.open(t, { policy: "" });
		fs.mkdirSync(stage.path("second"));
		stage.write("second/60.policy", "!include inc/more\n");
		fs.mkdirSync(stage.path("second/inc"));
		stage.write("second/inc/more", "* * a b allow\n");
		const { status } = await stage.run(program, CALL, { options: ["--path", "second"], cwd: stage.dir });
		t.is(status, 0);
	});

	test(`${name}: relative paths of sockets and programs start from the working directory`, async (t) => {
		const setting = { policy: "* * * b ask\n", ask: reply("allow:b"), qubesd: reply("0\0"), client: "exit 7" };
		const stage = await Stage.open(t, setting);
		const relative = [
			...["--qubesd-internal-socket", "internal.sock", "--qubesd-socket", "qubesd.sock", "--rpc-dir", "rpc"],
			...["--qrexec-client", "./client", "--log-socket", "log.sock"],
		];
		const { status } = await stage.run(program, ["7", "a", "b", "s.S+x", "SOCKET11"], { options: relative, cwd: stage.dir });
		t.is(status, 7);
		t.is((await stage.logged()).length, 1);
	});

	test(`${name}: --qrexec-client without a slash is a file of the working directory, not of PATH`, async (t) => {
		const stage = await Stage.open(t, { qubesd: reply("0\0"), client: "exit 7" });
		const words = ["7", "a", "b", "s.S+x", "SOCKET11"];
		const { status } = await stage.run(program, words, { options: ["--qrexec-client", "client"], cwd: stage.dir });
		t.is(status, 7);
		fs.rmSync(stage.path("client"));
		const second = await stage.run(program, words, { options: ["--qrexec-client", "true"], cwd: stage.dir });
		t.is(second.status, 1);
	});

	test(`${name}: --legacy-dir is what !compat-4.0 includes`, async (t) => {
		const stage = await Stage.open(t, { policy: "!compat-4.0\n" });
		stage.write("old/s.S", "a b allow\n");
		const { status, stderr } = await stage.run(program, CALL);
		t.is(status, 0);
		t.regex(stderr, /^WARNING:root:.*compat/);
	});

	test(`${name}: --system-info FILE is used instead of qubesd`, async (t) => {
		const stage = await Stage.open(t, { info: null });
		stage.write("info.json", INFO_OF_TWO);
		const { status, stdout } = await stage.run(program, CALL, { options: ["--system-info", stage.path("info.json")] });
		t.is(status, 0);
		t.regex(stdout, /^target_uuid=uuid:B$/m);
	});

	test(`${name}: --system-info - reads standard input`, async (t) => {
		const stage = await Stage.open(t, { info: null });
		const { status, stdout } = await stage.run(program, CALL, { options: ["--system-info", "-"], input: INFO_OF_TWO });
		t.is(status, 0);
		t.regex(stdout, /^target_uuid=uuid:B$/m);
	});

	test(`${name}: a --system-info file that is missing denies`, async (t) => {
		const stage = await Stage.open(t);
		const { status, stdout } = await stage.run(program, CALL, { options: ["--system-info", stage.path("none")] });
		t.deepEqual({ status, stdout }, { status: 1, stdout: DENIED });
		const lines = await stage.logged();
		t.is(lines.length, 1);
		t.regex(lines[0] ?? "", /^<11>qrexec: s\.S\+x: a -> b: error getting system info: .*none/);
	});

	test(`${name}: an empty --requested-source is as if it were absent`, async (t) => {
		const stage = await Stage.open(t);
		const { stdout } = await stage.run(program, CALL, { options: ["--requested-source", ""] });
		t.regex(stdout, /^result=allow$/m);
		t.notRegex(stdout, /policy_source/);
	});

	test(`${name}: an option that is given twice counts as given last`, async (t) => {
		const stage = await Stage.open(t, { info: null });
		stage.write("info.json", INFO_OF_TWO);
		const options = ["--system-info", stage.path("none"), "--system-info", stage.path("info.json")];
		const { status } = await stage.run(program, CALL, { options });
		t.is(status, 0);
	});
}

const OPTIONS = [
	"--help",
	"--version",
	"--assume-yes-for-ask",
	"--just-evaluate",
	"--path DIR",
	"--policy-dir DIR",
	"--legacy-dir DIR",
	"--system-info FILE",
	"--requested-source QUBE",
	"--qubesd-internal-socket PATH",
	"--qubesd-socket PATH",
	"--rpc-dir DIR",
	"--qrexec-client PATH",
	"--log-socket PATH",
	"--timeout SECONDS",
	"--json",
	"--explain",
];

const INFO_OF_TWO = JSON.stringify({
	domains: {
		a: { type: "AppVM", tags: [], template_for_dispvms: false, power_state: "Running", uuid: "A", guivm: null, icon: "x" },
		b: { type: "AppVM", tags: [], template_for_dispvms: false, power_state: "Running", uuid: "B", guivm: null, icon: "x" },
	},
});
