// When a save fails, nothing of what the call has changed stands: issue 3, docs/store.md.
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Volume } from "../../../admin-core/model/storage/contract.ts";
import { openSaving, type SavingDesk } from "./saving-desk.ts";

const REFUSED =
	/^QubesException: not changed, as it cannot be saved: cannot write .*qubes\.xml: there is no such directory: make it$/;

async function refused(
	t: ExecutionContext,
	desk: SavingDesk,
	calls: readonly (readonly [string, string, string?])[],
): Promise<void> {
	const before = desk.inMemory();
	t.deepEqual(desk.inFile(), before);
	desk.hide();
	for (const [destination, method, payload] of calls) {
		t.regex(await desk.call(destination, method, payload), REFUSED, method);
		t.deepEqual(desk.inMemory(), before, method);
	}
	desk.show();
	t.deepEqual(desk.inFile(), before);
}

/** A desk whose file says what is in memory, and without the events before. */
async function openSaved(t: ExecutionContext): Promise<SavingDesk> {
	const desk = await openSaving(t);
	t.is(await desk.call("work", "admin.vm.feature.Set+old", "1"), "");
	t.is(await desk.call("dom0", "admin.label.Create+mine", "0x123456"), "");
	t.is(await desk.call("work", "admin.vm.device.block.Assign+dom0+sda", "mode='auto-attach'"), "");
	desk.events.length = 0;
	return desk;
}

for (const [method, destination, payload, events] of [
	[
		"admin.vm.feature.Set+new",
		"work",
		"1",
		["work domain-feature-set:new feature=new value=1", "work domain-feature-delete:new feature=new"],
	],
	[
		"admin.vm.feature.Set+old",
		"work",
		"2",
		["work domain-feature-set:old feature=old value=2 oldvalue=1", "work domain-feature-set:old feature=old value=1 oldvalue=2"],
	],
	[
		"admin.vm.feature.Remove+old",
		"work",
		"",
		["work domain-feature-delete:old feature=old", "work domain-feature-set:old feature=old value=1"],
	],
	["admin.vm.tag.Set+new", "work", "", ["work domain-tag-add:new tag=new", "work domain-tag-delete:new tag=new"]],
	[
		"admin.vm.tag.Remove+guivm-dom0",
		"work",
		"",
		["work domain-tag-delete:guivm-dom0 tag=guivm-dom0", "work domain-tag-add:guivm-dom0 tag=guivm-dom0"],
	],
	[
		"admin.vm.property.Set+memory",
		"work",
		"500",
		[
			"work property-set:memory name=memory newvalue=500 oldvalue=400",
			"work property-reset:memory name=memory oldvalue=500",
			"work property-del:memory name=memory oldvalue=500",
		],
	],
	[
		"admin.vm.property.Reset+template_for_dispvms",
		"work",
		"",
		[
			"work property-reset:template_for_dispvms name=template_for_dispvms oldvalue=false",
			"work property-del:template_for_dispvms name=template_for_dispvms oldvalue=false",
		],
	],
	["admin.label.Create+other", "dom0", "0x654321", []],
	["admin.label.Remove+mine", "dom0", "", []],
	[
		"admin.vm.device.block.Assign+dom0+sdb",
		"work",
		"mode='required'",
		["work device-assign:block device=dom0:sdb:* options=[object Map]", "work device-unassign:block device=dom0:sdb:*"],
	],
	[
		"admin.vm.device.block.Unassign+dom0+sda",
		"work",
		"",
		["work device-unassign:block device=dom0:sda:*", "work device-assign:block device=dom0:sda:* options=[object Map]"],
	],
	["admin.vm.volume.Set.revisions_to_keep+private", "work", "7", []],
	["admin.vm.volume.Set.rw+root", "work", "False", []],
	["admin.pool.Set.revisions_to_keep+files", "dom0", "9", []],
] as const) {
	test(`${method} that cannot be saved changes nothing, and who listens is told`, async (t) => {
		const desk = await openSaved(t);
		await refused(t, desk, [[destination, method, payload]]);
		t.deepEqual(desk.events, [...events]);
		t.is(await desk.call(destination, method, payload), "", "and works again");
		t.deepEqual(desk.inFile(), desk.inMemory());
	});
}

test("the template of a qube that cannot be saved is the old one, also for its volumes", async (t) => {
	const desk = await openSaved(t);
	t.is(await desk.call("dom0", "admin.vm.Create.TemplateVM", "name=base2 label=red"), "");
	await refused(t, desk, [["work", "admin.vm.property.Set+template", "base2"]]);
	t.is(desk.app.qube("work").storage.find("root")?.source, desk.app.qube("base").storage.find("root"));
	t.is(await desk.call("work", "admin.vm.property.Set+template", "base2"), "");
	t.is(desk.app.qube("work").storage.find("root")?.source, desk.app.qube("base2").storage.find("root"));
	t.deepEqual(desk.inFile(), desk.inMemory());
});

test("what is changed is saved, and taken back where that fails, while the driver of a volume throws", async (t) => {
	const desk = await openSaved(t);
	const before = desk.inFile();
	const volume = desk.app.qube("work").storage.find("private") as Volume;
	const fail = (): never => {
		throw new TypeError("defect of a driver");
	};
	Object.defineProperty(volume, "rw", { get: fail, set: fail });
	await refused(t, desk, [["work", "admin.vm.feature.Set+new", "1"]]);
	t.deepEqual(desk.inFile(), before);
	t.is(await desk.call("work", "admin.vm.feature.Set+new", "1"), "");
	t.deepEqual(desk.inFile(), desk.inMemory());
	await refused(t, desk, [["work", "admin.vm.feature.Remove+new"]]);
});

test("a qube whose creation cannot be saved is not there, nor are its images, and can be created then", async (t) => {
	const desk = await openSaved(t);
	await refused(t, desk, [
		["dom0", "admin.vm.Create.StandaloneVM", "name=new label=red"],
		["dom0", "admin.vm.Create.AppVM+base", "name=new label=red"],
		["dvm", "admin.vm.CreateDisposable"],
	]);
	t.is(desk.app.find("new"), null);
	const images = path.join(desk.folder, "../files/appvms");
	t.deepEqual(fs.readdirSync(images).sort(), ["dvm", "work"]);
	t.deepEqual(
		desk.events.filter((event) => / ?domain-(add|delete)/.test(event) && event.includes("new")),
		["domain-add vm=new", "domain-delete vm=new", "domain-add vm=new", "domain-delete vm=new"],
	);
	t.is(await desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=new label=red"), "");
	t.true(fs.existsSync(path.join(images, "new/private.img")));
	t.deepEqual(desk.inFile(), desk.inMemory());
});

test("a qube whose removal cannot be saved is there with all its images, and can be removed then", async (t) => {
	const desk = await openSaved(t);
	const work = desk.app.qube("work");
	const image = path.join(desk.folder, "../files/appvms/work/private.img");
	await refused(t, desk, [["work", "admin.vm.Remove"]]);
	t.is(desk.app.qube("work"), work);
	t.true(fs.existsSync(image));
	t.deepEqual(desk.events, ["domain-delete vm=work", "domain-add vm=work"]);
	t.is(await desk.call("work", "admin.vm.feature.Set+new", "1"), "");
	t.true(desk.events.includes("work domain-feature-set:new feature=new value=1"), "its events are on");
	t.is(await desk.call("work", "admin.vm.Start"), "");
	t.is(await desk.call("work", "admin.vm.Kill"), "");
	t.is(await desk.call("work", "admin.vm.Remove"), "");
	t.is(desk.app.find("work"), null);
	t.false(fs.existsSync(image));
	t.deepEqual(desk.inFile(), desk.inMemory());
});

test("a pool that cannot be saved is not there, and one whose removal cannot be saved is", async (t) => {
	const desk = await openSaved(t);
	const add = ["dom0", "admin.pool.Add+test-files", `name=more\ndir_path=${desk.folder}-more\n`] as const;
	await refused(t, desk, [add]);
	t.is(await desk.call(...add), "");
	await refused(t, desk, [["dom0", "admin.pool.Remove+more"]]);
	t.is(await desk.call("dom0", "admin.vm.CreateInPool.StandaloneVM", "name=new label=red pool=more"), "");
	t.deepEqual(desk.inFile(), desk.inMemory());
});

test("of calls at the same time all fail whose changes are not in the file, and those after that are not touched", async (t) => {
	const desk = await openSaved(t);
	const set = (n: number) => desk.call("work", `admin.vm.feature.Set+n${n}`, String(n));
	const saved = Array.from({ length: 20 }, (_, n) => set(n));
	t.deepEqual(new Set(await Promise.all(saved)), new Set([""]));
	const before = desk.inMemory();
	desk.hide();
	const lost = await Promise.all(Array.from({ length: 20 }, (_, n) => set(n + 20)));
	for (const reply of lost) t.regex(reply, REFUSED);
	t.deepEqual(desk.inMemory(), before);
	desk.show();
	t.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, (_, n) => set(n + 40)))), new Set([""]));
	t.deepEqual(desk.inFile(), desk.inMemory());
	const names = desk.app
		.qube("work")
		.features.entries()
		.map(([name]) => name);
	t.deepEqual(names, [
		"old",
		...Array.from({ length: 20 }, (_, n) => `n${n}`),
		...Array.from({ length: 20 }, (_, n) => `n${n + 40}`),
	]);
});

test("what many calls change while the file is written is written at once", async (t) => {
	const desk = await openSaved(t);
	const inodes = new Set<number>();
	const look = setInterval(() => inodes.add(fs.statSync(desk.file).ino), 0);
	await Promise.all(Array.from({ length: 200 }, (_, n) => desk.call("work", `admin.vm.feature.Set+n${n}`, "1")));
	clearInterval(look);
	t.true(inodes.size < 20, `${inodes.size} files`);
	t.deepEqual(desk.inFile(), desk.inMemory());
});

test("a call under way fails with the save of another one, and nothing of it is left, not even what it did later", async (t) => {
	const desk = await openSaved(t);
	const before = desk.inMemory();
	let goOn = (): void => undefined;
	const waits = new Promise<void>((resolve) => {
		goOn = resolve;
	});
	const block = desk.app.qube("work").devices?.of("block");
	desk.app.qube("work").addHandler("device-pre-assign:block", () => waits, { async: true });
	const assigning = desk.call("work", "admin.vm.device.block.Assign+dom0+sdb", "mode='required'");
	const creating = desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=new label=red");
	desk.hide();
	t.regex(await desk.call("dvm", "admin.vm.feature.Set+x", "1"), REFUSED);
	t.regex(await creating, /^QubesException: (not changed, as it cannot be saved|new was taken back)/);
	goOn();
	t.regex(await assigning, REFUSED);
	t.is(block?.assigned().length, 1);
	t.deepEqual(desk.inMemory(), before);
	t.false(fs.existsSync(path.join(desk.folder, "../files/appvms/new")));
	desk.show();
	t.is(await desk.call("work", "admin.vm.device.block.Assign+dom0+sdb", "mode='required'"), "");
	t.deepEqual(desk.inFile(), desk.inMemory());
});

test("what handlers change when they are told of it is taken back as well", async (t) => {
	const desk = await openSaved(t);
	const work = desk.app.qube("work");
	let n = 0;
	work.addHandler("domain-feature-set:x", () => work.features.set("counted", String(++n)));
	work.addHandler("domain-feature-delete:x", () => work.tags.add(`seen-${++n}`));
	work.addHandler("domain-feature-delete:x", () => {
		throw new Error("a handler that fails");
	});
	await refused(t, desk, [["work", "admin.vm.feature.Set+x", "1"]]);
	t.true(desk.events.includes("work domain-tag-delete:seen-2 tag=seen-2"));
});

test("handlers that do not come to an end are not told for ever", async (t) => {
	const desk = await openSaved(t);
	const work = desk.app.qube("work");
	let n = 0;
	work.addHandler("domain-tag-*", () => {
		if (work.tags.list().length < 50) work.tags.add(`t${++n}`);
	});
	await refused(t, desk, [["work", "admin.vm.tag.Set+x"]]);
	t.true(n < 300, String(n));
});

test.serial("where the new file is in place but may not last, the change stands and the caller is told so", async (t) => {
	const desk = await openSaved(t);
	const handle = await fs.promises.open(desk.folder);
	const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> };
	await handle.close();
	const sync = prototype.sync;
	let syncs = 0;
	prototype.sync = async function () {
		if (++syncs === 2) throw Object.assign(new Error("EIO"), { code: "EIO" });
		return sync.call(this);
	};
	t.teardown(() => {
		prototype.sync = sync;
	});
	t.regex(
		await desk.call("work", "admin.vm.feature.Set+x", "1"),
		/^QubesException: changed, but it may not last: cannot write .*: the disk failed: see the log of the kernel; the new file is there/,
	);
	t.is(await desk.call("work", "admin.vm.feature.Get+x"), "1");
	t.deepEqual(desk.inFile(), desk.inMemory());
	t.is(await desk.call("work", "admin.vm.feature.Set+y", "1"), "");
	t.deepEqual(desk.inFile(), desk.inMemory());
});
