// The built qubesd and the built commands together: README, "Admin core in five minutes".
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { runToEnd } from "../../support/run-program.ts";
import { House } from "./house.ts";

test("what is there is listed, with qvm-ls and byte for byte on the socket", async (t) => {
	const house = await House.open(t);
	const { status, stdout } = await house.run("qvm-ls", "--raw-list");
	t.deepEqual([status, stdout], [0, "default-dvm\ndom0\nfedora-42\nsys-net\nvault\nwork\n"]);
	t.is(
		await house.call("admin.vm.List+ dom0 name work\0"),
		"0\0work class=AppVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a903\n",
	);
	t.is(await house.call("admin.vm.List dom0 keyword adminvm\0"), await house.call("admin.vm.List+ dom0 name dom0\0"));
});

test("properties are read, set and reset, and are there after a restart", async (t) => {
	const house = await House.open(t);
	t.is((await house.run("qvm-prefs", "work", "netvm")).stdout, "sys-net\n");
	t.is((await house.run("qvm-prefs", "work", "memory", "1000")).status, 0);
	t.is((await house.run("qvm-prefs", "work", "netvm", "none")).status, 0);
	t.is((await house.run("qubes-prefs", "clockvm", "vault")).status, 0);
	await house.stop();
	await house.start();
	t.is((await house.run("qvm-prefs", "work", "memory")).stdout, "1000\n");
	t.is((await house.run("qvm-prefs", "work", "netvm")).stdout, "");
	t.is((await house.run("qubes-prefs", "clockvm")).stdout, "vault\n");
	t.is((await house.run("qvm-features", "vault", "service.clocksync")).stdout, "1\n");
	t.is((await house.run("qvm-prefs", "-D", "work", "memory")).status, 0);
	t.is((await house.run("qvm-prefs", "work", "memory")).stdout, "400\n");
});

test("features, tags and services are set and listed", async (t) => {
	const house = await House.open(t);
	t.is((await house.run("qvm-features", "work", "gui", "1")).status, 0);
	t.is((await house.run("qvm-features", "work", "gui")).stdout, "1\n");
	t.is((await house.run("qvm-features", "-D", "work", "gui")).status, 0);
	t.is((await house.run("qvm-features", "work", "gui")).status, 1);
	t.is((await house.run("qvm-tags", "work", "add", "new")).status, 0);
	t.is((await house.run("qvm-tags", "work")).stdout, "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\nmail\nnew\n");
	t.is((await house.run("qvm-service", "work", "cups", "on")).status, 0);
	t.is((await house.run("qvm-features", "work", "service.cups")).stdout, "1\n");
});

test("a qube is made, listed, and removed", async (t) => {
	const house = await House.open(t);
	t.is((await house.run("qvm-create", "-l", "green", "mail")).status, 0);
	t.regex((await house.run("qvm-ls")).stdout, /^mail +Halted +AppVM +green +fedora-42 +sys-net/m);
	await house.stop();
	await house.start();
	t.is((await house.run("qvm-prefs", "mail", "label")).stdout, "green\n");
	t.is((await house.run("qvm-remove", "-f", "mail")).status, 0);
	t.is((await house.run("qvm-ls", "--raw-list")).stdout.includes("mail"), false);
	t.false(house.store().includes(">mail<"));
});

test("what is wrong is said, with the status that scripts look for", async (t) => {
	const house = await House.open(t);
	for (const [command, args, status, message] of [
		["qvm-prefs", ["nosuch", "netvm"], 2, /nosuch/],
		["qvm-prefs", ["work", "nosuch"], 2, /no such property: 'nosuch'/],
		["qvm-prefs", ["work", "memory", "x"], 1, /Failed to parse property value as int/],
		["qvm-prefs", ["work", "netvm", "vault"], 1, /does not provide network/],
		["qubes-prefs", ["default-kernel", "nosuch"], 1, /Kernel 'nosuch' not installed/],
		["qvm-features", ["work", "preload-dispvm", "1"], 1, /reserved/],
	] as const) {
		const ended = await house.run(command, ...args);
		t.is(ended.status, status, `${command} ${args.join(" ")}: ${ended.stderr}`);
		t.regex(ended.stderr, message);
	}
});

test("the calls of the kernel package work as root, with options of other versions", async (t) => {
	const house = await House.open(t);
	for (const version of ["6.12.1", "6.12.2"]) {
		fs.mkdirSync(house.path(`kernels/${version}`), { recursive: true });
		fs.writeFileSync(house.path(`kernels/${version}/vmlinuz`), "");
	}
	t.is((await house.run("qubes-prefs", "--force-root", "--set", "default-kernel", "6.12.1")).status, 0);
	t.is((await house.run("qubes-prefs", "default-kernel")).stdout, "6.12.1\n");
	t.is((await house.run("qubes-prefs", "-g", "default-kernel")).stdout, "6.12.1\n");
	t.is((await house.run("qubes-prefs", "default-kernel", "6.12.2")).status, 0);
	const { stdout } = await house.run("qvm-ls", "--kernel");
	t.regex(stdout, /^work .* 6\.12\.2 /m);
});

test("qrexec-policy-exec asks this qubesd who the qubes are", async (t) => {
	const house = await House.open(t);
	const args = ["--path", "examples/policy.d", "--qubesd-internal-socket", house.path("internal.sock"), "--json"];
	const { status, stdout } = await runToEnd([
		path.resolve("dist/bin/qrexec-policy-exec"),
		...args,
		"work",
		"@dispvm",
		"qubes.OpenURL",
	]);
	t.is(status, 0);
	t.like(JSON.parse(stdout), { decision: "allow" });
	t.regex(JSON.parse(stdout).result, /^target=@dispvm:default-dvm$/m);
});

test("each socket has its own methods", async (t) => {
	const house = await House.open(t);
	t.is(
		await house.call("internal.GetSystemInfo+ dom0 name dom0\0"),
		"2\0ProtocolError\0\0no such method: 'internal.GetSystemInfo'\0",
	);
	t.is(
		await house.call("admin.vm.List+ dom0 name dom0\0", "internal.sock"),
		"2\0ProtocolError\0\0no such method: 'admin.vm.List'\0",
	);
	t.regex(await house.call("internal.GetSystemInfo+ dom0 name dom0\0", "internal.sock"), /^0\0\{"domains":/);
	// Which method it is comes after who calls whom.
	t.regex(await house.call("internal.GetSystemInfo+ nosuch name dom0\0"), /^2\0QubesVMNotFoundError\0/);
	t.regex(await house.call("admin.vm.List+ dom0 name nosuch\0", "internal.sock"), /^2\0QubesVMNotFoundError\0/);
});

test("a listener is told of what happens to a qube, in order, and of nothing else", async (t) => {
	const house = await House.open(t);
	const listener = await house.listen("admin.Events+ dom0 name work\0");
	await house.run("qvm-features", "vault", "elsewhere", "1");
	await house.run("qvm-features", "work", "evf", "1");
	await house.run("qvm-features", "work", "evf", "2");
	await listener.until(/oldvalue[\0]1\0\0/);
	listener.close();
	const received = listener.received();
	const set = (event: string, more: string): string => `1\0work\0${event}:evf\0feature\0evf\0value\0${more}\0`;
	t.true(received.startsWith("1\0\0connection-established\0\0"));
	t.true(
		received.includes(
			set("domain-feature-pre-set", "1\0") +
				set("domain-feature-set", "1\0") +
				set("domain-feature-pre-set", "2\0oldvalue\x001\0"),
		),
	);
	t.false(received.includes("elsewhere"));
});

test("only the plugins are loaded that a call needs", async (t) => {
	const house = await House.open(t);
	await house.run("qubes-prefs");
	t.regex(
		house.logged,
		/^plugin properties: loaded for admin\.property\.GetAll|^plugin properties: loaded for admin\.property\.List/m,
	);
	// Some are needed when the qubes are loaded.
	t.is(house.logged.match(/^plugin .* for (?!domain-load|storage driver)/gm)?.length, 1, house.logged);
});

test("a qubesd that is told to end answers nobody any more, leaves the store whole and the sockets away", async (t) => {
	const house = await House.open(t);
	await house.run("qvm-features", "work", "x", "1");
	await house.stop();
	t.false(fs.existsSync(house.path("qubesd.sock")));
	t.false(fs.existsSync(house.path("internal.sock")));
	t.regex(house.store(), /<feature name="x">1<\/feature>/);
});

test("a second qubesd on the same store ends with a message, the first goes on", async (t) => {
	const house = await House.open(t);
	const { status, stderr } = await runToEnd([path.resolve("dist/bin/qubesd"), ...house.daemonArguments()]);
	t.is(status, 1);
	t.regex(stderr, /qubes\.xml/);
	t.is((await house.run("qvm-ls", "--raw-list")).status, 0);
});

test("a qubesd that is called with an option that it does not have ends with 2 and says so", async (t) => {
	const { status, stderr } = await runToEnd([path.resolve("dist/bin/qubesd"), "--nosuch"]);
	t.deepEqual([status, stderr], [2, "usage: qubesd [OPTION...]\nqubesd: error: Unknown argument: nosuch\n"]);
});

for (const [what, store, message] of [
	["that is no XML", "<qubes", /qubes\.xml:1:\d+: /],
	["that is empty", "", /qubes\.xml/],
	[
		"with a class that does not exist",
		'<qubes><domains><domain id="domain-1" class="NoVM"><properties><property name="name">a</property></properties></domain></domains></qubes>',
		/no such VM class: 'NoVM'/,
	],
	[
		"with a property that does not exist",
		'<qubes><domains><domain id="domain-1" class="AppVM"><properties><property name="name">a</property><property name="nosuch">1</property></properties></domain></domains></qubes>',
		/qube a: there is no property 'nosuch' of class AppVM/,
	],
	[
		"with a value that a property cannot have",
		'<qubes><domains><domain id="domain-1" class="AppVM"><properties><property name="name">a</property><property name="qid">1</property><property name="netvm">nosuch</property></properties></domain></domains></qubes>',
		/qube a: property 'netvm': Can't set netvm to non-existing qube nosuch/,
	],
] as const) {
	test(`a store ${what} ends qubesd with a message, and is left as it is`, async (t) => {
		const house = House.prepare(t, store);
		const { status, stderr } = await runToEnd([path.resolve("dist/bin/qubesd"), ...house.daemonArguments()]);
		t.is(status, 1);
		t.regex(stderr, message);
		t.is(house.store(), store);
	});
}

test("what of a store nobody understands is still there after a change", async (t) => {
	const strange = '<strange a="1"><!-- kept -->x</strange>';
	const text = fs.readFileSync("examples/qubes.xml", "utf8").replace("<domains>", `${strange}\n  <domains>`);
	const house = await House.open(t, { store: text });
	await house.run("qvm-tags", "work", "add", "new");
	t.is(house.store(), text.replace('<tag name="mail"/>', '<tag name="mail"/>\n        <tag name="new"/>'));
});
