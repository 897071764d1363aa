// What can go wrong with qubesd and with what it says: always a denial, with one line that says what (spec 4, 4.1, Q36, Q57).
import test, { type ExecutionContext } from "ava";
import {
	closeAtOnce,
	FakeServer,
	neverClose,
	neverReply,
	reply,
	replyHuge,
	replySlowly,
	type Script,
	trickle,
} from "../../support/fake-server.ts";
import { HOSTS } from "../../support/programs.ts";
import { type Domains, entry, house, uuidOf } from "../core/fixtures.ts";
import { type Extra, type Setting, Stage, systemInfo } from "./stage.ts";

const CALL = ["a", "b", "s.S+x"];
const MIB = 1 << 20;

for (const program of HOSTS) {
	const { name } = program;

	async function denied(t: ExecutionContext, stage: Stage, complaint: RegExp, words = CALL, extra: Extra = {}): Promise<void> {
		const { status, stdout, stderr, hung } = await stage.run(program, words, extra);
		t.deepEqual({ status, stdout, stderr, hung }, { status: 1, stdout: "result=deny\n", stderr: "", hung: false });
		const lines = await stage.logged();
		t.is(lines.length, 1, lines.join("\n"));
		t.regex(lines[0] ?? "", complaint);
		t.true(/^<1[14]>qrexec: /.test(lines[0] ?? ""), lines[0]);
	}

	function fails(title: string, info: Script | null, complaint: RegExp, extra: Extra = {}): void {
		test(`${name}: ${title} is a denial`, async (t) => {
			await denied(t, await Stage.open(t, { info }), complaint, CALL, extra);
		});
	}

	const INFO = "<11>qrexec: s\\.S\\+x: a -> b: error getting system info: .*";
	fails("a qubesd that is down", null, new RegExp(`${INFO}internal\\.sock.*no such file`));
	fails("a qubesd that closes at once", closeAtOnce, new RegExp(INFO));
	fails("a silent qubesd", neverReply, new RegExp(`${INFO}time limit`), { timeout: 1 });
	fails("a qubesd that answers but never closes", neverClose(systemInfo(house())), new RegExp(`${INFO}time limit`), {
		timeout: 1,
	});
	fails("a qubesd that writes a byte now and then for ever", trickle, new RegExp(`${INFO}time limit`), { timeout: 1 });
	fails("an answer of more than 16 MiB", replyHuge(systemInfo(house()), 17 * MIB), new RegExp(`${INFO}too large`));
	fails("an answer that is not UTF-8", reply(Buffer.from('0\0{"domains":{"\xff":1}}', "latin1")), new RegExp(`${INFO}UTF-8`));

	test(`${name}: a socket where nobody listens is a denial`, async (t) => {
		const stage = await Stage.open(t, { info: null });
		stage.write("internal.sock", "");
		await denied(t, stage, new RegExp(`${INFO}internal\\.sock.*nobody listens`));
	});

	test(`${name}: a path that is too long for a socket is a denial`, async (t) => {
		const stage = await Stage.open(t);
		const long = stage.path("x".repeat(200));
		await denied(t, stage, new RegExp(`${INFO}too long`), CALL, { options: ["--qubesd-internal-socket", long] });
	});

	test(`${name}: a socket path of 108 bytes is not cut to 107, where another socket is`, async (t) => {
		const stage = await Stage.open(t, { info: null });
		const other = stage.path("s".repeat(106 - stage.dir.length));
		const server = await FakeServer.listen(other, reply(systemInfo(house())));
		t.teardown(() => server.close());
		await denied(t, stage, new RegExp(`${INFO}too long`), CALL, { options: ["--qubesd-internal-socket", `${other}x`] });
		const { status } = await stage.run(program, CALL, { options: ["--qubesd-internal-socket", other] });
		t.is(status, 0);
	});

	test(`${name}: a slow answer that comes in time counts`, async (t) => {
		const stage = await Stage.open(t, { info: replySlowly(systemInfo(house())) });
		const { status } = await stage.run(program, CALL);
		t.is(status, 0);
	});

	test(`${name}: an answer of 8 MiB counts`, async (t) => {
		const stage = await Stage.open(t, { info: replyHuge(systemInfo(house()), 8 * MIB) });
		const { status } = await stage.run(program, CALL);
		t.is(status, 0);
	});

	for (const [title, answer] of [
		["an empty answer", ""],
		["the status 0 alone", "0"],
		["the status 1", '1\0{"domains":{}}'],
		["an answer without status", JSON.stringify({ domains: house() })],
		["garbage", "\x01\x02garbage\0\0"],
		["an error without a type", "2\0"],
		["an error of three NULs", "2\0QubesException\0\0format"],
	] as const) {
		fails(title, reply(answer), new RegExp(`${INFO}protocol`));
	}
	fails(
		"an error of qubesd",
		reply("2\0QubesDaemonNoResponseError\0Traceback\0Got %s\0nothing\0"),
		new RegExp(`${INFO}QubesDaemonNoResponseError`),
	);
	fails("the shortest error of qubesd", reply("2\0QubesException\0\0\0"), new RegExp(`${INFO}QubesException`));
	fails("an error that wants to forge a log line", reply("2\0X\n<14>allowed\0\0\0"), new RegExp(`${INFO}X\\\\x0a<14>allowed$`));

	for (const [title, json] of [
		["no JSON", "domains"],
		["half an answer", JSON.stringify({ domains: house() }).slice(0, -40)],
		["JSON with something behind it", `${JSON.stringify({ domains: house() })}}`],
		["null", "null"],
		["a list", "[]"],
		["an object without domains", "{}"],
		["domains that are a list", '{"domains":[]}'],
		["domains that are a text", '{"domains":"a"}'],
		["nothing at all", ""],
		["a million brackets", "[".repeat(1e6)],
		["a tag a million lists deep", `{"domains":{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}}`],
	] as const) {
		fails(`system information that is ${title}`, reply(`0\0${json}`), /a -> b: .*(system information|internal error)/);
	}

	/** One wrong entry; `rules` are such that it is needed. */
	function misleads(title: string, rules: string, domains: Domains, complaint: RegExp, words = CALL, more: Setting = {}): void {
		test(`${name}: ${title} is a denial`, async (t) => {
			const setting: Setting = { policy: `${rules}\n`, domains, ask: reply("allow:b"), notify: reply(""), ...more };
			await denied(t, await Stage.open(t, setting), complaint, words);
		});
	}

	const TO_B = "* * * b allow";
	misleads("a target without uuid", TO_B, house({ b: { uuid: undefined } }), /a -> b: denied: .*uuid/);
	misleads("a uuid that is a number", TO_B, house({ b: { uuid: 5 } }), /uuid/);
	misleads("a target without type", TO_B, house({ b: { type: undefined } }), /type/);
	misleads("a type that is a list", TO_B, house({ b: { type: ["AppVM"] } }), /type/);
	misleads("an entry that is null", TO_B, { ...house(), b: null as never }, /b/);
	misleads("an entry that is a list", TO_B, { ...house(), a: [] as never }, /a/);
	misleads("a qube without tags", "* * * @tag:t2 allow", house({ b: { tags: undefined } }), /tags/);
	misleads("tags that are a text", "* * * @tag:t2 allow", house({ b: { tags: "t2" } }), /tags/);
	misleads("a qube without power state", "* * * b allow autostart=no", house({ b: { power_state: null } }), /power_state/);
	misleads("a flag that is a text", "* * * * allow", house({ c: { template_for_dispvms: "True" } }), /template_for_dispvms/, [
		"a",
		"@dispvm:c",
		"s.S+x",
	]);
	misleads(
		"a default disposable that is a number",
		"* * * @dispvm allow",
		house({ a: { default_dispvm: 5 } }),
		/default_dispvm/,
		["a", "@dispvm", "s.S+x"],
	);
	misleads("a relay that does not exist", "* * * * allow", house({ rem: { relayvm: "zzz" } }), /zzz/, ["a", "rem", "s.S+x"]);
	misleads("a relay that is a number", "* * * * allow", house({ rem: { relayvm: 5 } }), /relayvm/, ["a", "rem", "s.S+x"]);
	misleads("a caller without guivm, where the user is to be asked,", "* * * b ask", house({ a: { guivm: undefined } }), /guivm/);
	misleads("a guivm that is a number, where the user is to be asked,", "* * * b ask", house({ a: { guivm: 1 } }), /guivm/);
	misleads("any qube without icon, where the user is to be asked,", "* * * b ask", house({ tpl: { icon: undefined } }), /icon/);
	misleads(
		"a line break in the name of an allowed target",
		"* * * * allow",
		{ ...house(), "b\nuser=root": entry("x") },
		/control/,
		["a", "b\nuser=root", "s.S+x"],
	);
	misleads("a line break in a uuid", TO_B, house({ b: { uuid: "x\nuser=root" } }), /control/);

	test(`${name}: fields that may be absent are as null`, async (t) => {
		const absent = { default_dispvm: undefined, internal: undefined, relayvm: undefined, transport_rpc: undefined };
		const stage = await Stage.open(t, { domains: house({ a: absent, b: absent }) });
		const { status, stdout } = await stage.run(program, CALL);
		t.is(status, 0);
		t.true(stdout.includes(`target_uuid=uuid:${uuidOf("b")}\n`));
	});

	test(`${name}: an odd qube that has nothing to do with the call does not matter`, async (t) => {
		const stage = await Stage.open(t, { policy: `${TO_B}\n`, domains: { ...house(), odd: {} } });
		const { status } = await stage.run(program, CALL);
		t.is(status, 0);
	});

	for (const word of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
		test(`${name}: ${word} is no qube only because every object has it`, async (t) => {
			const stage = await Stage.open(t);
			await denied(t, stage, /unknown source/, [word, "b", "s.S+x"]);
			const { stdout } = await stage.run(program, ["a", word, "s.S+x"], { options: ["--json"] });
			t.is(JSON.parse(stdout).reason, "no-target");
		});
	}

	test(`${name}: a qube may be called __proto__`, async (t) => {
		const domains = JSON.stringify(house()).replace(/^\{/, `{"__proto__":${JSON.stringify(entry("p"))},`);
		const stage = await Stage.open(t, { info: reply(`0\0{"domains":${domains}}`) });
		const { status, stdout } = await stage.run(program, ["a", "__proto__", "s.S+x"]);
		t.is(status, 0);
		t.regex(stdout, /^target=__proto__$/m);
	});
}
