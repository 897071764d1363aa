// Scenarios 29 to 36 of spec section 11: volumes that begin each run as the committed state of another.
import fs from "node:fs";
import path from "node:path";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { failure, lookBeforeEachCall } from "./before-each-call.ts";
import { call } from "./file-systems.ts";
import { MIB, read, write } from "./images.ts";
import { ALL, mountedOnce, onFileSystem, Scene, scenario, TEMPLATE } from "./scene.ts";

scenario(
	"29 a start links the source's image and clones it once (6515cae2); a stop leaves nothing but the directory",
	ALL,
	async (t, scene) => {
		const [source, volume] = await makeBoth(scene);
		const before = scene.snapshotOfTree().filter((line) => line.startsWith("vm-templates"));
		const clones = scene.lines(/: (reflinked|copying) /).length;
		await volume.start();
		t.is(scene.lines(/: (reflinked|copying) /).length, clones + 1);
		t.is(fs.statSync(scene.file(volume)).ino, fs.statSync(scene.file(source)).ino);
		t.deepEqual([read(scene.file(volume)), read(volume.path)], ["A", "A"]);
		t.not(fs.statSync(volume.path).ino, fs.statSync(scene.file(volume)).ino);
		t.deepEqual([volume.isDirty(), volume.isOutdated(), volume.size], [false, false, MIB]);
		await volume.stop();
		t.deepEqual(scene.names("appvms/work"), []);
		t.deepEqual(
			scene.snapshotOfTree().filter((line) => line.startsWith("vm-templates")),
			before,
		);
	},
);

scenario(
	"30 a run keeps the state of its start, whatever the source does, and knows that it is outdated",
	ALL,
	async (t, scene) => {
		const [source, volume] = await makeBoth(scene);
		await source.start();
		write(source.path, "B");
		await volume.start();
		t.deepEqual([read(volume.path), volume.isOutdated()], ["A", false]);
		await source.stop();
		await scene.pool.settled();
		t.deepEqual([read(volume.path), read(scene.file(volume)), volume.isOutdated()], ["A", "A", true]);
		await volume.stop();
		await volume.start();
		t.deepEqual([read(volume.path), volume.isOutdated()], ["B", false]);
	},
);

scenario("31 it is outdated after each change of the source (e42b1688), and not while that only runs", ALL, async (t, scene) => {
	const [source, volume] = await makeBoth(scene);
	t.false(volume.isOutdated(), "halted");
	const changes: [string, () => Promise<unknown>][] = [
		["revert", (): Promise<void> => source.revert("1")],
		["resize", (): Promise<void> => source.resize(2 * MIB)],
		["import", (): Promise<void> => importInto(source)],
	];
	for (const [name, change] of changes) {
		await volume.start();
		await source.start();
		t.false(volume.isOutdated(), "the source runs");
		await source.stop();
		await volume.stop();
		await volume.start();
		t.false(volume.isOutdated());
		await change();
		t.true(volume.isOutdated(), name);
		await volume.stop();
		t.false(volume.isOutdated());
	}
});

scenario("32 a source that is reverted to the state of a run makes it current again", ALL, async (t, scene) => {
	const [source, volume] = await makeBoth(scene);
	await volume.start();
	await scene.run(source, "B");
	t.true(volume.isOutdated());
	await source.revert();
	t.deepEqual([scene.clean(source), volume.isOutdated()], ["A", false]);
});

scenario(
	"a file tells that it is outdated, not its time: the source's next image can have the same size and time",
	ALL,
	async (t, scene) => {
		const [source, volume] = await makeBoth(scene);
		await volume.start();
		await source.start();
		call("touch", "--no-create", `--reference=${scene.file(source)}`, source.path);
		await source.stop();
		const [own, now] = [volume, source].map((one) => fs.statSync(scene.file(one), { bigint: true }));
		t.deepEqual([own?.size, own?.mtimeNs], [now?.size, now?.mtimeNs]);
		t.true(volume.isOutdated());
		await volume.stop();
		await volume.start();
		t.false(volume.isOutdated());
	},
);

onFileSystem("33 templates in another subvolume: the image is cloned, not linked (W3) (btrfs)", async (t) => {
	await acrossBorder(new Scene(t, mountedOnce("btrfs")), async (scene) => {
		for (const name of ["appvms", "vm-templates"]) {
			call("btrfs", "subvolume", "create", path.join(scene.dir, name));
		}
	});
});

onFileSystem("33 templates in another project: the image is cloned, not linked (W3) (xfs)", async (t) => {
	await acrossBorder(new Scene(t, mountedOnce("xfs")), async (scene) => {
		for (const [index, name] of ["appvms", "vm-templates"].entries()) {
			fs.mkdirSync(path.join(scene.dir, name));
			call("xfs_io", "-c", `chproj ${index + 7}`, "-c", "chattr +P", path.join(scene.dir, name));
		}
	});
});

async function acrossBorder(scene: Scene, makeBorder: (scene: Scene) => Promise<void>): Promise<void> {
	const { t } = scene;
	fs.mkdirSync(scene.dir);
	await makeBorder(scene);
	await scene.pool.setup();
	const [source, volume] = await makeBoth(scene);
	await volume.start();
	t.not(fs.statSync(scene.file(volume)).ino, fs.statSync(scene.file(source)).ino);
	t.is(fs.statSync(scene.file(volume)).nlink, 1);
	t.is(fs.statSync(scene.file(volume), { bigint: true }).mtimeNs, fs.statSync(scene.file(source), { bigint: true }).mtimeNs);
	t.deepEqual([read(volume.path), read(scene.file(volume)), volume.isOutdated()], ["A", "A", false]);
	await scene.run(source, "B");
	t.true(volume.isOutdated());
	await scene.check();
}

scenario("34 what a crash left of a run is removed by a stop and rebuilt by a start (81615cdb)", ALL, async (t, scene) => {
	let [, volume] = await makeBoth(scene);
	await volume.start();
	write(volume.path, "X");
	volume = await scene.restart(volume);
	await volume.stop();
	t.deepEqual(scene.names("appvms/work"), []);
	await volume.start();
	write(volume.path, "X");
	volume = await scene.restart(volume);
	await volume.start();
	t.is(read(volume.path), "A");
});

scenario("35 a start while the source stops takes the old or the new state, and one only", ALL, async (t, scene) => {
	const [source, volume] = await makeBoth(scene);
	const seen = new Set<string>();
	for (let round = 0; round < 200; round++) {
		const [before, after] = round % 2 === 0 ? ["A", "B"] : ["B", "A"];
		await source.start();
		write(source.path, after as string);
		await Promise.all([volume.start(), source.stop()]);
		const state = read(volume.path);
		if (state !== before && state !== after) return t.fail(`round ${round}: ${state}`);
		if (read(scene.file(volume)) !== state) return t.fail(`round ${round}: clean differs`);
		if (volume.isOutdated() !== (state === before)) return t.fail(`round ${round}: outdated`);
		seen.add(state === before ? "before" : "after");
		await volume.stop();
	}
	t.true(seen.size > 0);
});

scenario("36 without the source's image nothing starts, and the error has its path", ALL, async (t, scene) => {
	const [source, volume] = await makeBoth(scene);
	fs.unlinkSync(scene.file(source));
	await scene.refused(volume.verify(), /"appvms\/work\/root".* there is no ".*\/vm-templates\/deb\/root.img"/);
	await scene.refused(volume.start(), /there is no ".*\/vm-templates\/deb\/root.img"/);
	t.deepEqual(scene.names("appvms"), []);
});

for (const place of ["while its image is cloned", "when its names are written down"] as const) {
	scenario(`a start that fails ${place} leaves nothing, and the next one succeeds`, ALL, async (t, scene) => {
		const [, volume] = await makeBoth(scene);
		await lookBeforeEachCall((call, [file, to]) => {
			if (place === "while its image is cloned") {
				if (call === "copyFile" && `${to}`.startsWith(`${volume.path}~`)) throw failure("EIO", call);
			} else if (call === "open" && file === path.dirname(volume.path) && fs.existsSync(volume.path)) throw failure("EIO", call);
		});
		await scene.refused(volume.start(), /cannot start volume "appvms\/work\/root".*: EIO/);
		await lookBeforeEachCall(null);
		t.deepEqual(scene.names("appvms/work"), []);
		await volume.start();
		t.is(read(volume.path), "A");
	});
}

scenario(
	"Q1 a halted snapshot is not resized, with a text that points to its source; a running one is (W17)",
	ALL,
	async (t, scene) => {
		const [, volume] = await makeBoth(scene);
		await scene.refused(volume.resize(2 * MIB), /it begins each run as volume "vm-templates\/deb\/root"/);
		await volume.start();
		await volume.resize(2 * MIB);
		t.deepEqual([volume.size, fs.statSync(volume.path).size, read(scene.file(volume))], [2 * MIB, 2 * MIB, "A"]);
		await volume.stop();
		await volume.start();
		t.is(volume.size, MIB);
	},
);

scenario(
	"what keeps no state has neither export nor import nor revisions, and is not cloned into (6e8d7d42)",
	ALL,
	async (t, scene) => {
		const [source, volume] = await makeBoth(scene);
		for (const one of [volume, scene.volatile()]) {
			await scene.refused(one.export(), /^file-reflink has no export of volume/, "QubesNotImplementedError");
			await scene.refused(one.importData(1), /^file-reflink has no import of volume/, "QubesNotImplementedError");
			await scene.refused(one.importDataEnd(true), /^file-reflink has no import of volume/, "QubesNotImplementedError");
			await scene.refused(one.revert(), /has no revisions/);
			await one.importVolume({
				...source,
				export: () => Promise.reject(new Error("the source was opened")),
			} as unknown as Volume);
			await one.exportEnd("");
			t.deepEqual([[...one.revisions], one.isDirty()], [[], false]);
		}
	},
);

scenario("a snapshot follows the settings of the object that has taken its source's place", ALL, async (t, scene) => {
	const old = scene.origin({ name: "root", revisionsToKeep: -1 }, TEMPLATE);
	const volume = scene.snapshot(old);
	const source = scene.origin({ name: "root", revisionsToKeep: 2 }, TEMPLATE);
	await source.create();
	await source.start();
	t.is(volume.source, source);
	await volume.start();
	t.is(read(volume.path), "∅");
	await volume.stop();
	await source.stop();
});

async function makeBoth(scene: Scene): Promise<[source: Volume, volume: Volume]> {
	const source = scene.origin({ name: "root", revisionsToKeep: 2 }, TEMPLATE);
	await source.create();
	await scene.run(source, "A");
	const volume = scene.snapshot(source);
	await volume.create();
	return [source, volume];
}

async function importInto(volume: Volume): Promise<void> {
	write(await volume.importData(MIB), "I");
	await volume.importDataEnd(true);
}
