// The misc socket of the built qubesd, and what else it keeps beside the store: spec/admin-core.md 2.4, 5.1, 7.1, 8.1, 8.9, 9.2, 9.3.
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { QubesPrograms } from "../../support/qubes-programs.ts";
import { House } from "./house.ts";

// A qube's QubesDB needs a hypervisor: what a qube has in it stands in a file, which a stand-in for qubesdb-multiread prints.
const fake = new QubesPrograms();
const MISC = "qubesd.misc.sock";

test.serial("a template tells of its system on the misc socket, and it is there after a restart", async (t) => {
	const house = await House.open(t);
	fake.setQubesDb("fedora-42", "/features-request/qrexec = 1", "/features-request/os-version = 42", "/features-request/x = 1");
	t.is(await house.call("qubes.FeaturesRequest+ fedora-42 name dom0\0", MISC), "0\0");
	t.is(await house.call("qubes.NotifyUpdates fedora-42 keyword adminvm\x003", MISC), "0\0");
	await house.stop();
	await house.start();
	t.is((await house.run("qvm-features", "fedora-42", "qrexec")).stdout, "1\n");
	t.is((await house.run("qvm-features", "fedora-42", "os-version")).stdout, "42\n");
	t.is((await house.run("qvm-features", "fedora-42", "updates-available")).stdout, "1\n");
	t.is((await house.run("qvm-features", "fedora-42", "x")).status, 1);
});

test.serial("a listener sees what a qube has asked for", async (t) => {
	const house = await House.open(t);
	fake.setQubesDb("fedora-42", "/qubes-tools/qrexec = 1", "/qubes-tools/os = Linux");
	const stream = await house.listen("admin.Events+ dom0 name fedora-42\0");
	t.is(await house.call("qubes.NotifyTools+ fedora-42 name dom0\0", MISC), "0\0");
	await stream.until(/template-postinstall/);
	stream.close();
	t.true(
		stream.received().includes("1\0fedora-42\0features-request\0untrusted_features\0{'qrexec': '1', 'os': 'Linux'}\0\0"),
		stream.received(),
	);
	t.true(stream.received().includes("1\0fedora-42\0domain-feature-set:qrexec\0feature\0qrexec\0value\x001\0\0"));
});

test.serial("a qube whose QubesDB cannot be read is answered with an error, and the store is as it was", async (t) => {
	const house = await House.open(t);
	const before = house.store();
	t.is(
		await house.call("qubes.FeaturesRequest+ vault name dom0\0", MISC),
		"2\0QubesException\0\0qubesdb-multiread -d vault /features-request/: it ends with status 1: no QubesDB of vault\0",
	);
	t.is(house.store(), before);
});

test.serial("each of the three sockets has its own methods, for the group, and all go at the end", async (t) => {
	const house = await House.open(t);
	const missing = (method: string): string => `2\0ProtocolError\0\0no such method: '${method}'\0`;
	for (const [method, own] of [
		["qubes.NotifyTools", MISC],
		["admin.vm.List", "qubesd.sock"],
		["internal.GetSystemInfo", "internal.sock"],
	] as const) {
		for (const socket of [MISC, "qubesd.sock", "internal.sock"]) {
			const reply = await house.call(`${method}+ dom0 name dom0\0`, socket);
			t.is(reply === missing(method), socket !== own, `${method} on ${socket}: ${reply}`);
		}
	}
	t.is(await house.call("admin.vm.firewall.GetPolicy+ dom0 name work\0"), missing("admin.vm.firewall.GetPolicy"));
	t.is(fs.statSync(house.path(MISC)).mode & 0o777, 0o660);
	await house.stop();
	for (const socket of [MISC, "qubesd.sock", "internal.sock"]) t.false(fs.existsSync(house.path(socket)), socket);
});

test.serial("the misc socket can be elsewhere; one that somebody listens on ends qubesd, with nothing left behind", async (t) => {
	const house = await House.open(t);
	const options = ["--socket", house.path("second.sock"), "--internal-socket", house.path("second.internal.sock")];
	fs.mkdirSync(house.path("second"));
	fs.copyFileSync(house.path("qubes.xml"), house.path("second/qubes.xml"));
	const { status, stderr } = await house.run(
		"qubesd",
		...["--store", house.path("second/qubes.xml"), ...options, "--misc-socket", house.path(MISC)],
	);
	t.is(status, 1);
	t.regex(stderr, /qubesd\.misc\.sock/);
	t.false(fs.existsSync(house.path("second.sock")));
	t.not(await house.call("qubes.NotifyTools+ dom0 name dom0\0", MISC), "", "the first one goes on");
});

test.serial("notes and rules are kept beside the store or where it is said, and go with their qube", async (t) => {
	const house = await House.open(t);
	t.is(await house.call("admin.vm.notes.Set+ dom0 name vault\0\u00e4\x07\n"), "0\0");
	t.is(await house.call("admin.vm.notes.Get+ dom0 name vault\0"), Buffer.from("0\0\u00e4_\n").toString("latin1"));
	t.is(await house.call("admin.vm.firewall.Set+ dom0 name vault\0action=drop\n"), "0\0");
	t.deepEqual(fs.readdirSync(house.path("appvms/vault")).sort(), ["firewall.xml", "notes.txt"]);
	await house.stop();
	await house.start();
	t.is(await house.call("admin.vm.firewall.Get+ dom0 name vault\0"), "0\0action=drop\n");
	t.is((await house.run("qvm-remove", "-f", "vault")).status, 0);
	t.false(fs.existsSync(house.path("appvms/vault")));

	const other = await House.open(t, { options: ["--base-dir", house.path("elsewhere")] });
	t.is(await other.call("admin.vm.firewall.Set+ dom0 name fedora-42\0action=drop\n"), "0\0");
	t.true(fs.existsSync(house.path("elsewhere/vm-templates/fedora-42/firewall.xml")));
	t.is(
		await other.call("admin.vm.firewall.Set+ dom0 name work\0action=drop nosuch=1\n"),
		"2\0QubesValueError\0\0firewall rule 1: unknown option 'nosuch'\0",
	);
});

test.serial("what qubes use is told every stats_interval seconds, of those that are not halted", async (t) => {
	const house = await House.open(t);
	await house.run("qubes-prefs", "stats_interval", "1");
	const stream = await house.listen("admin.vm.Stats+ dom0 name dom0\0");
	await stream.until(/vm-stats.*vm-stats.*vm-stats/s);
	stream.close();
	const keys = ["memory_kb", "memory_assigned_total", "memory_assigned_usable", "memory_with_swap_used"];
	const figures = [...keys, "cpu_time", "cpu_usage", "online_vcpus"].map((key) => `${key}\x000\0`).join("");
	const event = `1\0dom0\0vm-stats\0${figures}\0`;
	t.is(stream.received(), `1\0\0connection-established\0\0${event.repeat(3)}`);
});

test.serial("the machine is suspended and resumed, with a file in between in the folder that was said", async (t) => {
	const house = House.prepare(t, fs.readFileSync("examples/qubes.xml", "utf8"), ["--run-dir", path.join(fake.dir, "run")]);
	await house.start();
	t.is(await house.call("internal.SuspendPre+ dom0 name dom0\0", "internal.sock"), "0\0");
	t.deepEqual(fs.readdirSync(path.join(fake.dir, "run")), ["resting-at-suspend"]);
	t.is(await house.call("internal.SuspendPost+ dom0 name dom0\0", "internal.sock"), "0\0");
	t.deepEqual(fs.readdirSync(path.join(fake.dir, "run")), []);
});

test.serial("profiles of backups are looked for in the folder that was said", async (t) => {
	const house = await House.open(t, { options: ["--backup-profiles", fake.dir] });
	fs.writeFileSync(path.join(fake.dir, "daily.conf"), "");
	t.is(
		await house.call("admin.backup.Info+weekly dom0 name dom0\0"),
		"2\0QubesBackupProfileNotFoundError\0\0there is no backup profile weekly\0",
	);
	t.regex(await house.call("admin.backup.Info+daily dom0 name dom0\0"), /^2\0QubesNotImplementedError\0/);
});
