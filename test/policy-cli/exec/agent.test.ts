// The user is asked: spec 6.6, 9.1, 9.2, Q34.
import test, { type ExecutionContext } from "ava";
import { closeAtOnce, reply, replyHuge, replySlowly, type Script } from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { entry, house, uuidOf } from "../core/fixtures.ts";
import { type Extra, runCall, type Setting, Stage } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const HEADER = "policy.Ask dom0 name dom0\0";
const TO_B = `target=b\ntarget_uuid=uuid:${uuidOf("b")}\n`;
/** A small house whose GUI qube is `g`, so that the icons can be written down here. */
const REMOTE_HOUSE = { a: entry("a", { guivm: "g" }), b: entry("b", { icon: "appvm-blue" }), g: entry("g", { guivm: null }) };

const CITY = Object.fromEntries(Array.from({ length: 10000 }, (_, i) => [`q${i}`, entry(`q${i}`)]));

for (const program of HOSTS) {
	const { name } = program;

	const call = (t: ExecutionContext, setting: Setting, words = CALL, extra: Extra = {}) =>
		runCall(t, program, { client: null, ...setting }, words, extra);

	test(`${name}: the agent is asked with exactly these bytes`, async (t) => {
		const domains = {
			dom0: entry("dom0", { type: "AdminVM", guivm: null, icon: "adminvm-black" }),
			a: entry("a"),
			dvm: entry("dvm", { template_for_dispvms: true, icon: "appvm-red" }),
		};
		const { stage } = await call(t, { policy: "* * * * ask default_target=dvm\n", domains, ask: reply("deny") }, [
			"a",
			"dvm",
			"s.S+x",
		]);
		const [request = ""] = stage.requests("rpc/policy.Ask");
		t.true(request.startsWith(HEADER));
		t.deepEqual(JSON.parse(request.slice(HEADER.length)), {
			source: "a",
			service: "s.S",
			argument: "+x",
			targets: ["@dispvm:dvm", "dom0", "dvm"],
			default_target: "dvm",
			icons: { dom0: "adminvm-black", a: "appvm-red", dvm: "appvm-red", "@dispvm:dvm": "dispvm-red" },
		});
	});

	test(`${name}: the agent is asked without default target, with the empty argument as +`, async (t) => {
		const { stage } = await call(t, { policy: "* * * * ask target=b\n", ask: reply("deny") }, ["a", "", "s.S"]);
		const { argument, targets, default_target } = JSON.parse(stage.requests("rpc/policy.Ask")[0]?.slice(HEADER.length) ?? "");
		t.deepEqual({ argument, targets, default_target }, { argument: "+", targets: ["b"], default_target: "" });
	});

	test(`${name}: every app of an icon becomes disp for a disposable`, async (t) => {
		const { stage } = await call(t, {
			policy: "* * * b ask\n",
			domains: house({ dvm: { icon: "app-app" } }),
			ask: reply("deny"),
		});
		const { icons } = JSON.parse(stage.requests("rpc/policy.Ask")[0]?.slice(HEADER.length) ?? "");
		t.is(icons["@dispvm:dvm"], "disp-disp");
		t.is(icons["dvm"], "app-app");
	});

	test(`${name}: what is no ASCII is escaped for the agent`, async (t) => {
		const domains = { ...house(), "é😀": entry("x") };
		const { stage } = await call(t, { policy: "* * * b ask\n", domains, ask: reply("deny") });
		const [request = ""] = stage.requests("rpc/policy.Ask");
		t.regex(request, /^[\x20-\x7e]*\0[\x20-\x7e]*$/);
		t.true(request.includes('"\\u00e9\\ud83d\\ude00":'));
	});

	test(`${name}: the agent that the RemoteVM has is asked for it`, async (t) => {
		const setting: Setting = { policy: "* * rem b ask\n", domains: house({ rel: { guivm: null } }), ask: reply("allow:b") };
		const { stage, stdout } = await call(t, setting, ["rel", "b", "s.S+x"], { options: ["--requested-source", "rem"] });
		t.is(JSON.parse(stage.requests("rpc/policy.Ask")[0]?.slice(HEADER.length) ?? "").source, "rem");
		t.regex(stdout, /^policy_source=rem$/m);
	});

	test(`${name}: what the user chose is allowed`, async (t) => {
		const { stdout, status, logged } = await call(t, { policy: "* * * c ask user=u\n* * * b ask\n", ask: reply("allow:b") }, [
			"a",
			"c",
			"s.S+x",
		]);
		t.is(status, 0);
		t.is(stdout, `user=u\nresult=allow\n${TO_B}autostart=True\nrequested_target=c\n`);
		t.deepEqual(logged, ["<14>qrexec: s.S+x: a -> c: allowed to b"]);
	});

	test(`${name}: a disposable may be chosen`, async (t) => {
		const { stdout } = await call(t, { policy: "* * * b ask\n* * * @dispvm ask\n", ask: reply("allow:@dispvm:dvm") });
		t.regex(stdout, /^target=@dispvm:dvm$/m);
	});

	test(`${name}: a user who takes longer than the time limit is waited for`, async (t) => {
		const { status } = await call(t, { policy: "* * * b ask\n", ask: replySlowly("allow:b", 500) }, CALL, { timeout: 1 });
		t.is(status, 0);
	});

	test(`${name}: the source itself as choice ends as a loop`, async (t) => {
		const setting: Setting = { policy: "* * * b ask target=a\n", ask: reply("allow:a"), notify: reply("") };
		const { status, stdout, logged } = await call(t, setting);
		t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
		t.deepEqual(logged, ["<14>qrexec: s.S+x: a -> b: denied: loopback qrexec connection not supported"]);
	});

	test(`${name}: an agent that closes at once is a denial`, async (t) => {
		const { status, stdout, logged } = await call(t, { policy: "* * * b ask\n", ask: closeAtOnce, notify: reply("") });
		t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
		t.regex(logged.at(-1) ?? "", /^<14>qrexec: s\.S\+x: a -> b: denied: /);
	});

	/** An answer of the agent that is a denial; `lines` are what is logged. */
	function refuses(title: string, ask: Script | null, lines: readonly RegExp[], more: Setting = {}): void {
		test(`${name}: ${title}: denied`, async (t) => {
			const { status, stdout, logged } = await call(t, { policy: "* * * b ask notify=yes\n", ask, ...more });
			t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
			t.is(logged.length, lines.length, logged.join("\n"));
			for (const [i, line] of lines.entries()) t.regex(logged[i] ?? "", line);
		});
	}

	const AGENT_ERROR = /^<14>qrexec: s\.S\+x: a -> b: denied: .*dom0/;
	/** No notification is in the way: the agent of these cases takes it. */
	const QUIET: Setting = { notify: reply("") };
	refuses("the user says no", reply("deny"), [/^<14>qrexec: s\.S\+x: a -> b: denied: denied by the user$/], QUIET);
	for (const answer of ["", "deny\n", "deny\0", "DENY", "allow", "allow b", "Allow:b", " allow:b", "{}", "\n"]) {
		refuses(
			`the agent answers ${JSON.stringify(answer)}`,
			reply(answer),
			[/^<11>.*invalid ask response for s\.S\+x: /, /^<14>qrexec: s\.S\+x: a -> b: denied: /],
			QUIET,
		);
	}
	for (const target of ["", "c", "a", "@dispvm", "b\n", "b\0", " b", "B", "dom0", `uuid:${uuidOf("b")}`, "b\nuser=root"]) {
		refuses(
			`the user chooses ${JSON.stringify(target)}, which was not offered`,
			reply(`allow:${target}`),
			[/^<14>qrexec: s\.S\+x: a -> b: denied: .*not a valid choice$/],
			QUIET,
		);
	}
	refuses("nobody is there to ask", null, [AGENT_ERROR]);
	refuses("the agent answers without end", replyHuge("allow:b", 1 << 20), [AGENT_ERROR]);
	refuses("the agent answers what is not UTF-8", reply(Buffer.from("allow:\xff", "latin1")), [AGENT_ERROR]);

	test(`${name}: a source without GuiVM cannot be asked: an error line, then denied as by the user`, async (t) => {
		const setting: Setting = { policy: "* * * b ask\n", domains: house({ a: { guivm: null } }), ask: reply("allow:b") };
		const { stage, status, stdout, logged } = await call(t, setting);
		t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
		t.deepEqual(stage.requests("rpc/policy.Ask"), []);
		t.is(logged.length, 2, logged.join("\n"));
		t.regex(logged[0] ?? "", /^<11>.*s\.S\+x not allowed from a: .*source domain has no GuiVM$/);
		t.is(logged[1], "<14>qrexec: s.S+x: a -> b: denied: nobody to ask");
	});

	test(`${name}: a GuiVM that is a qube is asked by qrexec`, async (t) => {
		const setting: Setting = { policy: "* * * * ask target=b\n", domains: REMOTE_HOUSE, client: "printf allow:b" };
		const { stage, status, stdout } = await call(t, setting);
		t.is(status, 0);
		t.true(stdout.includes(TO_B));
		const [{ argv, input } = { argv: [], input: "" }] = stage.clientCalls();
		t.deepEqual(argv, ["-d", "g", "DEFAULT:QUBESRPC policy.Ask dom0"]);
		t.deepEqual(JSON.parse(input), {
			source: "a",
			service: "s.S",
			argument: "+x",
			targets: ["b"],
			default_target: "",
			icons: { a: "appvm-red", b: "appvm-blue", g: "appvm-red" },
		});
	});

	for (const [title, client] of [
		["says deny", "printf deny"],
		["fails", "printf allow:b; exit 1"],
		["is killed", "printf allow:b; kill -9 $$"],
		["answers with a line end", "echo allow:b"],
		["says nothing", ""],
		["writes far too much", "printf allow:b; head -c 1000000 /dev/zero"],
		["is not there", null],
	] as const) {
		test(`${name}: a qrexec client that ${title} is a denial`, async (t) => {
			const setting: Setting = { policy: "* * * * ask target=b\n", domains: REMOTE_HOUSE, client };
			const { status, stdout, logged } = await call(t, setting);
			t.deepEqual({ status, stdout }, { status: 1, stdout: "result=deny\n" });
			t.is(logged.filter((line) => / denied: /.test(line)).length, 1, logged.join("\n"));
		});
	}

	test(`${name}: a qrexec client that does not read the question may still answer`, async (t) => {
		const stage = await Stage.open(t, { policy: "* * * * ask target=b\n", domains: REMOTE_HOUSE, client: null });
		stage.writeProgram("client", "printf allow:b");
		const { status } = await stage.run(program, CALL);
		t.is(status, 0);
	});

	test(`${name}: a qrexec client that takes longer than the time limit to ask is waited for`, async (t) => {
		const setting: Setting = { policy: "* * * * ask target=b\n", domains: REMOTE_HOUSE, client: "sleep 3; printf allow:b" };
		const { status } = await call(t, setting, CALL, { timeout: 1 });
		t.is(status, 0);
	});

	test(`${name}: a question about 10000 qubes reaches the agent whole`, async (t) => {
		const setting: Setting = { policy: "* * * @anyvm ask\n", domains: CITY, ask: reply("allow:q9999") };
		const { stage, stdout } = await call(t, setting, ["q0", "q1", "s.S+x"]);
		const { targets, icons } = JSON.parse(stage.requests("rpc/policy.Ask")[0]?.slice(HEADER.length) ?? "");
		t.is(targets.length, 9999);
		t.is(Object.keys(icons).length, 10000);
		t.regex(stdout, /^target=q9999$/m);
	});

	test(`${name}: a question about 10000 qubes reaches the qrexec client whole`, async (t) => {
		const domains = { ...CITY, q0: entry("q0", { guivm: "g" }) };
		const { stage, stdout } = await call(t, { policy: "* * * @anyvm ask\n", domains, client: "printf allow:q9999" }, [
			"q0",
			"q1",
			"s.S+x",
		]);
		t.is(JSON.parse(stage.clientCalls()[0]?.input ?? "").targets.length, 9999);
		t.regex(stdout, /^target=q9999$/m);
	});
}
