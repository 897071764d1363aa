// Scenarios 39 to 42 of spec section 11: volumes with snapshots disabled (revisions_to_keep -1), which are one image that is renamed (ee41bc04, f0b01f65).
import fs from "node:fs";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { lookBeforeEachCall, onceBefore } from "./before-each-call.ts";
import { read, write } from "./images.ts";
import { ALL, type Scene, scenario } from "./scene.ts";

scenario("39 there is one image only, the same in rest and run, and nothing is ever cloned", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: -1 });
	await volume.create();
	await scene.pool.settled();
	t.deepEqual(scene.names("appvms/work"), ["private.img"]);
	const { ino } = fs.statSync(scene.file(volume));
	await volume.start();
	t.deepEqual(scene.names("appvms/work"), ["private-dirty.img"]);
	t.deepEqual([fs.statSync(volume.path).ino, volume.isDirty()], [ino, true]);
	write(volume.path, "A");
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.names("appvms/work"), scene.clean(volume), volume.isDirty()], [["private.img"], "A", false]);
	t.deepEqual(scene.lines(/: (reflinked|copying|hard-linked) /), []);
});

scenario(
	"40 the next start after it was set removes revisions and precache, but not without an image to start with (W15)",
	ALL,
	async (t, scene) => {
		const volume = scene.origin({ revisionsToKeep: 2 });
		await volume.create();
		await scene.run(volume, "A", "B");
		volume.revisionsToKeep = -1;
		const kept = `${scene.root}/kept`;
		fs.renameSync(scene.file(volume), kept);
		await scene.refused(volume.start(), /there is no ".*private.img"/);
		t.deepEqual(scene.revisions(volume), { "1": "∅", "2": "A" });
		fs.renameSync(kept, scene.file(volume));
		await volume.start();
		t.deepEqual([scene.names("appvms/work"), read(volume.path)], [["private-dirty.img"], "B"]);
		await volume.stop();
	},
);

scenario("41 while it runs there is nothing to read, clone or begin a run with (dd8308c7, 48d5c48f)", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: -1 });
	const copy = scene.origin({ name: "copy" });
	const snapshot = scene.snapshot(volume, { name: "dvm", dirPrefix: "appvms" });
	await volume.create();
	await copy.create();
	await volume.start();
	await scene.refused(volume.export(), /running with snapshots disabled/);
	await scene.refused(copy.importVolume(volume), /running with snapshots disabled/);
	await scene.refused(snapshot.start(), /there is no ".*private.img"/);
	t.deepEqual([scene.clean(copy), scene.revisions(copy), scene.names("appvms")], ["∅", {}, ["work"]]);
});

scenario(
	"what a snapshot volume has begun with stays as it was when its source then runs, and it is outdated after",
	ALL,
	async (t, scene) => {
		const { volume, snapshot } = await scene.withoutSnapshots();
		await volume.start();
		write(volume.path, "B");
		t.deepEqual([scene.names("appvms/work"), scene.clean(snapshot), read(snapshot.path)], [["private-dirty.img"], "A", "A"]);
		await volume.stop();
		t.deepEqual([scene.clean(volume), scene.clean(snapshot), snapshot.isOutdated()], ["B", "A", true]);
		await snapshot.stop();
		const { ino } = fs.statSync(scene.file(volume));
		await volume.start();
		t.is(fs.statSync(volume.path).ino, ino);
		await volume.stop();
	},
);

scenario(
	"41 what a killed daemon left as the dirty image only can be started and committed with another setting (W14)",
	ALL,
	async (t, scene) => {
		let volume = scene.origin({ revisionsToKeep: -1 });
		await volume.create();
		await volume.start();
		write(volume.path, "A");
		volume.revisionsToKeep = 1;
		volume = await scene.restart(volume);
		await volume.verify();
		await volume.stop();
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", {}]);
		await scene.run(volume, "B");
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "1": "A" }]);
	},
);

scenario("42 an import replaces the image, and no revision stays, however many there were (W13)", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 3 });
	await volume.create();
	await scene.run(volume, "A", "B", "C");
	volume.revisionsToKeep = -1;
	write(await volume.importData(volume.size), "I");
	await volume.importDataEnd(true);
	await scene.pool.settled();
	t.deepEqual([scene.names("appvms/work"), scene.clean(volume)], [["private.img"], "I"]);
});

scenario(
	"a start of a snapshot while its source starts with snapshots disabled is refused or is of the state before",
	ALL,
	async (t, scene) => {
		const source = scene.origin({ revisionsToKeep: -1 });
		const snapshot = scene.snapshot(source, { name: "dvm", dirPrefix: "appvms" });
		await source.create();
		for (let round = 0; round < 50; round++) {
			const [started] = await Promise.allSettled([snapshot.start(), source.start().then(() => write(source.path, "X"))]);
			if (started.status === "rejected") t.is((started.reason as { kind?: string }).kind, "StoragePoolException");
			else t.is(read(snapshot.path), "∅");
			await snapshot.stop();
			write(source.path, "∅");
			fs.truncateSync(source.path, 0);
			fs.truncateSync(source.path, 1024 * 1024);
			await source.stop();
		}
	},
);

for (const isOver of [false, true]) {
	const run = isOver ? "began a run that is over" : "began a run";
	scenario(
		`a snapshot that took the image of its source when that just ${run} is refused: it may be half of it`,
		ALL,
		async (t, scene) => {
			const source = scene.origin({ revisionsToKeep: -1 });
			const snapshot = scene.snapshot(source, { name: "dvm", dirPrefix: "appvms" });
			await source.create();
			await scene.run(source, "A");
			let start = Promise.resolve();
			let tell: (() => void) | undefined;
			const linked = new Promise<void>((resolve) => {
				tell = resolve;
			});
			await lookBeforeEachCall(async (call, [from, to]) => {
				if (call === "rename" && from === scene.file(source)) {
					start = snapshot.start();
					await linked;
				}
				if (call === "copyFile" && `${to}`.startsWith(snapshot.path)) {
					tell?.();
					await written;
				}
			});
			const written = source.start().then(async () => {
				write(source.path, "X");
				if (isOver) await source.stop();
			});
			await written;
			await scene.refused(start, /cannot start volume "appvms\/dvm\/root".* with snapshots disabled/);
			await lookBeforeEachCall(null);
			t.deepEqual([scene.names("appvms/dvm"), source.isDirty()], [[], !isOver]);
			await source.stop();
			await snapshot.start();
			t.is(read(snapshot.path), "X");
		},
	);
}

scenario("a clone of a source that is started, written to and stopped while it is copied is refused", ALL, async (t, scene) => {
	const { source, copy } = await sourceAndCopy(scene);
	const before = filesOf(scene, "copy");
	await onceBefore(
		(call, [, to]) => call === "copyFile" && to === scene.file(copy, "-import.img"),
		async () => {
			await source.start();
			write(source.path, "X");
			await source.stop();
		},
	);
	await scene.refused(copy.importVolume(source), /cannot clone volume "appvms\/work\/private"/);
	await lookBeforeEachCall(null);
	await scene.pool.settled();
	t.deepEqual([scene.clean(source), filesOf(scene, "copy")], ["X", before]);
	await copy.importVolume(source);
	t.is(scene.clean(copy), "X");
});

scenario("a clone of a source that runs before its copy has ended is refused", "ET", async (t, scene) => {
	const { source, copy } = await sourceAndCopy(scene);
	const before = filesOf(scene, "copy");
	await onceBefore(
		(call, [file]) => call === "open" && file === scene.file(copy, "-import.img"),
		() => source.start(),
	);
	await scene.refused(copy.importVolume(source), /cannot clone volume "appvms\/work\/private"/);
	await lookBeforeEachCall(null);
	await scene.pool.settled();
	t.deepEqual([source.isDirty(), filesOf(scene, "copy")], [true, before]);
});

/** A volume without snapshots, and another with a revision to clone it into. */
async function sourceAndCopy(scene: Scene): Promise<{ source: Volume; copy: Volume }> {
	const source = scene.origin({ revisionsToKeep: -1 });
	const copy = scene.origin({}, { name: "copy", dirPrefix: "appvms" });
	for (const volume of [source, copy]) await volume.create();
	await scene.run(source, "A");
	await scene.run(copy, "B");
	return { source, copy };
}

function filesOf(scene: Scene, qube: string): string[] {
	return scene.snapshotOfTree().filter((line) => line.startsWith(`appvms/${qube}/`));
}
