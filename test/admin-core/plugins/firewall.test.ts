// admin.vm.firewall.*: spec/admin-core.md 8.9, 12 (2, 16); the file is that of Qubes 4, firewall.xml.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { expectAnswers } from "./desk.ts";
import { openDeskWithDirs } from "./qube-dirs.ts";

/** One rule that is taken, and how it is given back. */
const accepted = test.macro<[given: string, written?: string]>({
	title: (_, given) => `the rule "${given}" is taken`,
	exec: (t, given, written = given) =>
		expectAnswers(t, openDeskWithDirs(t), [
			["work", "admin.vm.firewall.Set", `${given}\n`, ""],
			["work", "admin.vm.firewall.Get", "", `${written}\n`],
		]),
});

test(accepted, "action=accept");
test(accepted, "action=drop");
test(accepted, "action=accept proto=icmp icmptype=8");
test(accepted, "action=accept dst4=10.0.0.0/8");
test(accepted, "action=accept dst4=10.0.0.1", "action=accept dst4=10.0.0.1/32");
test(accepted, "action=accept dsthost=10.0.0.1", "action=accept dst4=10.0.0.1/32");
test(accepted, "action=accept dsthost=10.0.0.0/24", "action=accept dst4=10.0.0.0/24");
test(accepted, "action=accept dst6=fd09::/64");
test(accepted, "action=accept dsthost=fd09::1", "action=accept dst6=fd09::1/128");
test(accepted, "action=accept dsthost=www.example.org");
test(accepted, "action=accept dsthost=localhost");
test(
	accepted,
	"action=accept proto=tcp dsthost=example.org dstports=443",
	"action=accept dsthost=example.org proto=tcp dstports=443-443",
);
test(accepted, "action=accept proto=udp dstports=0-65535");
test(accepted, "action=accept specialtarget=dns");
test(accepted, "dstports=1-2 proto=tcp action=drop", "action=drop proto=tcp dstports=1-2");
test(accepted, "action=drop expire=99999999999");
test(accepted, 'action=drop comment=a <b> & "c" comment=d   e');

/** One rule that is refused, behind one that is not. */
const refused = test.macro({
	title: (_, given = "") => `the rule ${JSON.stringify(given)} is refused, and nothing is changed`,
	exec: async (t, given: string, message: RegExp) => {
		const desk = openDeskWithDirs(t);
		const reply = await desk.call("work", "admin.vm.firewall.Set", `action=accept\n${given}\n`);
		t.regex(reply, /^QubesValueError: firewall rule 2: /);
		t.regex(reply, message);
		t.deepEqual(fs.readdirSync(desk.dir), []);
	},
});

test(refused, "", /missing action/);
test(refused, "proto=tcp", /missing action/);
test(refused, "comment=action=drop", /missing action/);
test(refused, "action=ACCEPT", /invalid action 'ACCEPT'/);
test(refused, "action=reject", /invalid action/);
test(refused, "action=accept nosuch=1", /unknown option 'nosuch'/);
test(refused, "action=accept constructor=1", /unknown option 'constructor'/);
test(refused, "action=accept action=drop", /more than one action/);
test(refused, "action=accept dst4=1.1.1.1 dsthost=a.b", /more than one destination/);
test(refused, "action=accept word", /want KEY=VALUE with single spaces between, not 'word'/);
test(refused, "action=accept  proto=tcp", /not ''/);
test(refused, "action=accept\r", /invalid action/);
test(refused, "action=accept proto=sctp", /invalid proto/);
test(refused, "action=accept dst4=1.2.3.256", /invalid dst4/);
test(refused, "action=accept dst4=1.2.3.4/33", /invalid dst4/);
test(refused, "action=accept dst4=1.2.3.4/", /invalid dst4/);
test(refused, "action=accept dst4=1.2.3.4/8/8", /invalid dst4/);
test(refused, "action=accept dst4=fd09::1", /invalid dst4/);
test(refused, "action=accept dst6=fd09::/129", /invalid dst6/);
test(refused, "action=accept dsthost=1.2.3.256", /invalid dsthost/);
test(refused, "action=accept dsthost=", /invalid dsthost/);
test(refused, "action=accept dsthost=.example", /invalid dsthost/);
test(refused, "action=accept dsthost=a..b", /invalid dsthost/);
test(refused, "action=accept dsthost=a.", /invalid dsthost/);
test(refused, "action=accept dsthost=-a.b", /invalid dsthost/);
test(refused, "action=accept dsthost=a/b", /invalid dsthost/);
test(refused, `action=accept dsthost=${"a".repeat(64)}`, /invalid dsthost/);
test(refused, `action=accept dsthost=${"a.".repeat(127)}a`, /invalid dsthost/);
test(refused, "action=accept dstports=80", /dstports: want proto tcp or udp/);
test(refused, "action=accept proto=icmp dstports=80", /dstports: want proto tcp or udp/);
test(refused, "action=accept proto=tcp dstports=90-80", /invalid dstports/);
test(refused, "action=accept proto=tcp dstports=65536", /invalid dstports/);
test(refused, "action=accept proto=tcp dstports=1-2-3", /invalid dstports/);
test(refused, "action=accept proto=tcp icmptype=8", /icmptype: want proto icmp/);
test(refused, "action=accept proto=icmp icmptype=256", /invalid icmptype/);
test(refused, "action=accept specialtarget=ntp", /invalid specialtarget/);
test(refused, "action=accept expire=tomorrow", /invalid expire/);
test(refused, "action=accept expire=-1", /invalid expire/);
test(refused, "action=accept comment=ä", /invalid comment/);
test(refused, "action=accept comment=\x07", /invalid comment/);

test("a qube without rules accepts everything, and has no file for it", async (t) => {
	const desk = openDeskWithDirs(t);
	t.is(await desk.call("work", "admin.vm.firewall.Get"), "action=accept\n");
	t.deepEqual(fs.readdirSync(desk.dir), []);
	t.is(desk.saved, 0);
});

test("rules are kept in the directory of the qube, in a file for the group, and nothing else is left there", async (t) => {
	const desk = openDeskWithDirs(t);
	const text = "action=accept dst4=10.0.0.0/8 proto=tcp dstports=80-81 comment=<a> & b\naction=drop\n";
	await expectAnswers(t, desk, [
		["work", "admin.vm.firewall.Set", "action=accept\n", ""],
		["work", "admin.vm.firewall.Set", text, ""],
		["base", "admin.vm.firewall.Set", "action=drop", ""],
		["work", "admin.vm.firewall.Get", "", text],
	]);
	const file = path.join(desk.dir, "appvms/work/firewall.xml");
	t.is(execFileSync("xmllint", ["--xpath", "string(//property[@name='dsthost'])", file], { encoding: "utf8" }), "10.0.0.0/8\n");
	t.is(execFileSync("xmllint", ["--xpath", "count(/firewall[@version=2]/rules/rule)", file], { encoding: "utf8" }), "2\n");
	t.deepEqual(fs.readdirSync(path.dirname(file)), ["firewall.xml"]);
	t.is(fs.statSync(file).mode & 0o777, 0o660);
	t.true(fs.existsSync(path.join(desk.dir, "vm-templates/base/firewall.xml")));
	t.is(desk.saved, 0, "the store has nothing to do with it");
});

test("rules whose time is over are not shown, others are; they may be all", async (t) => {
	const desk = openDeskWithDirs(t);
	await expectAnswers(t, desk, [
		["work", "admin.vm.firewall.Set", "action=accept expire=1\naction=drop\n", ""],
		["work", "admin.vm.firewall.Get", "", "action=drop\n"],
		["work", "admin.vm.firewall.Set", "action=accept expire=1\n", ""],
		["work", "admin.vm.firewall.Get", "", ""],
	]);
});

test("who puts rules into force is told of new ones, and when somebody asks for that", async (t) => {
	const desk = openDeskWithDirs(t);
	const told: string[] = [];
	const work = desk.app.qube("work");
	const file = path.join(desk.dir, "appvms/work/firewall.xml");
	work.addHandler("firewall-changed", () => {
		told.push(fs.readFileSync(file, "utf8").includes(">drop<") ? "drop" : "accept");
	});
	await desk.call("work", "admin.vm.firewall.Set", "action=drop\n");
	await desk.call("work", "admin.vm.firewall.Reload");
	await desk.call("work", "admin.vm.firewall.Set", "action=none\n");
	await desk.call("vault", "admin.vm.firewall.Reload");
	t.deepEqual(told, ["drop", "drop"]);
});

test("whoever watches over permissions sees the rules that are to be set, before they are", async (t) => {
	const desk = openDeskWithDirs(t);
	const seen: unknown[] = [];
	desk.app.qube("vault").addHandler("admin-permission:admin.vm.firewall.Set", (_subject, _event, { rules }) => {
		seen.push(rules, fs.readdirSync(desk.dir));
	});
	t.is(await desk.call("vault>work", "admin.vm.firewall.Set", "proto=icmp action=drop\naction=accept"), "");
	t.deepEqual(seen, [["action=drop proto=icmp", "action=accept"], []]);
});

/** One firewall.xml that nobody can be sure of. */
const corrupt = test.macro({
	title: (_, what = "") => `a firewall.xml ${what} is an error with its place, never "accept", until rules are set anew`,
	exec: async (t, _what: string, text: string | Buffer, message: RegExp) => {
		const desk = openDeskWithDirs(t);
		const file = path.join(desk.dir, "appvms/work/firewall.xml");
		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(file, text);
		let changes = 0;
		desk.app.qube("work").addHandler("firewall-changed", () => {
			changes++;
		});
		for (const method of ["Get", "Reload"]) {
			const reply = await desk.call("work", `admin.vm.firewall.${method}`);
			t.regex(reply, /^QubesException: \S*\/appvms\/work\/firewall\.xml:/);
			t.regex(reply, message);
		}
		t.is(changes, 0);
		t.deepEqual(fs.readFileSync(file), Buffer.from(text));
		t.is(await desk.call("work", "admin.vm.firewall.Set", "action=drop"), "");
		t.is(await desk.call("work", "admin.vm.firewall.Get"), "action=drop\n");
	},
});

const document = (rules: string): string => `<firewall version="2">\n<rules>${rules}</rules></firewall>`;
const rule = (properties: string): string => document(`<rule><properties>${properties}</properties></rule>`);

test(corrupt, "that is empty", "", /must contain a root element: repair the file, or set the rules anew$/);
test(corrupt, "that was cut off", document("").slice(0, -5), /:2:\d+: /);
test(corrupt, "of an older version", '<QubesFirewallRules policy="allow"/>', /<QubesFirewallRules> where none is expected/);
test(corrupt, "of another version", document("").replace('"2"', '"3"'), /version "3": want "2"/);
test(corrupt, "with an element that is not known", document("<rule><match/></rule>"), /:2:\d+: <match> where none/);
test(corrupt, "with text between elements", document("drop"), /text where none is expected/);
test(
	corrupt,
	"with an option that is not known",
	rule('<property name="srchost">1.1.1.1</property>'),
	/unknown option 'srchost'/,
);
test(corrupt, "with a value that is none", rule('<property name="action">maybe</property>'), /invalid action 'maybe'/);
test(corrupt, "with a rule without action", rule('<property name="proto">tcp</property>'), /missing action/);
test(corrupt, "with a document type", `<!DOCTYPE firewall>${document("")}`, /document type: want none/);
test(corrupt, "that is no UTF-8", Buffer.from("<firewall>\xff", "latin1"), /want UTF-8/);

test("a firewall.xml as the original writes it is read", async (t) => {
	const desk = openDeskWithDirs(t);
	const file = path.join(desk.dir, "appvms/work/firewall.xml");
	fs.mkdirSync(path.dirname(file), { recursive: true });
	const properties = (...pairs: readonly string[][]): string =>
		pairs.map(([name, value]) => `\n<property name="${name}">${value}</property>`).join("");
	const first = properties(["action", "accept"], ["dsthost", "1.2.3.0/24"], ["dstports", "443"], ["proto", "tcp"]);
	const second = properties(["action", "drop"], ["comment", "a &lt; <![CDATA[b]]>"]);
	const rules = [first, second].map((one) => `<rule>\n<properties>${one}\n</properties></rule>\n`).join("");
	fs.writeFileSync(file, `<!-- by hand -->${document(rules)}\n`);
	t.is(
		await desk.call("work", "admin.vm.firewall.Get"),
		"action=accept dst4=1.2.3.0/24 proto=tcp dstports=443-443\naction=drop comment=a < b\n",
	);
});

test("a firewall.xml that cannot be read or written is an error that names it", async (t) => {
	const desk = openDeskWithDirs(t);
	fs.mkdirSync(path.join(desk.dir, "appvms/work/firewall.xml/x"), { recursive: true });
	t.regex(await desk.call("work", "admin.vm.firewall.Get"), /^QubesException: cannot read \S+\/work\/firewall\.xml: EISDIR/);
	t.regex(await desk.call("work", "admin.vm.firewall.Set", "action=drop"), /^QubesException: cannot write \S+\/firewall\.xml: /);
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "appvms/work")), ["firewall.xml"]);
});

test("dom0 and qubes on other machines have no firewall here", async (t) => {
	const desk = openDeskWithDirs(t);
	for (const [method, payload] of [
		["Get", ""],
		["Set", "action=drop"],
		["Reload", ""],
	] as const) {
		t.is(
			await desk.call("dom0", `admin.vm.firewall.${method}`, payload),
			"ProtocolError: expected destination to not be AdminVM",
		);
		t.is(
			await desk.call("far", `admin.vm.firewall.${method}`, payload),
			"QubesVMError: far: a qube of class RemoteVM has no firewall.xml",
		);
	}
	t.deepEqual(fs.readdirSync(desk.dir), []);
});

test("methods of older versions do not exist", async (t) => {
	const desk = openDeskWithDirs(t);
	for (const name of ["vm.firewall.Flush", "vm.firewall.GetPolicy", "vm.firewall.SetPolicy", "vm.property.HelpRst"]) {
		t.is(await desk.call("work", `admin.${name}`), `ProtocolError: no such method: 'admin.${name}'`);
	}
	t.is(await desk.call("dom0", "admin.property.HelpRst+x"), "ProtocolError: no such method: 'admin.property.HelpRst'");
});

test("the rules go with the qube, and what a write left that was cut short; other files stay", async (t) => {
	const desk = openDeskWithDirs(t);
	const at = (name: string): string => path.join(desk.dir, "appvms", name);
	for (const name of ["work", "vault"]) await desk.call(name, "admin.vm.firewall.Set", "action=drop");
	fs.writeFileSync(at("work/firewall.xml~00000000"), "<");
	fs.writeFileSync(at("vault/private.img"), "");
	for (const name of ["work", "vault"]) await desk.app.qube(name).fireAsync("domain-remove-from-disk");
	t.deepEqual(fs.readdirSync(at("")), ["vault"]);
	t.deepEqual(fs.readdirSync(at("vault")), ["private.img"]);
});

test("a new qube does not take over the rules of one that had its name", async (t) => {
	const desk = openDeskWithDirs(t);
	await desk.call("work", "admin.vm.firewall.Set", "action=drop");
	await desk.app.qube("work").fireAsync("domain-create-on-disk");
	t.is(await desk.call("work", "admin.vm.firewall.Get"), "action=accept\n");
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "appvms/work")), []);
});
