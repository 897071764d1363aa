// Scenarios 37 and 38 of spec section 11: scratch space.
import fs from "node:fs";
import { MIB, make, read, write } from "./images.ts";
import { ALL, scenario } from "./scene.ts";

scenario("37 each start makes an empty image, of the size that the last run had (b98c1814)", ALL, async (t, scene) => {
	const volume = scene.volatile();
	await volume.create();
	t.deepEqual(scene.names("appvms"), []);
	await volume.verify();
	await volume.start();
	t.deepEqual([fs.statSync(volume.path).size, volume.usage, volume.isDirty()], [MIB, 0, false]);
	write(volume.path, "A");
	await volume.stop();
	t.deepEqual(scene.names("appvms/work"), []);
	await volume.start();
	t.is(read(volume.path), "∅");
	fs.truncateSync(volume.path, 2 * MIB);
	await volume.stop();
	t.is(volume.size, 2 * MIB);
	await volume.start();
	t.is(fs.statSync(volume.path).size, 2 * MIB);
	write(volume.path, "X");
	await volume.start();
	t.is(read(volume.path), "∅", "what a crash left is not given to the qube");
});

scenario("37 a leftover of the file driver gives the size until a stop removes it", ALL, async (t, scene) => {
	const volume = scene.volatile();
	fs.mkdirSync(`${scene.dir}/appvms/work`);
	make(scene.file(volume), "X", 3 * MIB);
	scene.foreign.add(fs.statSync(scene.file(volume)).ino);
	t.is(volume.size, 3 * MIB);
	await volume.stop();
	t.deepEqual([volume.size, scene.names("appvms/work")], [MIB, []]);
});

scenario("38 a halted resize is for the next start (ef128156), a running one for the image", ALL, async (t, scene) => {
	const volume = scene.volatile();
	await volume.create();
	await volume.resize(3 * MIB);
	t.deepEqual([volume.size, scene.names("appvms")], [3 * MIB, []]);
	await volume.start();
	t.is(fs.statSync(volume.path).size, 3 * MIB);
	await volume.resize(MIB);
	t.deepEqual([volume.size, fs.statSync(volume.path).size], [MIB, MIB]);
	await volume.stop();
	t.is(volume.size, MIB);
	await scene.refused(scene.volatile({ name: "fixed", rw: false }).resize(1), /read-only/);
});

scenario("38 ephemeral is what was set, and the pool's value what it was made or set with", ALL, async (t, scene) => {
	t.is(scene.volatile().ephemeral, undefined);
	const volume = scene.volatile({ ephemeral: false });
	t.is(volume.ephemeral, false);
	volume.ephemeral = true;
	t.is(volume.ephemeral, true);
	scene.pool.ephemeralVolatile = true;
	t.is(scene.pool.config().get("ephemeral_volatile"), "True");
});
