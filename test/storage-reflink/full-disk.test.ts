// Scenario 60 of spec section 11, and what is refused because it cannot fit (issue 4, item 6).
import fs from "node:fs";
import { call, fill, makeFileSystem } from "./file-systems.ts";
import { MIB, read, write } from "./images.ts";
import { onFileSystem, Scene, scenario } from "./scene.ts";

for (const kind of ["btrfs", "xfs", "ext4"] as const) {
	onFileSystem(`60 on a full disk a stop commits, a removal removes, and a prepared start starts (${kind})`, async (t) => {
		const mounted = makeFileSystem(kind);
		const scene = new Scene(t, mounted);
		await scene.pool.setup();
		const volume = scene.origin();
		const prepared = scene.origin({ name: "prepared" });
		const old = scene.origin({ name: "old" });
		for (const one of [volume, prepared, old]) {
			await one.create();
			await scene.run(one, "A");
		}
		await volume.start();
		write(volume.path, "B");
		call("sync", "--file-system", scene.dir);
		fill(scene.root);
		await volume.stop();
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "2": "A" }]);
		if (scene.hasReflinks) {
			await prepared.start();
			t.is(read(prepared.path), "A");
		}
		await old.remove();
		t.false(scene.names("appvms/work").some((name) => name.startsWith("old")));
		fs.rmSync(`${scene.root}/filler`, { recursive: true });
		await prepared.stop();
		await scene.check();
	});
}

scenario("a copy that cannot fit is refused before it writes anything, with the figures", "ET", async (t, scene) => {
	const source = scene.origin({ name: "source", size: 90 * MIB });
	const volume = await scene.originAfter("A");
	const before = scene.snapshotOfTree().filter((line) => !line.includes("source"));
	await source.create();
	await source.start();
	fs.writeFileSync(source.path, Buffer.alloc(80 * MIB, "S"), { flag: "r+" });
	await source.stop();
	const copies = scene.lines(/: copying /).length;
	await scene.refused(
		volume.importVolume(source),
		/no room for a copy of ".*source.img" in ".*": 8\d{7} bytes, and \d+ are free$/,
	);
	t.is(scene.lines(/: copying /).length, copies);
	await scene.refused(source.start(), /no room/);
	t.deepEqual(
		scene.snapshotOfTree().filter((line) => !line.includes("source")),
		before,
	);
	await source.remove();
});

scenario("a write that finds no space left in the middle of a copy leaves the volume as it was", "ET", async (t, scene) => {
	const volume = await scene.originAfter("A");
	const before = scene.snapshotOfTree();
	const { source, file } = scene.pipe();
	const clone = volume.importVolume(source);
	const writer = fs.createWriteStream(file);
	writer.on("error", () => undefined);
	for (let part = 0; part < 200; part++) writer.write(Buffer.alloc(MIB, "P"));
	writer.end();
	await scene.refused(clone, /^cp: error writing .*No space left on device$/);
	t.deepEqual(scene.snapshotOfTree(), before);
});
