// Scenario 65 of spec section 11: the tree of a `file` pool, taken over by changing the driver in qubes.xml.
import fs from "node:fs";
import path from "node:path";
import { MIB, make, read, write } from "./images.ts";
import { ALL, scenario, TEMPLATE } from "./scene.ts";

scenario("65 a tree of the file driver is taken over as it is, and new images get mode 0600", ALL, async (t, scene) => {
	for (const directory of ["appvms/work", "vm-templates/deb"]) fs.mkdirSync(path.join(scene.dir, directory));
	const files: [string, string, number][] = [
		["appvms/work/private.img", "P", 0o644],
		["appvms/work/private-cow.img", "x", 0o664],
		["appvms/work/private-cow.img.old", "y", 0o664],
		["appvms/work/volatile.img", "z", 0o664],
		["appvms/work/root-cow.img", "w", 0o664],
		["vm-templates/deb/root.img", "R", 0o664],
		["vm-templates/deb/root-cow.img", "v", 0o664],
	];
	for (const [name, letter, mode] of files) make(path.join(scene.dir, name), letter, MIB, mode);
	const modeOf = (file: string): number => fs.statSync(file).mode & 0o777;
	const cows = files.map(([name]) => path.join(scene.dir, name)).filter((file) => file.includes("-cow.img"));

	const root = scene.origin({ name: "root" }, TEMPLATE);
	const own = scene.origin();
	const snapshot = scene.snapshot(root);
	const scratch = scene.volatile({ size: 2 * MIB });
	for (const volume of [root, own]) scene.foreign.add(fs.statSync(scene.file(volume)).ino);
	t.is(scratch.size, MIB);
	const before = scene.snapshotOfTree().filter((line) => !line.includes("volatile"));
	for (const volume of scene.pool.volumes()) await volume.stop();
	t.deepEqual(scene.snapshotOfTree(), before, "only the scratch image is gone");
	t.deepEqual([root.size, own.size, scratch.size, [...own.revisions]], [MIB, MIB, 2 * MIB, []]);

	for (const volume of scene.pool.volumes()) await volume.verify();
	for (const volume of [own, snapshot, scratch]) await volume.start();
	t.deepEqual(
		[own, snapshot, scratch].map(({ path: image }) => [read(image), modeOf(image)]),
		[
			["P", 0o600],
			["R", 0o600],
			["∅", 0o600],
		],
	);
	write(own.path, "Q");
	for (const volume of [own, snapshot, scratch]) await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.clean(own), modeOf(scene.file(own)), scene.revisions(own)], ["Q", 0o600, { "1": "P" }]);
	t.deepEqual(cows.map(read), ["x", "y", "w", "v"], "they are the user's to delete");
	for (const file of cows) fs.unlinkSync(file);

	await scene.run(root, "S");
	t.deepEqual([scene.clean(root), modeOf(scene.file(root)), scene.revisions(root)], ["S", 0o600, { "1": "R" }]);
});

scenario("going back, the clean images are those of the file driver, and nothing else is needed", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	for (const name of scene.names("appvms/work"))
		if (name !== "private.img") fs.unlinkSync(path.join(scene.dir, "appvms/work", name));
	write(scene.file(volume), "F");
	await scene.run(volume, "B");
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "1": "F" }]);
});
