// Scenarios 46 to 50 of spec section 11, as far as they are the driver's: imports and exports.
import fs from "node:fs";
import { contentOf, MIB, make, read, write } from "./images.ts";
import { ALL, scenario } from "./scene.ts";

scenario(
	"46 an import goes to a file of its own (60bf68a7) and becomes the clean image, or nothing does",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		const before = scene.snapshotOfTree();
		write(await volume.importData(2 * MIB), "X");
		await volume.importDataEnd(false);
		t.deepEqual(scene.snapshotOfTree(), before);
		const path = await volume.importData(2 * MIB);
		t.is(path, scene.file(volume, "-import.img"));
		const { size, blocks, mode } = fs.statSync(path);
		t.deepEqual([size, blocks, mode & 0o777], [2 * MIB, 0, 0o600]);
		write(path, "I");
		await volume.importDataEnd(true);
		await scene.pool.settled();
		t.deepEqual([volume.size, scene.clean(volume), scene.revisions(volume)], [2 * MIB, "I", { "2": "A" }]);
	},
);

scenario("47 there is one import at a time (W7), which a start or a removal cancels (W6)", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.importData(MIB);
	await scene.refused(volume.importData(MIB), /an import into it is in progress/);
	await scene.refused(volume.revert(), /an import into it is in progress/);
	await scene.refused(volume.resize(2 * MIB), /an import into it is in progress/);
	await scene.refused(volume.importVolume(volume), /an import into it is in progress/);
	await volume.stop();
	t.true(fs.existsSync(scene.file(volume, "-import.img")), "a stop of what does not run leaves it");
	await volume.start();
	t.false(fs.existsSync(scene.file(volume, "-import.img")));
	const before = scene.snapshotOfTree();
	await scene.refused(volume.importDataEnd(true), /none is open/);
	await volume.importDataEnd(false);
	t.deepEqual(scene.snapshotOfTree(), before);
	await volume.stop();
	await scene.pool.settled();
	const stopped = scene.snapshotOfTree();
	await scene.refused(volume.importDataEnd(true), /none is open/);
	t.deepEqual(scene.snapshotOfTree(), stopped);
	await volume.importData(MIB);
	await volume.remove();
	t.deepEqual(scene.names("appvms"), []);
	await volume.importDataEnd(false);
	await scene.refused(volume.importDataEnd(true), /removed/);
});

scenario("a start that cancels an import begins with what was prepared", "BX", async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await scene.pool.settled();
	const { ino } = fs.statSync(scene.file(volume, "-precache.img"));
	await volume.importData(MIB);
	await volume.start();
	t.is(fs.statSync(volume.path).ino, ino);
	t.deepEqual(scene.lines(/./, "warning"), []);
});

scenario(
	"an import whose writer is gone is removed by the next stop of a new daemon, start, create or import",
	ALL,
	async (t, scene) => {
		let volume = scene.origin();
		await volume.create();
		await scene.run(volume, "A");
		for (const end of ["stop", "start", "import", "create"] as const) {
			write(await volume.importData(MIB), "X");
			volume = await scene.restart(volume);
			await scene.refused(volume.importDataEnd(true), /none is open/);
			if (end === "import") {
				t.is(read(await volume.importData(MIB)), "∅");
				await volume.importDataEnd(false);
			} else await volume[end]();
			t.false(fs.existsSync(scene.file(volume, "-import.img")), end);
			await volume.stop();
		}
		t.is(scene.clean(volume), "∅");
	},
);

scenario(
	"an import that is longer or shorter than it was to be leaves the volume as it was (e9b97e42)",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		const before = scene.snapshotOfTree();
		for (const size of [MIB + 1, MIB - 1, 0]) {
			fs.truncateSync(await volume.importData(MIB), size);
			await scene.refused(volume.importDataEnd(true), new RegExp(`it has ${size} bytes: want ${MIB}`));
		}
		fs.unlinkSync(await volume.importData(MIB));
		await scene.refused(volume.importDataEnd(true), /there is no ".*-import.img"/);
		await scene.refused(volume.importData(-1), /invalid size -1/, "QubesValueError");
		t.deepEqual(scene.snapshotOfTree(), before);
	},
);

scenario("48 an import of 300 MiB with holes keeps the holes", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	const path = await volume.importData(300 * MIB);
	write(path, "I");
	await volume.importDataEnd(true);
	await scene.pool.settled();
	t.is(volume.size, 300 * MIB);
	t.true(volume.usage <= MIB);
});

scenario("49 an import without data empties the volume, and what it replaced is a revision", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.importData(volume.size);
	await volume.importDataEnd(true);
	await scene.pool.settled();
	t.deepEqual([volume.size, volume.usage, scene.clean(volume), scene.revisions(volume)], [MIB, 0, "∅", { "2": "A" }]);
	await volume.start();
	await scene.refused(volume.importData(MIB), /not cleanly stopped/);
});

scenario(
	"50 an export is the last committed state, also while it runs, and does not change under its reader (0bccddf1)",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		t.deepEqual([await volume.export(), read(await volume.export())], [scene.file(volume), "A"]);
		await volume.start();
		write(volume.path, "B");
		const path = await volume.export();
		const reader = fs.openSync(path, "r");
		t.is(read(path), "A");
		await volume.stop();
		await scene.run(volume, "C");
		t.is(contentOf(fs.readFileSync(reader)), "A");
		fs.closeSync(reader);
		await volume.exportEnd(path);
	},
);

scenario("an import replaces an image of another mode or from a user's hand with one of the driver's", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 0 });
	fs.mkdirSync(`${scene.dir}/appvms/work`);
	make(scene.file(volume), "U", MIB, 0o644);
	await volume.importData(4096);
	await volume.importDataEnd(true);
	t.is(fs.statSync(scene.file(volume)).mode & 0o777, 0o600);
});
