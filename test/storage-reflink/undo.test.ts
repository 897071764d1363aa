// A start that nothing came of, as another volume of the qube could not be started: it is taken back, and costs no earlier state.
import fs from "node:fs";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { MIB, make, read, write } from "./images.ts";
import { ALL, type Scene, scenario } from "./scene.ts";

/** With what goes on in the background. */
async function treeOf(scene: Scene): Promise<string[]> {
	await scene.pool.settled();
	return scene.snapshotOfTree();
}

/** A guest that writes when the clock of the file system has moved on since the start. */
function writeLater(volume: Volume, letter: string): void {
	write(volume.path, letter);
	const soon = new Date(Date.now() + 1000);
	fs.utimesSync(volume.path, soon, soon);
}

for (const revisionsToKeep of [0, 1, 3]) {
	scenario(
		`a start is taken back and leaves all files as they were, again and again, with ${revisionsToKeep} revisions kept`,
		ALL,
		async (t, scene) => {
			const volume = scene.origin({ revisionsToKeep });
			await volume.create();
			await scene.run(volume, "A", "B");
			const [before, revisions] = [await treeOf(scene), scene.revisions(volume)];
			for (let round = 0; round < 3; round++) {
				await volume.start();
				await volume.undoStart?.();
				t.deepEqual(await treeOf(scene), before);
				t.deepEqual([scene.clean(volume), scene.revisions(volume), volume.isDirty()], ["B", revisions, false]);
			}
			await scene.run(volume, "C");
			t.is(scene.clean(volume), "C");
		},
	);
}

scenario("where there was no precache, what was copied for the start goes, and a precache is made", "BX", async (t, scene) => {
	const volume = await scene.originAfter("A");
	fs.unlinkSync(scene.file(volume, "-precache.img"));
	const before = await treeOf(scene);
	await volume.start();
	await volume.undoStart?.();
	const after = await treeOf(scene);
	t.deepEqual(
		after.filter((line) => !line.includes("-precache.img")),
		before,
	);
	t.deepEqual([after.length, scene.clean(volume), scene.revisions(volume)], [before.length + 1, "A", { "1": "∅" }]);
});

scenario("a clean image that was changed by other hands since the start is no precache", "BX", async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.start();
	make(scene.file(volume), "Y", 2 * MIB);
	await volume.undoStart?.();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), read(scene.file(volume, "-precache.img")), volume.size], ["Y", "Y", 2 * MIB]);
});

scenario("without snapshots the image is back under its name", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: -1 });
	await volume.create();
	await scene.run(volume, "A");
	const before = await treeOf(scene);
	await volume.start();
	await volume.undoStart?.();
	t.deepEqual(await treeOf(scene), before);
	t.deepEqual([scene.clean(volume), volume.isDirty()], ["A", false]);
});

scenario(
	"without snapshots, a run on a copy, as a snapshot has the image, is taken back and nothing is lost",
	ALL,
	async (t, scene) => {
		const { volume, snapshot } = await scene.withoutSnapshots();
		await volume.start();
		await volume.undoStart?.();
		await scene.pool.settled();
		t.deepEqual([scene.names("appvms/work"), scene.clean(volume), scene.clean(snapshot)], [["private.img"], "A", "A"]);
	},
);

scenario("a run that a crash has left stays as it was, also when nobody wrote to it", ALL, async (t, scene) => {
	let volume = await scene.originAfter("A");
	await volume.start();
	write(volume.path, "B");
	volume = await scene.restart(volume);
	const before = await treeOf(scene);
	await volume.start();
	await volume.undoStart?.();
	t.deepEqual(await treeOf(scene), before);
	await volume.start();
	writeLater(volume, "C");
	await volume.undoStart?.();
	t.deepEqual([read(volume.path), scene.clean(volume), scene.revisions(volume)], ["C", "A", { "1": "∅" }]);
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["C", { "2": "A" }]);
});

scenario("a second start has nothing to take back", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.start();
	await volume.start();
	const before = await treeOf(scene);
	await volume.undoStart?.();
	t.deepEqual(await treeOf(scene), before);
	t.true(volume.isDirty());
});

scenario("what was written to is kept as by a stop", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	const changes = [
		(): void => writeLater(volume, "B"),
		(): void => fs.truncateSync(volume.path, 2 * MIB),
		(): void => {
			fs.rmSync(volume.path);
			make(volume.path, "D");
		},
	];
	for (const [index, change] of changes.entries()) {
		await volume.start();
		change();
		await volume.undoStart?.();
		await scene.pool.settled();
		t.deepEqual([volume.isDirty(), Object.keys(scene.revisions(volume))], [false, [`${index + 2}`]]);
	}
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["D", { "4": "B" }]);
});

scenario("without snapshots what was written to is kept", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: -1 });
	await volume.create();
	await volume.start();
	writeLater(volume, "A");
	await volume.undoStart?.();
	await scene.pool.settled();
	t.deepEqual([scene.names("appvms/work"), scene.clean(volume)], [["private.img"], "A"]);
});

scenario("where nothing was started nothing is taken back", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	const before = await treeOf(scene);
	await volume.undoStart?.();
	t.deepEqual(await treeOf(scene), before);
	await volume.remove();
	await scene.refused(volume.undoStart?.() as Promise<void>, /cannot undo the start of .*: it has been removed/);
});

scenario("starts that are taken back, starts and stops at once come one after the other", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	for (let round = 0; round < 20; round++) {
		await Promise.all([volume.start(), volume.undoStart?.(), volume.start(), volume.undoStart?.()]);
		t.false(volume.isDirty());
	}
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", { "1": "∅" }]);
});
