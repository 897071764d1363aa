// Stores that a real system may have: all of them start, and lose nothing (spec/admin-core.md 5.4, 12).
import test, { type ExecutionContext } from "ava";
import { House } from "./house.ts";

const LABELS =
	'<labels><label id="label-1" color="0xcc0000">red</label><label id="label-8" color="0x000000">black</label></labels>';

/** A qube as it stands in a store. */
function qube(qid: number, klass: string, name: string, properties: { readonly [name: string]: string } = {}, more = ""): string {
	const all = Object.entries({ label: "red", name, qid: String(qid), ...properties });
	const texts = all.map(([property, text]) => `<property name="${property}">${text}</property>`).join("");
	return `<domain id="domain-${qid}" class="${klass}"><properties>${texts}</properties>${more}</domain>`;
}

function open(t: ExecutionContext, globals: { readonly [name: string]: string }, ...qubes: readonly string[]): Promise<House> {
	const dom0 = '<domain id="domain-0" class="AdminVM"><properties><property name="label">black</property></properties></domain>';
	const properties = Object.entries(globals).map(([name, text]) => `<property name="${name}">${text}</property>`);
	const store = `<qubes>${LABELS}<properties>${properties.join("")}</properties><domains>${dom0}${qubes.join("")}</domains></qubes>`;
	return House.open(t, { store });
}

const NET = { provides_network: "True", netvm: "" };

test("net qubes behind each other load in any order", async (t) => {
	const firewall = qube(2, "StandaloneVM", "sys-firewall", { provides_network: "True", netvm: "sys-net" });
	const house = await open(
		t,
		{ default_netvm: "sys-firewall" },
		firewall,
		qube(1, "StandaloneVM", "sys-net", NET),
		qube(3, "StandaloneVM", "work"),
	);
	t.is((await house.run("qvm-prefs", "work", "netvm")).stdout, "sys-firewall\n");
	t.is((await house.run("qvm-prefs", "sys-firewall", "netvm")).stdout, "sys-net\n");
	t.is(house.logged.includes("not kept"), false, house.logged);
});

test("a qube that is connected through itself is connected to nothing, and look-ups end", async (t) => {
	const house = await open(t, { default_netvm: "sys-net" }, qube(1, "StandaloneVM", "sys-net", { provides_network: "True" }));
	t.regex(house.logged, /qube sys-net: property 'netvm' is not kept/);
	t.is((await house.run("qvm-prefs", "sys-net", "netvm")).stdout, "");
	t.regex(await house.call("admin.vm.feature.CheckWithNetvm+x dom0 name sys-net\0"), /^2\0QubesFeatureNotFoundError/);
	t.regex((await house.run("qvm-prefs", "-D", "sys-net", "netvm")).stderr, /Loops in network are unsupported/);
});

test("what others depend on cannot be taken away, so that the store loads the next time", async (t) => {
	const dvm = qube(3, "AppVM", "dvm", { template: "base", template_for_dispvms: "True" });
	const house = await open(
		t,
		{ default_netvm: "sys-net", default_dispvm: "dvm" },
		qube(1, "StandaloneVM", "sys-net", NET),
		qube(2, "TemplateVM", "base"),
		dvm,
	);
	t.regex(
		(await house.run("qvm-prefs", "sys-net", "provides_network", "False")).stderr,
		/sys-net is the net qube of others: Qubes\.default_netvm/,
	);
	t.regex((await house.run("qvm-prefs", "-D", "sys-net", "provides_network")).stderr, /sys-net is the net qube of others/);
	t.regex(
		(await house.run("qvm-prefs", "dvm", "template_for_dispvms", "False")).stderr,
		/dvm is what disposables are made of: Qubes\.default_dispvm/,
	);
});

test("a qube that no longer is what it is named for is none, with a line in the log", async (t) => {
	const globals = { default_netvm: "work", default_dispvm: "work" };
	const house = await open(t, globals, qube(1, "StandaloneVM", "work"), qube(2, "StandaloneVM", "mail", { netvm: "work" }));
	t.is((await house.run("qvm-prefs", "mail", "netvm")).stdout, "");
	t.is((await house.run("qubes-prefs", "default_netvm")).stdout, "");
	t.is(house.logged.match(/is not kept/g)?.length, 3, house.logged);
});

test("empty values are no, nothing, or not set", async (t) => {
	const empty = { debug: "", default_user: "", virt_mode: "", uuid: "", memory: "", kernelopts: "" };
	const house = await open(t, {}, qube(1, "StandaloneVM", "work", empty));
	t.is((await house.run("qvm-prefs", "work", "debug")).stdout, "False\n");
	t.is((await house.run("qvm-prefs", "work", "default_user")).stdout, "user\n");
	t.is((await house.run("qvm-prefs", "work", "memory")).stdout, "400\n");
});

test("a uuid that is made up is kept", async (t) => {
	const house = await open(t, {}, qube(1, "StandaloneVM", "work"));
	const { stdout } = await house.run("qvm-prefs", "work", "uuid");
	t.regex(stdout, /^[0-9a-f-]{36}\n$/);
	await house.stop();
	await house.start();
	t.is((await house.run("qvm-prefs", "work", "uuid")).stdout, stdout);
});

test("a GUI qube of its own, or two of each other, have a keyboard layout", async (t) => {
	const house = await open(t, { default_guivm: "a" }, qube(1, "StandaloneVM", "a"), qube(2, "StandaloneVM", "b", { guivm: "b" }));
	t.is((await house.run("qvm-prefs", "a", "keyboard_layout")).stdout, "us++\n");
	t.is((await house.run("qvm-prefs", "b", "keyboard_layout", "de++")).status, 0);
	t.is((await house.run("qvm-prefs", "b", "keyboard_layout")).stdout, "de++\n");
});

const DEVICES = '<devices class="block"><device backend-domain="disks" id="sda" mode="required" identity="*"/></devices>';
const VOLUMES = '<volume-config><volume name="private" pool="p" vid="appvms/work/private"/></volume-config>';

test("devices and volumes of a qube that is removed do not come back with its number", async (t) => {
	const disks = qube(1, "StandaloneVM", "disks");
	const house = await open(t, {}, disks, qube(2, "StandaloneVM", "work", {}, DEVICES + VOLUMES));
	t.regex((await house.run("qvm-remove", "-f", "disks")).stderr, /in use|is assigned to work/);
	t.is((await house.run("qvm-remove", "-f", "work")).status, 0);
	t.is((await house.call("admin.vm.Create.StandaloneVM dom0 name dom0\0name=new label=red")).charCodeAt(0), 0x30);
	t.regex(house.store(), /<domain id="domain-2" class="StandaloneVM">/);
	t.notRegex(house.store(), /sda|appvms/);
});

test("a number that is said in two ways is refused, one that is missing is that of the id", async (t) => {
	const house = await open(t, {}, qube(7, "StandaloneVM", "work", {}, DEVICES).replace('<property name="qid">7</property>', ""));
	t.is((await house.run("qvm-prefs", "work", "qid")).stdout, "7\n");
	await house.run("qvm-tags", "work", "add", "x");
	t.regex(house.store(), /id="sda"/);
	await t.throwsAsync(open(t, {}, qube(7, "StandaloneVM", "work", { qid: "8" })), { message: /its qid is 8, its id domain-7/ });
});

for (const name of ["toString", "constructor", "__proto__"]) {
	test(`"${name}" is neither a class nor a property`, async (t) => {
		await t.throwsAsync(open(t, {}, qube(1, name, "work")), { message: /no such VM class/ });
		await t.throwsAsync(open(t, {}, qube(1, "StandaloneVM", "work", { [`${name}`]: "x" })), { message: /there is no property/ });
	});
}
