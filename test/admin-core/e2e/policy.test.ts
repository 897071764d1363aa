// The built qubesd asks the built qrexec-policy-exec what other qubes than dom0 may see: spec/admin-core.md 7.6.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { House } from "./house.ts";

/** A house with a policy, which is a line for each rule. */
async function open(t: ExecutionContext, rules: readonly string[], ...options: readonly string[]): Promise<House> {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "policy-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	fs.writeFileSync(path.join(dir, "10-test.policy"), rules.join("\n"));
	return House.open(t, { options: ["--policy-dir", dir, ...options] });
}

async function listFor(house: House, source: string): Promise<string[]> {
	const reply = await house.call(`admin.vm.List ${source} name dom0\0`);
	return reply
		.slice(2)
		.split("\n")
		.slice(0, -1)
		.map((line) => line.split(" ")[0] as string);
}

test("a qube sees the qubes that the policy lets it ask for, and a new tag counts at once", async (t) => {
	const house = await open(t, [
		"admin.vm.List * work @adminvm allow",
		"admin.vm.List * work @tag:mail allow target=dom0",
		"admin.vm.List * work vault ask default_target=dom0",
	]);
	t.deepEqual(await listFor(house, "work"), ["dom0", "work"]);
	t.deepEqual(await listFor(house, "vault"), []);
	t.is((await house.run("qvm-tags", "sys-net", "add", "mail")).status, 0);
	t.deepEqual(await listFor(house, "work"), ["dom0", "sys-net", "work"]);
	t.is((await listFor(house, "dom0")).length, 6);
});

test("a qube hears the events that the policy lets it ask for", async (t) => {
	const house = await open(t, [
		"admin.Events +domain-feature-set_evf work work allow target=dom0",
		"admin.Events +domain-tag-add_new work vault allow target=dom0",
		"admin.Events +domain-add work @tag:created-by-dom0 allow target=dom0",
		"admin.Events +domain-delete work @tag:created-by-dom0 allow target=dom0",
	]);
	const listener = await house.listen("admin.Events work name dom0\0");
	for (const [command, ...args] of [
		["qvm-features", "vault", "evf", "1"],
		["qvm-features", "work", "evf", "1"],
		["qvm-tags", "work", "add", "new"],
		["qvm-tags", "vault", "add", "new"],
	] as const) {
		t.is((await house.run(command, ...args)).stderr, "");
	}
	t.is(await house.call("admin.vm.Create.RemoteVM dom0 name dom0\0name=mail label=red"), "0\0");
	t.is(await house.call("admin.vm.Remove dom0 name mail\0"), "0\0");
	await listener.until(/domain-delete\0vm\0mail\0\0/);
	listener.close();
	const events = [
		["", "connection-established"],
		["work", "domain-feature-set:evf", "feature", "evf", "value", "1"],
		["vault", "domain-tag-add:new", "tag", "new"],
		["", "domain-delete", "vm", "mail"],
	];
	t.is(listener.received(), events.map((fields) => `1\0${fields.map((field) => `${field}\0`).join("")}\0`).join(""));
});

test("without the program other qubes see nothing, which is logged once, and dom0 is served", async (t) => {
	const house = await open(t, ["* * * * allow target=dom0"], "--policy-program", "/nonexistent/program");
	t.deepEqual(await listFor(house, "work"), []);
	t.deepEqual(await listFor(house, "vault"), []);
	t.is((await listFor(house, "dom0")).length, 6);
	t.is(house.logged.match(/\/nonexistent\/program cannot say/g)?.length, 1, house.logged);
});
