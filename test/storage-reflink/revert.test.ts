// Scenarios 24 to 28 of spec section 11: revisions, and going back to them.
import fs from "node:fs";
import path from "node:path";
import { MIB, make, read } from "./images.ts";
import { ALL, type Scene, scenario } from "./scene.ts";

scenario("24 a revert takes a revision out of the list and adds what it replaced with the highest id", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 3 });
	await volume.create();
	await scene.run(volume, "A", "B", "C");
	await volume.revert("1");
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["∅", { "2": "A", "3": "B", "4": "C" }]);
	await volume.revert("3");
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "2": "A", "4": "C", "5": "∅" }]);
	t.deepEqual([...volume.revisions.keys()], ["2", "4", "5"]);
	await volume.start();
	t.is(read(volume.path), "B");
});

scenario(
	"25 without an id the highest one is taken, whatever its time is (6a303760); unknown ones change nothing",
	ALL,
	async (t, scene) => {
		const volume = scene.origin({ revisionsToKeep: 3 });
		await volume.create();
		await scene.pool.settled();
		const before = scene.snapshotOfTree();
		await scene.refused(volume.revert(), /has no revisions$/);
		await scene.refused(volume.revert("1"), /has no revision "1"/);
		await scene.pool.settled();
		t.deepEqual(scene.snapshotOfTree(), before);
		await scene.run(volume, "A");
		fs.utimesSync(scene.file(volume), 1_000_000, 1_000_000);
		await scene.run(volume, "B");
		t.is(volume.revisions.get("2"), "1970-01-12T13:46:40");
		const tree = scene.snapshotOfTree();
		for (const id of ["77", "02", "2 ", "", "2@1970-01-12T13:46:40"]) await scene.refused(volume.revert(id), /has no revision/);
		t.deepEqual(scene.snapshotOfTree(), tree);
		await volume.revert();
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", { "1": "∅", "3": "B" }]);
	},
);

scenario(
	"26 a started volume is not reverted (18f9356c); without revisions to keep a revert loses a state and says so",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A", "B");
		await volume.start();
		await scene.refused(volume.revert(), /not cleanly stopped/);
		await volume.stop();
		await scene.pool.settled();
		t.deepEqual(scene.revisions(volume), { "3": "B" });
		volume.revisionsToKeep = 0;
		await volume.revert();
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", {}]);
		t.is(scene.lines(/before the revert is lost/, "warning").length, 1);
	},
);

scenario("27 the size follows the revision, and ids are compared as numbers", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 5 });
	await volume.create();
	await scene.run(volume, "A");
	await volume.resize(2 * MIB);
	await volume.revert();
	await scene.pool.settled();
	t.deepEqual([volume.size, scene.clean(volume)], [MIB, "∅"]);
	for (const id of [9, 10]) make(scene.file(volume, `.img.${id}@2026-01-0${id % 9}T00:00:00Z`), "N");
	await scene.run(volume, "B");
	t.deepEqual(Object.keys(scene.revisions(volume)), ["2", "9", "10", "11"]);
	await volume.revert();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), Object.keys(scene.revisions(volume))], ["∅", ["2", "9", "10", "12"]]);
});

scenario(
	"28 a revision that is the clean image itself, of a commit that was cut, is hidden and used by the next one (W1)",
	ALL,
	async (t, scene) => {
		const volume = scene.origin({ revisionsToKeep: 3 });
		await volume.create();
		await scene.run(volume, "A");
		cutCommit(scene);
		t.deepEqual(scene.revisions(volume), { "1": "∅" });
		await scene.refused(volume.revert("2"), /has no revision "2"/);
		t.is(scene.clean(volume), "A");
		await scene.run(volume, "B");
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "1": "∅", "2": "A" }]);
		cutCommit(scene, "3");
		await volume.revert("1");
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["∅", { "2": "A", "3": "B" }]);
	},
);

/** Leaves what a commit leaves that is cut after it has linked the clean image. */
function cutCommit(scene: Scene, id = "2"): void {
	const clean = path.join(scene.dir, "appvms/work/private.img");
	const time = new Date(fs.statSync(clean).mtimeMs).toISOString().slice(0, 19);
	fs.linkSync(clean, `${clean}.${id}@${time}Z`);
}

scenario("a revision that vanished is an error, and the volume goes on", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 2 });
	await volume.create();
	await scene.run(volume, "A", "B");
	const [first] = volume.revisions;
	fs.unlinkSync(scene.file(volume, `.img.${first?.[0]}@${first?.[1]}Z`));
	await scene.refused(volume.revert("1"), /has no revision "1"/);
	await scene.run(volume, "C");
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["C", { "2": "A", "3": "B" }]);
});

scenario(
	"a clean image that was deleted is not lost by a revert or import where the precache is what is left of it",
	"BX",
	async (t, scene) => {
		const volume = await scene.originAfter("A", "B");
		fs.rmSync(scene.file(volume));
		const before = scene.snapshotOfTree();
		await scene.refused(
			volume.revert(),
			/cannot revert volume .*: there is no ".*private\.img", but ".*-precache\.img", which is the same/,
		);
		await scene.refused(volume.importData(MIB), /cannot import data into volume .*which is the same: give it that name first/);
		t.deepEqual(scene.snapshotOfTree(), before);
		fs.renameSync(scene.file(volume, "-precache.img"), scene.file(volume));
		await volume.start();
		t.is(read(volume.path), "B");
		await volume.stop();
	},
);

scenario("a revision from beyond the year 9999 has a name that is known again", "B", async (t, scene) => {
	const volume = await scene.originAfter("A");
	fs.utimesSync(scene.file(volume), 253_402_300_800 + 86_400, 253_402_300_800 + 86_400);
	await scene.run(volume, "B", "C");
	t.deepEqual(scene.revisions(volume), { "3": "B" });
	t.regex(scene.lines(/hard-linked/)[1] as string, /private\.img\.2@9999-12-31T23:59:59Z"$/);
});
