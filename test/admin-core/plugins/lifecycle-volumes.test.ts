// Qubes and their volumes: made together, run together, gone together. spec/admin-core.md 8.7, spec/storage-reflink.md 1.4, 1.8.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { type Hypervisor, NO_HYPERVISOR } from "../../../admin-core/model/hypervisor.ts";
import type { Qube } from "../../../admin-core/model/qubes/qube.ts";
import type { Volume } from "../../../admin-core/model/storage/contract.ts";
import { openStorage, POOLS, STORE, type StorageDesk, volume } from "../storage/storage-desk.ts";

const OTHER =
	'\n    <pool name="other" driver="test-files" revisions_to_keep="1" dir_path="DIR/other" ephemeral_volatile="True"/>';
const TWO_POOLS = STORE.replace(POOLS, POOLS + OTHER);
const GIB = 1024 ** 3;

/** The pools of the volumes of a qube, `root=files private=other …`. */
function poolsOf(desk: StorageDesk, name: string): string {
	const volumes = desk.app.qube(name).storage.volumes();
	return volumes.map((one) => `${one.name}=${one.pool.name}`).join(" ");
}

/** Notes what is fired on a qube that is still to be made. */
function noteEvents(desk: StorageDesk): string[] {
	const fired: string[] = [];
	const note = (_subject: unknown, event: string): void => {
		if (/^domain-(?!pre-delete)/.test(event)) fired.push(event);
	};
	desk.app.addHandler("domain-*", note);
	desk.app.addHandler("domain-add", (_app, _event, { vm }) => (vm as Qube).addHandler("*", note));
	return fired;
}

test.serial("a new qube has its volumes on the disk before it is told that it is created", async (t) => {
	const desk = await openStorage(t);
	const fired = noteEvents(desk);
	let files: string[] = [];
	desk.app.addHandler("domain-add", (_app, _event, { vm }) => {
		(vm as Qube).addHandler("domain-create-on-disk", async () => {
			files = desk.files("new");
		});
	});
	t.is(await desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=new label=red"), "");
	t.deepEqual(files, ["private.img", "root.img"]);
	t.is(fs.statSync(path.join(desk.pool, "appvms/new/private.img")).size, 2 * GIB);
	const own = fired.filter((event) => !/tag-add:(gui|audio)vm/.test(event));
	t.deepEqual(own, ["domain-add", "domain-tag-add:created-by-dom0", "domain-create-on-disk"]);
});

test.serial("a creation whose volumes cannot be made leaves nothing, be it for the disk or for a handler", async (t) => {
	const desk = await openStorage(t);
	const before = desk.app.pools.get("files").volumes().length;
	fs.writeFileSync(path.join(desk.pool, "appvms/new"), "in the way");
	t.regex(await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red").catch(String), /EEXIST|ENOTDIR/);
	t.is(desk.app.find("new"), null);
	fs.rmSync(path.join(desk.pool, "appvms/new"));
	const fail = (_app: unknown, _event: unknown, { vm }: { readonly [name: string]: unknown }): void => {
		(vm as Qube).addHandler("domain-create-on-disk", () => {
			throw new AdminError("QubesException", "no");
		});
	};
	desk.app.addHandler("domain-add", fail);
	t.is(await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red"), "QubesException: no");
	t.is(desk.app.find("new"), null);
	t.deepEqual(desk.files("new"), []);
	t.is(desk.app.pools.get("files").volumes().length, before);
	desk.app.removeHandler("domain-add", fail);
	t.is(await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red"), "");
});

test.serial("a pool for all is one for what is written and kept apart from a template", async (t) => {
	const desk = await openStorage(t, TWO_POOLS);
	const create = (klass: string, payload: string): Promise<string> =>
		desk.call("dom0", `admin.vm.CreateInPool.${klass}`, payload);
	t.is(await create("StandaloneVM", "name=s label=red pool=other"), "");
	t.is(poolsOf(desk, "s"), "root=other private=other volatile=other kernel=kernels");
	t.is(await create("AppVM+base", "name=a label=red pool=other"), "");
	t.is(poolsOf(desk, "a"), "root=files private=other volatile=other kernel=kernels");
	t.is(await create("AppVM+base", "name=b label=red pool:private=other pool:root=files"), "");
	t.is(poolsOf(desk, "b"), "root=files private=other volatile=files kernel=kernels");
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "other/appvms/b")), ["private.img"]);
});

test.serial("pools that do not fit are refused, after who may ask was asked, and nothing is made", async (t) => {
	const desk = await openStorage(t, TWO_POOLS);
	for (const [method, payload, reply] of [
		["CreateInPool.AppVM+base", "name=new label=red pool=none", "QubesException: Unknown storage pool none"],
		["CreateInPool.AppVM+base", "name=new label=red pool:root=other", /^StoragePoolException: volume root: want pool files/],
		["CreateInPool.AppVM+base", "name=new label=red pool=other pool:root=other", /^ProtocolError.*not both/],
		["CreateInPool.AppVM+base", "name=new label=red pool=other pool=files", "ProtocolError: duplicated argument: pool"],
		["CreateInPool.AppVM+base", "name=new label=red pool:extra=other", /^ProtocolError/],
		["CreateInPool.AppVM+base", "name=new label=red pool:private=kernels", /^StoragePoolException: volume private: pool kernels/],
		["Create.AppVM+base", "name=new label=red pool=other", /^ProtocolError/],
		["CreateInPool.AdminVM", "name=new label=red", /no such method/],
	] as const) {
		const given = await desk.call("dom0", `admin.vm.${method}`, payload);
		if (typeof reply === "string") t.is(given, reply);
		else t.regex(given, reply);
	}
	t.is(desk.app.find("new"), null);
	desk.app.qube("work").addHandler("admin-permission:*", () => {
		throw new AdminError("PermissionDenied", "no");
	});
	const denied = await desk.call("work>dom0", "admin.vm.CreateInPool.AppVM+base", "name=new label=red pool=none");
	t.is(denied, "PermissionDenied: no");
});

test.serial("a disposable is as the qube that it is made of, and further volumes of a template come with it", async (t) => {
	const extra = `${volume("extra", "vm-templates/base/extra", { pool: "other", save_on_stop: "True", size: "4096" })}\n`;
	const store = TWO_POOLS.replace("      </volume-config>", `  ${extra}      </volume-config>`)
		.replace('pool="files" vid="appvms/dvm/volatile"', 'pool="other" vid="appvms/dvm/volatile"')
		.replace(/(vid="appvms\/dvm\/private".*)rw="True"/, '$1rw="False"');
	const desk = await openStorage(t, store);
	t.is(await desk.call("dom0", "admin.vm.Create.DispVM+dvm", "name=disp label=red"), "");
	t.is(poolsOf(desk, "disp"), "root=files private=files volatile=other kernel=kernels");
	const { storage } = desk.app.qube("disp");
	t.like(storage.find("root"), { snapOnStart: true, rw: true });
	t.is(storage.find("root")?.source, desk.app.qube("base").storage.find("root"));
	t.like(storage.find("private"), { snapOnStart: true, rw: false });
	t.is(await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red"), "");
	const vid = desk.app.qube("new").storage.find("extra")?.vid;
	t.is(vid, "appvms/new/extra");
	t.is(poolsOf(desk, "new"), "root=files private=files volatile=files kernel=kernels extra=other");
});

test.serial("a qube that is removed leaves nothing on the disk, and its name is taken until then", async (t) => {
	const desk = await openStorage(t);
	const work = desk.app.qube("work");
	let replies: string[] = [];
	work.addHandler("domain-remove-from-disk", async () => {
		t.is(desk.app.find("work"), null);
		replies = [await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=work label=red")];
		await sleep(1);
	});
	t.is(await desk.call("work", "admin.vm.Remove"), "");
	t.deepEqual(replies, ["QubesVMAlreadyExistsError: qube work is still being removed"]);
	t.deepEqual(desk.files("work"), []);
	t.notRegex(desk.store(), /appvms\/work/);
	t.is(await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=work label=red"), "");
	t.deepEqual(desk.files("work"), ["private.img"]);
});

test.serial("what cannot be removed from the disk does not keep a qube, and a veto does not take its name", async (t) => {
	const desk = await openStorage(t);
	fs.mkdirSync(path.join(desk.pool, "appvms/work/private-import.img/x"), { recursive: true });
	const veto = (): void => {
		throw new AdminError("QubesVMInUseError", "no");
	};
	desk.app.addHandler("domain-pre-delete", veto);
	t.is(await desk.call("work", "admin.vm.Remove"), "QubesVMInUseError: no");
	desk.app.removeHandler("domain-pre-delete", veto);
	t.is(await desk.call("work", "admin.vm.Remove"), "");
	t.is(desk.app.find("work"), null);
	const reply = await desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=work label=red").catch(String);
	t.regex(reply, /EISDIR/, "the name is free, only its place on the disk is not");
});

test.serial("a start needs the volumes, and starts them before there is a qube to see them", async (t) => {
	const desk = await openStorage(t);
	const work = desk.app.qube("work");
	const files: { [event: string]: string[] } = {};
	for (const event of ["domain-pre-start", "domain-pre-spawn", "domain-stopped"]) {
		work.addHandler(event, () => {
			files[event] = desk.files("work");
		});
	}
	t.is(await desk.call("work", "admin.vm.Start"), "");
	t.is(await desk.call("work", "admin.vm.Kill"), "");
	const started = ["private-dirty.img", "private.img", "root-dirty.img", "volatile-dirty.img"];
	t.deepEqual(files, {
		"domain-pre-start": ["private.img"],
		"domain-pre-spawn": started,
		"domain-stopped": ["private.img", "private.img.1"],
	});
	fs.rmSync(path.join(desk.pool, "vm-templates/base/root.img"));
	t.regex(await desk.call("work", "admin.vm.Start"), /^StoragePoolException: missing .*base\/root\.img$/);
	t.is(work.powerState, "Halted");
});

for (const [event, told] of [
	["domain-pre-start", []],
	["domain-pre-spawn", []],
	["domain-spawn", ["domain-stopped", "domain-shutdown"]],
	["domain-start", ["domain-stopped", "domain-shutdown"]],
] as const) {
	test.serial(`a start that fails at ${event} leaves the qube halted and its volumes stopped, and says why`, async (t) => {
		const desk = await openStorage(t);
		const work = desk.app.qube("work");
		const fired: string[] = [];
		work.addHandler(event, () => {
			throw new AdminError("QubesVMError", "not today");
		});
		for (const name of ["domain-stopped", "domain-shutdown", "domain-start-failed"]) {
			work.addHandler(name, (_qube, _event, { reason }) => {
				fired.push(reason === undefined ? name : `${name} ${reason}`);
				throw new RangeError("a handler that fails");
			});
		}
		t.is(await desk.call("work", "admin.vm.Start"), "QubesVMError: not today");
		t.is(work.powerState, "Halted");
		t.deepEqual(fired, [...told, "domain-start-failed not today"]);
		t.false(desk.files("work").some((name) => name.includes("dirty")));
	});
}

for (const [where, ended] of [
	["domain-pre-spawn", "undo"],
	["hypervisor", "undo"],
	["domain-spawn", "stop"],
	["domain-start", "stop"],
] as const) {
	test.serial(
		`a start that fails at ${where}: ${ended === "undo" ? "that of its volumes is taken back" : "they are stopped"}`,
		async (t) => {
			const fail = (): never => {
				throw new AdminError("QubesVMError", "not today");
			};
			const hypervisor: Hypervisor = { ...NO_HYPERVISOR, start: async () => (where === "hypervisor" ? fail() : undefined) };
			const desk = await openStorage(t, STORE, { hypervisor });
			const work = desk.app.qube("work");
			if (where !== "hypervisor") work.addHandler(where, fail);
			const volume = work.storage.find("private") as Volume;
			const done: string[] = [];
			const note = (what: string) => async (): Promise<void> => void done.push(what);
			Object.assign(volume, { stop: note("stop"), undoStart: note("undo") });
			t.is(await desk.call("work", "admin.vm.Start"), "QubesVMError: not today");
			t.deepEqual(done, [ended]);
			t.is(work.powerState, "Halted");
		},
	);
}

test.serial("a shutdown that somebody prevents is told, and the qube runs on", async (t) => {
	const desk = await openStorage(t);
	const work = desk.app.qube("work");
	const reasons: unknown[] = [];
	await desk.call("work", "admin.vm.Start");
	work.addHandler("domain-pre-shutdown", () => {
		throw new AdminError("QubesVMError", "in the middle of something");
	});
	work.addHandler("domain-shutdown-failed", (_qube, _event, { reason }) => {
		reasons.push(reason);
		throw new RangeError("a handler that fails");
	});
	t.is(await desk.call("work", "admin.vm.Shutdown"), "QubesVMError: in the middle of something");
	t.deepEqual(reasons, ["in the middle of something"]);
	t.is(work.powerState, "Running");
	t.true(desk.files("work").includes("root-dirty.img"));
});

test.serial("a qube whose volumes cannot be stopped is halted nevertheless", async (t) => {
	const desk = await openStorage(t);
	await desk.call("work", "admin.vm.Start");
	fs.rmSync(path.join(desk.pool, "appvms/work/volatile-dirty.img"));
	fs.mkdirSync(path.join(desk.pool, "appvms/work/volatile-dirty.img/x"), { recursive: true });
	t.is(await desk.call("work", "admin.vm.Shutdown"), "");
	t.is(desk.app.qube("work").powerState, "Halted");
	t.false(desk.files("work").includes("private-dirty.img"));
});

test.serial("qubes are suspended and resumed, and have no console without a hypervisor", async (t) => {
	const desk = await openStorage(t);
	const states: string[] = [];
	const work = desk.app.qube("work");
	for (const event of ["domain-paused", "domain-resumed"])
		work.addHandler(event, () => void states.push(`${event} ${work.powerState}`));
	for (const [method, reply] of [
		["Suspend", "QubesVMNotRunningError: work is not running"],
		["Console", "QubesVMNotRunningError: work is not running"],
		["Start", ""],
		["Console", "QubesNotImplementedError: work has no console: it is run without a hypervisor"],
		["Resume", "QubesVMNotSuspendedError: work is not suspended"],
		["Suspend", ""],
		["Pause", "QubesVMNotRunningError: work is not running"],
		["Resume", ""],
		["Suspend", ""],
		["Kill", ""],
	] as const) {
		t.is(await desk.call("work", `admin.vm.${method}`), reply, method);
	}
	t.deepEqual(states, ["domain-paused Suspended", "domain-resumed Running", "domain-paused Suspended"]);
	t.regex(await desk.call("dom0", "admin.vm.Suspend"), /^QubesVMError/);
});
