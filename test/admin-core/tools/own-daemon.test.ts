// Commands with a store of their own: issue 3, item 7. With the built commands and daemon, and not as root.
import { once } from "node:events";
import fs from "node:fs";
import test from "ava";
import { House } from "../e2e/house.ts";
import { Unprivileged } from "./unprivileged.ts";

const EXAMPLE = fs.readFileSync("examples/qubes.xml", "utf8");

test("a command works on a store without a daemon and without root, and leaves nothing but the change", async (t) => {
	const user = new Unprivileged(t);
	const store = user.write("qubes.xml", EXAMPLE);
	const added = await user.run(["qvm-tags", "--store", store, "work", "add", "mine"]);
	t.deepEqual(added, { status: 0, out: "", err: "" });
	t.regex(fs.readFileSync(store, "utf8"), /<tag name="mine"\/>/);
	// By a path that is not absolute, with the option behind.
	t.deepEqual(await user.run(["qvm-tags", "work", "list", "mine", "--store=qubes.xml"]), { status: 0, out: "mine\n", err: "" });
	t.deepEqual(user.leftovers(), []);
});

test("the status and the errors of the command are its own", async (t) => {
	const user = new Unprivileged(t);
	const store = user.write("qubes.xml", EXAMPLE);
	const { status, err } = await user.run(["qvm-prefs", "--store", store, "work", "memory", "-5"]);
	t.is(status, 1);
	t.regex(err, /^qvm-prefs: error: .+\n$/);
	t.is((await user.run(["qvm-prefs", "--store", store, "nosuch", "memory"])).status, 2);
	t.deepEqual(user.leftovers(), []);
});

test("--verbose shows what the daemon says", async (t) => {
	const user = new Unprivileged(t);
	const store = user.write("qubes.xml", EXAMPLE.replace("<properties>", '<properties><property name="nosuch">1</property>'));
	const quiet = await user.run(["qvm-ls", "--store", store, "--raw-list"]);
	const verbose = await user.run(["qvm-ls", "--store", store, "--raw-list", "-v"]);
	t.is(quiet.out, verbose.out);
	t.is(quiet.err, "");
	t.regex(verbose.err, /nosuch/);
});

test("a store that a daemon has already is refused", async (t) => {
	const house = await House.open(t);
	const { status, stderr } = await house.run("qvm-ls", "--store", house.path("qubes.xml"));
	t.is(status, 1);
	t.true(stderr.startsWith(`qvm-ls: error: cannot run qubesd on "${house.path("qubes.xml")}": `));
	t.regex(stderr, /lock|another|already/i);
});

for (const [what, text, shown] of [
	["broken", "<qubes>\n  <labels>\n", /qubes\.xml:\d+:\d+/],
	["not there", null, /qubes\.xml/],
] as const) {
	test(`a store that is ${what} is the error`, async (t) => {
		const user = new Unprivileged(t);
		const store = text === null ? user.path("qubes.xml") : user.write("qubes.xml", text);
		const { status, out, err } = await user.run(["qvm-ls", "--store", store]);
		t.deepEqual([status, out], [1, ""]);
		t.true(err.startsWith(`qvm-ls: error: cannot run qubesd on "${store}": `), err);
		t.regex(err.slice(err.indexOf('": ')), shown);
		t.deepEqual(user.leftovers(), []);
	});
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
	test(`a command that is ended by ${signal} takes its daemon along`, async (t) => {
		const user = new Unprivileged(t);
		const store = user.write("qubes.xml", EXAMPLE);
		const child = user.start(["qvm-remove", "--store", store, "work"]);
		let shown = "";
		while (!shown.includes("Are you sure?")) shown += (await once(child.stdout as NodeJS.ReadableStream, "data"))[0];
		t.is(user.leftovers().length, 1);
		child.kill(signal);
		const [status, by] = await once(child, "close");
		t.deepEqual([status, by, user.leftovers()], [null, signal, []]);
		t.is((await user.run(["qvm-ls", "--store", store, "--raw-list"])).status, 0);
	});
}

test("a command that is killed takes its daemon along too, and the store is free again", async (t) => {
	const user = new Unprivileged(t);
	const store = user.write("qubes.xml", EXAMPLE);
	const child = user.start(["qvm-remove", "--store", store, "work"]);
	let shown = "";
	while (!shown.includes("Are you sure?")) shown += (await once(child.stdout as NodeJS.ReadableStream, "data"))[0];
	child.kill("SIGKILL");
	await once(child, "close");
	const look = () => user.run(["qvm-tags", "--store", store, "work", "list", "mail"]);
	let seen = await look();
	// The daemon learns of it, and saves before it goes.
	while (seen.err.includes("is held by")) seen = await look();
	t.deepEqual(seen, { status: 0, out: "mail\n", err: "" });
});

test("what cannot work asks nothing of the store", async (t) => {
	const user = new Unprivileged(t);
	const store = user.write("qubes.xml", EXAMPLE);
	for (const more of [["--completion"], ["--help"], ["--version"]]) {
		t.is((await user.run(["qvm-ls", "--store", store, ...more])).status, 0);
	}
	t.is((await user.run(["qvm-ls", "--store", store, "--socket", "x"])).status, 2);
	t.is(fs.readFileSync(store, "utf8"), EXAMPLE);
});
