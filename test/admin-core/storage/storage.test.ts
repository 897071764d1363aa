// What is done with all volumes of a qube: spec/storage-reflink.md 1.6, 1.8.
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { importVolume, resize, setEphemeral, setRevisionsToKeep, setRw } from "../../../admin-core/model/storage/changes.ts";
import type { Volume } from "../../../admin-core/model/storage/contract.ts";
import { isEphemeral, mapperName, type VolumeEncryption } from "../../../admin-core/model/storage/ephemeral.ts";
import { planVolumes } from "../../../admin-core/model/storage/plan.ts";
import { openStorage, STORE, type StorageDesk } from "./storage-desk.ts";

function volumeOf(desk: StorageDesk, qube: string, name: string): Volume {
	return desk.app.qube(qube).storage.find(name) as Volume;
}

function markers(desk: StorageDesk): string[] {
	return fs.existsSync(path.join(desk.dir, "run")) ? fs.readdirSync(path.join(desk.dir, "run")).sort() : [];
}

/** Makes the image that a volume would start as something that cannot be written. */
function block(desk: StorageDesk, file: string): void {
	fs.mkdirSync(path.join(desk.pool, file), { recursive: true });
}

test.serial("a start makes what the qube gets and marks it as running, a stop keeps what is to be kept", async (t) => {
	const desk = await openStorage(t);
	const { storage } = desk.app.qube("work");
	await storage.verify();
	await storage.start();
	t.deepEqual(desk.files("work"), ["private-dirty.img", "private.img", "root-dirty.img", "volatile-dirty.img"]);
	t.deepEqual(markers(desk), [
		"volume-running-files:appvms-work-private",
		"volume-running-files:appvms-work-root",
		"volume-running-files:appvms-work-volatile",
		"volume-running-kernels:6.1",
	]);
	desk.write("appvms/work/private-dirty.img", "A");
	await storage.stop();
	t.deepEqual(desk.files("work"), ["private.img", "private.img.1"]);
	t.is(desk.read("appvms/work/private.img"), "A");
	t.deepEqual(markers(desk), []);
	await storage.stop();
	t.deepEqual(desk.files("work"), ["private.img", "private.img.1"]);
});

test.serial("a kernel is marked as running until the last qube has stopped that runs with it", async (t) => {
	const desk = await openStorage(t);
	for (const name of ["work", "dvm"]) await desk.call(name, "admin.vm.Start");
	await desk.call("dvm", "admin.vm.Kill");
	t.true(markers(desk).includes("volume-running-kernels:6.1"));
	await desk.call("work", "admin.vm.Kill");
	t.deepEqual(markers(desk), []);
});

test.serial("a kernel with an impossible name in the store is as one that is not there", async (t) => {
	const desk = await openStorage(t, STORE.replace(">6.1</property>", `>${"k".repeat(300)}</property>`));
	t.regex(await desk.call("work", "admin.vm.volume.Info+kernel"), /^size=0$/m);
	t.regex(await desk.call("work", "admin.vm.Start"), /^StoragePoolException: volume kernel: kernel 'k+' is not installed/);
});

test.serial("the name of a marker tells pool and volume apart, whatever they are called", async (t) => {
	const desk = await openStorage(t, STORE.replaceAll("appvms/work/", "appvms/my-work/"));
	await desk.app.qube("work").storage.start();
	t.true(markers(desk).includes("volume-running-files:appvms-my--work-private"));
});

test.serial(
	"when a volume cannot be started, all others are waited for and stopped, and the first failure in their order is told",
	async (t) => {
		const desk = await openStorage(t);
		const { storage } = desk.app.qube("work");
		block(desk, "appvms/work/root-dirty.img");
		block(desk, "appvms/work/volatile-dirty.img");
		const error = (await t.throwsAsync(storage.start())) as AdminError;
		t.is(error.kind, "StoragePoolException");
		t.regex(error.message, /root-dirty/);
		t.is((error.cause as AggregateError).errors.length, 1);
		t.deepEqual(desk.files("work"), ["private.img", "private.img.1", "root-dirty.img", "volatile-dirty.img"]);
		t.deepEqual(markers(desk), []);
	},
);

test.serial(
	"the start of a volume that can take it back is taken back when another one fails, behind its encryption; others are stopped",
	async (t) => {
		const done: string[] = [];
		const encryption: VolumeEncryption = {
			open: async () => {
				throw new AdminError("StoragePoolException", "no device mapper");
			},
			close: async (name) => void done.push(`close ${name.split("@")[1]}`),
		};
		const desk = await openStorage(t, STORE, { encryption });
		const { storage } = desk.app.qube("work");
		setEphemeral(volumeOf(desk, "work", "volatile"), true);
		for (const name of ["root", "private", "volatile"]) {
			const volume = volumeOf(desk, "work", name);
			const note = (what: string, end: () => Promise<void>) => async (): Promise<void> => {
				done.push(`${what} ${name}`);
				return end();
			};
			const stop = volume.stop.bind(volume);
			Object.assign(volume, { stop: note("stop", stop), ...(name === "private" && { undoStart: note("undo", stop) }) });
		}
		await t.throwsAsync(storage.start(), { message: "no device mapper" });
		const [ended, closed] = [done.filter((one) => !one.startsWith("close")), done.filter((one) => one.startsWith("close"))];
		t.deepEqual(ended.sort(), ["stop root", "stop volatile", "undo private"]);
		t.deepEqual(closed.sort(), ["close kernel", "close private", "close root", "close volatile", "close volatile"]);
		for (const end of ["stop root", "undo private"]) {
			t.true(done.indexOf(end) > done.indexOf(`close ${end.split(" ")[1]}`), end);
		}
		t.deepEqual(markers(desk), []);
	},
);

test.serial("when the markers cannot be written, what was started is stopped", async (t) => {
	const desk = await openStorage(t);
	fs.writeFileSync(path.join(desk.dir, "run"), "in the way");
	await t.throwsAsync(desk.app.qube("work").storage.start(), { message: /cannot mark volume/ });
	t.false(desk.files("work").some((name) => name.includes("dirty")));
});

test.serial("a volume that does stop is no longer marked as running, even if another one cannot be stopped", async (t) => {
	const desk = await openStorage(t);
	const { storage } = desk.app.qube("work");
	await storage.start();
	fs.rmSync(path.join(desk.pool, "appvms/work/volatile-dirty.img"));
	block(desk, "appvms/work/volatile-dirty.img/x");
	await t.throwsAsync(storage.stop());
	t.deepEqual(markers(desk), ["volume-running-files:appvms-work-volatile"]);
	t.false(desk.files("work").includes("private-dirty.img"));
});

test.serial("a handler of domain-verify-files may complain", async (t) => {
	const desk = await openStorage(t);
	desk.app.qube("work").addHandler("domain-verify-files", () => {
		throw new AdminError("QubesException", "a file is missing");
	});
	await t.throwsAsync(desk.app.qube("work").storage.verify(), { message: "a file is missing" });
});

test.serial("of a creation that fails nothing is left, neither on the disk nor in the pool", async (t) => {
	const desk = await openStorage(t);
	const { app, pool } = desk;
	const plans = planVolumes(app, "StandaloneVM", null);
	fs.writeFileSync(path.join(pool, "appvms/new"), "in the way");
	const before = app.pools.get("files").volumes().length;
	const fresh = app.create("StandaloneVM", [
		["name", "new"],
		["label", "red"],
	]);
	await t.throwsAsync(fresh.storage.create(plans));
	t.is(app.pools.get("files").volumes().length, before);
	fs.rmSync(path.join(pool, "appvms/new"));
	await fresh.storage.create(plans);
	t.deepEqual(desk.files("new"), ["private.img", "root.img"]);
	await fresh.storage.remove();
	t.deepEqual(desk.files("new"), []);
});

test.serial("a clone takes over what is kept; when it fails nothing is left of it", async (t) => {
	const desk = await openStorage(t);
	const { app } = desk;
	desk.write("appvms/work/private.img", "W");
	const fired: unknown[] = [];
	const make = (name: string) =>
		app.create("AppVM", [
			["name", name],
			["label", "red"],
			["template", app.qube("base")],
		]);
	const copy = make("copy");
	copy.addHandler("domain-clone-files", (_qube, _event, args) => void fired.push(args));
	const plans = () => planVolumes(app, "AppVM", app.qube("base"));
	await copy.storage.cloneFrom(app.qube("work"), plans());
	t.is(desk.read("appvms/copy/private.img"), "W");
	t.deepEqual(fired, [{ src: app.qube("work") }]);
	fs.rmSync(path.join(desk.pool, "appvms/work/private.img"));
	await t.throwsAsync(make("failed").storage.cloneFrom(app.qube("work"), plans()), { message: /private\.img/ });
	t.deepEqual(desk.files("failed"), []);
	t.throws(() => app.pools.get("files").getVolume("appvms/failed/private"));
});

test.serial("what is in use and has no snapshots can be no source, neither of a start nor of a clone", async (t) => {
	const desk = await openStorage(t);
	const { app } = desk;
	setRevisionsToKeep(app.qube("base"), volumeOf(desk, "base", "root"), -1);
	await app.qube("base").storage.start();
	const error = (await t.throwsAsync(app.qube("work").storage.start())) as AdminError;
	t.is(error.kind, "QubesVMError");
	t.deepEqual(desk.files("work"), ["private.img"], "nothing was touched");
	const standalone = app.create("StandaloneVM", [
		["name", "s"],
		["label", "red"],
	]);
	await standalone.storage.create(planVolumes(app, "StandaloneVM", null));
	const clone = importVolume(standalone, volumeOf(desk, "s", "root"), volumeOf(desk, "base", "root"));
	t.is(((await t.throwsAsync(clone)) as AdminError).kind, "StoragePoolException");
	await app.qube("base").storage.stop();
	await app.qube("work").storage.start();
	t.pass();
});

test.serial("an AppVM with a volume without snapshots does not start while a disposable of it runs", async (t) => {
	const desk = await openStorage(t);
	const { app } = desk;
	setRevisionsToKeep(app.qube("dvm"), volumeOf(desk, "dvm", "private"), -1);
	app.qube("d1").powerState = "Running";
	const error = (await t.throwsAsync(app.qube("dvm").storage.start())) as AdminError;
	t.is(error.kind, "QubesVMNotHaltedError");
	app.qube("d1").powerState = "Halted";
	await app.qube("dvm").storage.start();
	t.pass();
});

test.serial("snapshots are switched on and off only where nobody uses the volume", async (t) => {
	const desk = await openStorage(t);
	const { app } = desk;
	const [dvm, priv] = [app.qube("dvm"), volumeOf(desk, "dvm", "private")];
	const kindOf = (value: number): string => (t.throws(() => setRevisionsToKeep(dvm, priv, value)) as AdminError).kind;
	t.is(kindOf(-2), "QubesValueError");
	dvm.powerState = "Running";
	t.is(kindOf(-1), "QubesVMNotHaltedError");
	setRevisionsToKeep(dvm, priv, 7);
	dvm.powerState = "Halted";
	app.qube("d1").powerState = "Paused";
	t.is(kindOf(-1), "QubesVMNotHaltedError");
	app.qube("d1").powerState = "Halted";
	await dvm.storage.start();
	t.is(kindOf(-1), "StoragePoolException", "not cleanly stopped");
	t.is(priv.revisionsToKeep, 7);
	await dvm.storage.stop();
	setRevisionsToKeep(dvm, priv, -1);
	t.is(priv.revisionsToKeep, -1);
});

test.serial("a volume is replaced only while nobody uses it, and it is told", async (t) => {
	const desk = await openStorage(t);
	const [work, dvm] = [desk.app.qube("work"), desk.app.qube("dvm")];
	const [target, source] = [volumeOf(desk, "work", "private"), volumeOf(desk, "dvm", "private")];
	const kindOf = async (): Promise<string> => ((await t.throwsAsync(importVolume(work, target, source))) as AdminError).kind;
	work.powerState = "Running";
	t.is(await kindOf(), "QubesVMNotHaltedError");
	work.powerState = "Halted";
	await work.storage.start();
	t.is(await kindOf(), "StoragePoolException");
	await work.storage.stop();
	const fired: unknown[] = [];
	work.addHandler("domain-import-volume", (_qube, _event, args) => void fired.push(args));
	await importVolume(work, target, source);
	t.deepEqual(fired, [{ name: "private", source }]);
	t.is(`${source}`, "appvms/dvm/private");
	t.is(dvm.powerState, "Halted");
});

test.serial("a running qube is told of a new size; when it cannot be, the size is new nevertheless", async (t) => {
	const calls: unknown[] = [];
	let isFailing = false;
	const callService = async (...call: readonly unknown[]): Promise<void> => {
		calls.push(call);
		if (isFailing) throw new AdminError("QubesException", "no such file system");
	};
	const desk = await openStorage(t, STORE, { programs: { callService, readQubesDb: async () => new Map() } });
	const [work, priv] = [desk.app.qube("work"), volumeOf(desk, "work", "private")];
	await resize(work, priv, 2097152);
	t.deepEqual(calls, []);
	await desk.call("work", "admin.vm.Start");
	await resize(work, priv, 3145728);
	t.deepEqual(calls, [["work", "qubes.ResizeDisk", "private"]]);
	isFailing = true;
	await t.throwsAsync(resize(work, priv, 4194304), { message: /must be resized by hand: no such file system/ });
	t.is(priv.size, 4194304);
});

test.serial("only a running qube has outdated volumes", async (t) => {
	const desk = await openStorage(t);
	await desk.call("base", "admin.vm.Start");
	await desk.call("work", "admin.vm.Start");
	const { storage } = desk.app.qube("work");
	t.deepEqual(storage.outdated(), []);
	await desk.call("base", "admin.vm.Shutdown");
	t.deepEqual(storage.outdated(), [volumeOf(desk, "work", "root")]);
	t.true((await desk.call("work", "admin.vm.volume.Info+root")).endsWith("is_outdated=True\n"));
	await desk.call("work", "admin.vm.Shutdown");
	t.deepEqual(storage.outdated(), []);
});

test.serial("only what is written and thrown away can be encrypted with a key that is thrown away", async (t) => {
	const desk = await openStorage(t);
	const work = desk.app.qube("work");
	const volatile = volumeOf(desk, "work", "volatile");
	for (const name of ["root", "private", "kernel"]) {
		t.is((t.throws(() => setEphemeral(volumeOf(desk, "work", name), true)) as AdminError).kind, "QubesValueError");
	}
	setEphemeral(volumeOf(desk, "work", "private"), false);
	t.false(isEphemeral(volatile));
	desk.app.pools.get("files").ephemeralVolatile = true;
	t.deepEqual(
		work.storage.volumes().map((volume) => isEphemeral(volume)),
		[false, false, true, false],
	);
	setEphemeral(volatile, false);
	t.false(isEphemeral(volatile));
	setEphemeral(volatile, true);
	t.is((t.throws(() => setRw(work, volatile, false)) as AdminError).kind, "QubesValueError");
});

test.serial("an encrypted view is there from start to stop, and closed however the volume is set by then", async (t) => {
	const done: string[] = [];
	let isFailing = false;
	const encryption: VolumeEncryption = {
		open: async (image, name) => {
			done.push(`open ${path.basename(image)} ${name}`);
			if (isFailing) throw new AdminError("StoragePoolException", "no device mapper");
		},
		close: async (name) => void done.push(`close ${name}`),
	};
	const desk = await openStorage(t, STORE, { encryption });
	const { storage } = desk.app.qube("work");
	const volatile = volumeOf(desk, "work", "volatile");
	const name = "vm-volatile-work-crypt@volatile";
	setEphemeral(volatile, true);
	await storage.start();
	t.deepEqual(done.splice(0), [`close ${name}`, `open volatile-dirty.img ${name}`]);
	setEphemeral(volatile, false);
	await storage.stop();
	t.true(done.splice(0).includes(`close ${name}`));
	setEphemeral(volatile, true);
	isFailing = true;
	await t.throwsAsync(storage.start(), { message: "no device mapper" });
	t.false(desk.files("work").some((file) => file.includes("dirty")));
	t.is(mapperName("my_app-vm", "volatile"), "vm-volatile-my_uapp_dvm-crypt@volatile");
});

test.serial("without somebody who encrypts, a volume that has to be does not start", async (t) => {
	const desk = await openStorage(t);
	setEphemeral(volumeOf(desk, "work", "volatile"), true);
	t.regex(await desk.call("work", "admin.vm.Start"), /^StoragePoolException: there is nothing here that could encrypt/);
	t.deepEqual(markers(desk), []);
});
