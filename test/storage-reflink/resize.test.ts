// Scenarios 43 to 45 of spec section 11, as far as they are the driver's.
import fs from "node:fs";
import { lookBeforeEachCall } from "./before-each-call.ts";
import { call } from "./file-systems.ts";
import { contentOf, MIB, make, read, write } from "./images.ts";
import { ALL, scenario } from "./scene.ts";

scenario(
	"43 a halted volume gets a new image, and who reads the old one goes on reading that (c209f89c, c31d317c)",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		const { ino } = fs.statSync(scene.file(volume));
		const reader = fs.openSync(await volume.export(), "r");
		await volume.resize(3 * MIB);
		await scene.pool.settled();
		t.not(fs.statSync(scene.file(volume)).ino, ino);
		t.deepEqual([volume.size, scene.clean(volume), scene.revisions(volume)], [3 * MIB, "A", { "1": "∅" }]);
		if (scene.hasReflinks) t.is(fs.statSync(scene.file(volume, "-precache.img")).size, 3 * MIB);
		await volume.resize(0);
		await scene.pool.settled();
		t.deepEqual([volume.size, fs.statSync(scene.file(volume)).size], [0, 0]);
		t.deepEqual([fs.fstatSync(reader).size, contentOf(fs.readFileSync(reader))], [MIB, "A"]);
		fs.closeSync(reader);
	},
);

scenario(
	"Q6 a halted shrink keeps the image before it as a revision, growing makes none; to the same size nothing changes (25e92bd1)",
	ALL,
	async (t, scene) => {
		const volume = scene.origin({ revisionsToKeep: 2 });
		await volume.create();
		await scene.run(volume, "A");
		const before = scene.snapshotOfTree();
		await volume.resize(MIB);
		await scene.pool.settled();
		t.deepEqual(scene.snapshotOfTree(), before);
		await volume.resize(MIB / 2);
		t.deepEqual([volume.size, scene.clean(volume), scene.revisions(volume)], [MIB / 2, "A", { "1": "∅", "2": "A" }]);
		await volume.revert();
		t.is(volume.size, MIB);
		volume.revisionsToKeep = 0;
		await volume.resize(4096);
		t.is(Object.keys(scene.revisions(volume)).length, 2);
	},
);

scenario("Q6 a halted shrink keeps the image before it also where one revision is to be kept", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.resize(MIB / 2);
	await scene.pool.settled();
	t.deepEqual([volume.size, scene.revisions(volume)], [MIB / 2, { "1": "∅", "2": "A" }]);
	await volume.revert();
	t.deepEqual([volume.size, scene.clean(volume)], [MIB, "A"]);
});

scenario("the new size of a running image is written down before the call returns (c31d317c)", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.start();
	await scene.pool.settled();
	const calls: string[] = [];
	await lookBeforeEachCall((call, [fd]) => {
		if (call === "truncate") calls.push(call);
		if (call === "sync") calls.push(`sync ${fs.readlinkSync(`/proc/self/fd/${fd}`)} of ${fs.fstatSync(fd as number).size} bytes`);
	});
	await volume.resize(2 * MIB);
	await lookBeforeEachCall(null);
	t.deepEqual(calls, ["truncate", `sync ${volume.path} of ${2 * MIB} bytes`]);
});

scenario(
	"44 every loop device of a running image learns its new size, and no other one (385ba917, fb06a808)",
	"BXE",
	async (t, scene) => {
		const volume = scene.origin();
		await volume.create();
		await volume.start();
		write(volume.path, "A");
		fs.symlinkSync(scene.dir, `${scene.root}/link`);
		make(`${scene.root}/other.img`, "O");
		const files = [volume.path, volume.path.replace("/pool/", "/link/"), `${scene.root}/other.img`];
		const devices: string[] = [];
		try {
			for (const file of files) devices.push(call("losetup", "--find", "--show", file).trim());
			fs.truncateSync(`${scene.root}/other.img`, 2 * MIB);
			await volume.resize(2 * MIB);
			const sizes = devices.map((device) => Number(call("blockdev", "--getsize64", device)));
			t.deepEqual(sizes, [2 * MIB, 2 * MIB, MIB]);
			t.is(scene.lines(/set the capacity of \/dev\/loop/).length, 2);
			t.is(scene.lines(/: resized ".*private-dirty.img" from 1048576 to 2097152 bytes/).length, 1);
		} finally {
			for (const device of devices) call("losetup", "--detach", device);
		}
		t.is(read(volume.path), "A");
		await volume.stop();
		await scene.pool.settled();
		t.deepEqual([volume.size, scene.clean(volume)], [2 * MIB, "A"]);
		await volume.start();
		await volume.resize(4096);
		t.is(volume.size, 4096, "shrinking is the client's to forbid");
	},
);

scenario(
	"45 a read-only volume is not resized, nor to a size that is none, and is started and committed like any other",
	ALL,
	async (t, scene) => {
		const volume = scene.origin({ rw: false });
		await volume.create();
		await scene.run(volume, "A");
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", { "1": "∅" }]);
		const before = scene.snapshotOfTree();
		await scene.refused(volume.resize(2 * MIB), /read-only/);
		volume.rw = true;
		for (const size of [-1, 1.5, 2 ** 53, Number.NaN])
			await scene.refused(volume.resize(size), /invalid size/, "QubesValueError");
		if (scene.kind === "ext4") await scene.refused(volume.resize(2 ** 52), /cannot resize volume .*EFBIG/);
		await scene.pool.settled();
		t.deepEqual(
			scene.snapshotOfTree().filter((line) => !/precache/.test(line)),
			before.filter((line) => !/precache/.test(line)),
		);
	},
);
