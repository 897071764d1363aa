// Streams of events in the built qubesd: spec/admin-core.md 7.5.
import test from "ava";
import { House } from "./house.ts";

test("the stream of one qube ends when that qube is removed, that of all goes on", async (t) => {
	const house = await House.open(t);
	const one = await house.listen("admin.Events+ dom0 name work\0");
	const all = await house.listen("admin.Events+ dom0 name dom0\0");
	t.is((await house.run("qvm-features", "work", "x", "1")).status, 0);
	t.is((await house.run("qvm-remove", "-f", "work")).status, 0);
	await one.ended;
	t.true(one.received().endsWith("1\0work\0domain-feature-set:x\0feature\0x\0value\x001\0\0"));
	t.is((await house.run("qvm-features", "sys-net", "x", "1")).status, 0);
	await all.until(/1\0sys-net\0domain-feature-set:x/);
	t.true(all.received().includes("1\0\0domain-delete\0vm\0work\0\0"));
	all.close();
});

for (const [options, names] of [
	[[], ["property-pre-reset", "property-pre-del", "property-reset", "property-del"]],
	[["--no-deprecated-events"], ["property-pre-reset", "property-reset"]],
] as const) {
	test(`a reset is told as ${names.join(", ")} with the options [${options}]`, async (t) => {
		const house = await House.open(t, { options });
		const listener = await house.listen("admin.Events+ dom0 name work\0");
		t.is((await house.run("qvm-prefs", "-D", "work", "memory")).status, 0);
		t.is((await house.run("qvm-tags", "work", "add", "end")).status, 0);
		await listener.until(/domain-tag-add:end/);
		listener.close();
		const told = [...listener.received().matchAll(/property-[a-z-]+(?=:memory)/g)].map(([name]) => name);
		t.deepEqual(told, [...names]);
	});
}
