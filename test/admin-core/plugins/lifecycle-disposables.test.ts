// admin.vm.CreateDisposable, and what becomes of a disposable after its run: spec/admin-core.md 8.7.
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import type { Qube } from "../../../admin-core/model/qubes/qube.ts";
import { openStorage, STORE } from "../storage/storage-desk.ts";

test.serial(
	"a disposable is made of the qube that is called, is tagged and saved, and has the network of that one",
	async (t) => {
		const desk = await openStorage(t);
		await desk.call("dvm", "admin.vm.property.Set+netvm", "");
		await desk.call("dvm", "admin.vm.property.Set+memory", "777");
		await desk.call("dvm", "admin.vm.property.Set+autostart", "True");
		const before = desk.saved;
		const name = await desk.call("work>dvm", "admin.vm.CreateDisposable");
		t.regex(name, /^disp\d{1,4}$/);
		t.is(desk.saved, before + 1);
		const disposable = desk.app.qube(name);
		t.is(disposable.related("template"), desk.app.qube("dvm"));
		t.is(`disp${disposable.get("dispid")}`, name);
		for (const tag of ["created-by-work", "disp-created-by-work"]) t.true(disposable.tags.has(tag));
		t.regex(desk.store(), /disp-created-by-work/);
		t.deepEqual([disposable.get("auto_cleanup"), disposable.get("memory"), disposable.get("autostart")], [true, 777, false]);
		t.deepEqual([disposable.isDefault("netvm"), disposable.get("netvm")], [false, null]);
		t.is(disposable.storage.find("private")?.source, desk.app.qube("dvm").storage.find("private"));
	},
);

test.serial("dom0 stands for what the caller usually takes; the uuid is given to who asks for it", async (t) => {
	const desk = await openStorage(t);
	t.is(await desk.call("work>dom0", "admin.vm.CreateDisposable"), "QubesException: work has no default_dispvm");
	await desk.call("work", "admin.vm.property.Set+default_dispvm", "dvm");
	const uuid = await desk.call("work>dom0", "admin.vm.CreateDisposable", "uuid");
	t.regex(uuid, /^uuid:[0-9a-f-]{36}$/);
	t.is(desk.app.qube(uuid).related("template"), desk.app.qube("dvm"));
});

test.serial("what cannot be is refused by its class, and nothing is made", async (t) => {
	const desk = await openStorage(t);
	const count = desk.app.qubes().length;
	for (const [where, method, payload, reply] of [
		["dvm", "admin.vm.CreateDisposable+x", "", /^ProtocolError/],
		["dvm", "admin.vm.CreateDisposable", "x", /^ProtocolError/],
		["dvm", "admin.vm.CreateDisposable+preload", "", /^QubesNotImplementedError/],
		["work", "admin.vm.CreateDisposable", "", /^QubesException: work is no template for disposables/],
	] as const) {
		t.regex(await desk.call(where, method, payload), reply);
	}
	desk.app.qube("work").addHandler("admin-permission:*", () => {
		throw new AdminError("PermissionDenied", "no");
	});
	for (const destination of ["dvm", "base", "dom0"]) {
		t.is(await desk.call(`work>${destination}`, "admin.vm.CreateDisposable"), "PermissionDenied: no");
	}
	t.is(desk.app.qubes().length, count);
});

for (const end of ["Shutdown", "Kill"]) {
	test.serial(`a disposable is gone after its run, when it ends by ${end}, and the store is saved`, async (t) => {
		const desk = await openStorage(t);
		const name = await desk.call("work>dvm", "admin.vm.CreateDisposable");
		const fired: string[] = [];
		desk.app.qube(name).addHandler("domain-*", (_qube, event) => void fired.push(event));
		t.is(await desk.call(name, "admin.vm.Start"), "");
		t.true(desk.files(name).includes("private-dirty.img"));
		const before = desk.saved;
		t.is(await desk.call(name, `admin.vm.${end}`), "");
		t.is(desk.app.find(name), null);
		t.deepEqual(desk.files(name), []);
		t.is(desk.saved, before + 1);
		t.deepEqual(fired.slice(-3), ["domain-stopped", "domain-shutdown", "domain-remove-from-disk"]);
	});
}

test.serial("a disposable that does not start is gone, and one that is used, or was made to stay, is not", async (t) => {
	const desk = await openStorage(t);
	const name = await desk.call("work>dvm", "admin.vm.CreateDisposable");
	desk.app.qube(name).addHandler("domain-spawn", () => {
		throw new AdminError("QubesMemoryError", "no memory");
	});
	const before = desk.saved;
	t.is(await desk.call(name, "admin.vm.Start"), "QubesMemoryError: no memory");
	t.is(desk.app.find(name), null);
	t.is(desk.saved, before + 1);
	const net = await desk.call("work>dvm", "admin.vm.CreateDisposable");
	await desk.call(net, "admin.vm.property.Set+provides_network", "True");
	await desk.call("work", "admin.vm.property.Set+netvm", net);
	for (const one of [net, "d1"]) {
		t.is(await desk.call(one, "admin.vm.Start"), "");
		t.is(await desk.call(one, "admin.vm.Shutdown"), "");
		t.not(desk.app.find(one), null);
	}
});

test.serial("who calls a disposable while it is being removed is told that there is none", async (t) => {
	const desk = await openStorage(t);
	const name = await desk.call("work>dvm", "admin.vm.CreateDisposable");
	await desk.call(name, "admin.vm.Start");
	const replies = await Promise.all([desk.call(name, "admin.vm.Shutdown"), desk.call(name, "admin.vm.Start")]);
	t.deepEqual(replies, ["", `QubesVMNotFoundError: No such domain: '${name}'`]);
});

test.serial("a disposable that somebody refuses when it is set up is not there", async (t) => {
	const desk = await openStorage(t);
	desk.app.addHandler("domain-add", (_app, _event, { vm }) => {
		(vm as Qube).addHandler("clone-properties", () => {
			throw new AdminError("QubesException", "no");
		});
	});
	const before = desk.app.qubes();
	t.is(await desk.call("work>dvm", "admin.vm.CreateDisposable"), "QubesException: no");
	t.deepEqual(desk.app.qubes(), before);
});

test.serial("of many disposables at once each has a number of its own", async (t) => {
	const desk = await openStorage(t, STORE);
	const names = await Promise.all(Array.from({ length: 50 }, () => desk.call("work>dvm", "admin.vm.CreateDisposable")));
	t.is(new Set(names).size, 50);
	t.is(new Set(names.map((name) => desk.app.qube(name).get("dispid"))).size, 50);
});
