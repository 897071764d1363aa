// Scenarios 1 to 10 of spec section 11: what a pool is set up as, and what it says of itself.
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import type { VolumeConfig } from "../../admin-core/model/storage/contract.ts";
import { storageDrivers } from "../../storage-reflink/index.ts";
import { LONG_BYTES } from "../../storage-reflink/lanes.ts";
import { MIB, openFiles } from "./images.ts";
import { ALL, APPVM, mountedOnce, onFileSystem, Scene, scenario } from "./scene.ts";

scenario("1 set-up makes the directory with appvms and vm-templates and nothing else", "BX", async (t, { root, dir }) => {
	t.deepEqual(fs.readdirSync(root), ["pool"]);
	t.deepEqual(fs.readdirSync(dir, { recursive: true }).sort(), ["appvms", "vm-templates"]);
});

for (const kind of ["ext4", "tmpfs"] as const) {
	onFileSystem(
		`2 set-up on a file system without reflinks names the path and setup_check=no, and leaves nothing (${kind})`,
		async (t) => {
			const scene = new Scene(t, mountedOnce(kind));
			scene.options = { setup_check: "yes" };
			await scene.refused(scene.makePool().setup(), /file system of ".*\/pool" has no reflinks: setup_check=no/);
			t.false(fs.existsSync(scene.dir));
		},
	);
}

onFileSystem("3 set-up that fails in a directory that was there leaves it, empty (ext4)", async (t) => {
	const scene = new Scene(t, mountedOnce("ext4"));
	scene.options = { setup_check: "yes" };
	fs.mkdirSync(scene.dir);
	await scene.refused(scene.makePool().setup(), /setup_check=no/);
	t.deepEqual(scene.names(), []);
});

for (const word of ["no", "False", "0", "OFF"]) {
	scenario(`4 setup_check=${word} makes a pool without reflinks, and is not in its configuration`, "ET", async (t, scene) => {
		scene.options = { setup_check: word };
		const pool = scene.makePool(`${scene.root}/other`);
		await pool.setup();
		t.deepEqual(Object.fromEntries(pool.config()), {
			revisions_to_keep: "1",
			dir_path: `${scene.root}/other`,
			ephemeral_volatile: "False",
		});
	});
}

test("4 options that make no sense are QubesValueErrors that name the option", (t) => {
	const wrong: [string, string][] = [
		["setup_check", "maybe"],
		["revisions_to_keep", "-2"],
		["revisions_to_keep", "many"],
		["revisions_to_keep", "99999999999999999999"],
		["ephemeral_volatile", "perhaps"],
		["dir_path", "relative/path"],
		["dir_path", ""],
	];
	for (const [name, value] of wrong) {
		const error = t.throws(() => makeDriver({ dir_path: "/p", [name]: value }), { message: new RegExp(`invalid ${name} `) });
		t.is((error as { kind?: string }).kind, "QubesValueError");
	}
});

test("options are read as the original reads them, in any case and in both sets of words", (t) => {
	const configOf = (options: { [name: string]: string }): unknown =>
		Object.fromEntries(makeDriver({ dir_path: "/p", ...options }).config());
	const expected = { revisions_to_keep: "1", dir_path: "/p", ephemeral_volatile: "False" };
	t.deepEqual(configOf({}), expected);
	t.deepEqual(configOf({ dir_path: "/a/../p//" }), expected);
	for (const word of ["False", "0", "off", "no", ""]) t.deepEqual(configOf({ ephemeral_volatile: word }), expected);
	for (const word of ["True", "1", "on", "YES"])
		t.deepEqual(configOf({ ephemeral_volatile: word }), { ...expected, ephemeral_volatile: "True" });
	t.deepEqual(configOf({ revisions_to_keep: "-1" }), { ...expected, revisions_to_keep: "-1" });
});

scenario(
	"5 set-up with a missing parent, a file or a link to nowhere in its place is refused, and a second one changes nothing",
	ALL,
	async (t, scene) => {
		await scene.refused(scene.makePool(`${scene.root}/none/deep`).setup(), /there is no ".*\/none"/);
		fs.writeFileSync(`${scene.root}/file`, "text");
		await scene.refused(scene.makePool(`${scene.root}/file`).setup(), /"\/.*\/file" is not a directory/);
		t.is(fs.readFileSync(`${scene.root}/file`, "utf8"), "text");
		fs.symlinkSync("nowhere", `${scene.root}/link`);
		await scene.refused(scene.makePool(`${scene.root}/link`).setup(), /^"\/.*\/link" is a link to nowhere$/);
		t.is(fs.readlinkSync(`${scene.root}/link`), "nowhere");
		await scene.originAfter("A");
		const before = scene.snapshotOfTree();
		await scene.makePool().setup();
		t.deepEqual(scene.snapshotOfTree(), before);
	},
);

scenario(
	"set-up refuses a path with spaces, to which nothing could be imported, and accepts a link to a directory",
	ALL,
	async (t, scene) => {
		await scene.refused(scene.makePool(`${scene.root}/a b`).setup(), /path with spaces/);
		fs.mkdirSync(`${scene.root}/real`);
		fs.symlinkSync("real", `${scene.root}/link`);
		const pool = scene.makePool(`${scene.root}/link`);
		await pool.setup();
		t.is(pool.config().get("dir_path"), `${scene.root}/link`);
		t.deepEqual(fs.readdirSync(`${scene.root}/real`).sort(), ["appvms", "vm-templates"]);
	},
);

scenario(
	"set-up that fails half-way removes what it made (397fd950: a file in place of a directory is an error)",
	ALL,
	async (t, scene) => {
		fs.mkdirSync(`${scene.root}/p`);
		fs.writeFileSync(`${scene.root}/p/vm-templates`, "");
		await scene.refused(scene.makePool(`${scene.root}/p`).setup(), /vm-templates" is not a directory/);
		t.deepEqual(fs.readdirSync(`${scene.root}/p`), ["vm-templates"]);
		fs.rmSync(`${scene.root}/p`, { recursive: true });
	},
);

scenario("6 a pool whose directory is gone answers, and knows neither size nor usage (2deb8271)", ALL, async (t, scene) => {
	const volume = scene.origin();
	fs.rmSync(scene.dir, { recursive: true });
	t.deepEqual(await scene.pool.usage(), { size: null, usage: null, details: new Map() });
	t.is(scene.pool.config().get("dir_path"), scene.dir);
	t.is(await scene.pool.includedIn([]), null);
	t.deepEqual([volume.size, volume.usage, volume.isDirty(), [...volume.revisions]], [1024 * 1024, 0, false, []]);
	await volume.stop();
	await scene.refused(volume.verify(), /there is no/);
	await scene.refused(volume.create(), /there is no ".*appvms"/);
});

scenario("7 a pool lies in the first other one whose directory contains its own (d33bd3f2)", ALL, async (t, scene) => {
	const pools = ["a", "a/b", "ab", "a/b/c"].map((name) => scene.makePool(`${scene.root}/${name}`, name));
	const [a, b, ab, c] = pools as [(typeof pools)[0], (typeof pools)[0], (typeof pools)[0], (typeof pools)[0]];
	fs.mkdirSync(`${scene.root}/a/b/c`, { recursive: true });
	fs.mkdirSync(`${scene.root}/ab`);
	t.is(await b.includedIn([a, ab]), a);
	t.is(await ab.includedIn([a, b]), null);
	t.is(await c.includedIn([ab, b, a]), b);
	t.is(await a.includedIn([b, ab, c]), null);
	fs.symlinkSync("a", `${scene.root}/link`);
	const linked = scene.makePool(`${scene.root}/link/b`, "linked");
	t.is(await linked.includedIn([ab, a]), a);
	t.is(await scene.makePool(`${scene.root}/none`, "none").includedIn([a]), null);
	fs.symlinkSync("nowhere", `${scene.root}/dangling`);
	t.is(await scene.makePool(`${scene.root}/dangling`, "dangling").includedIn([a]), null);
	t.is(await b.includedIn([scene.makePool(`${scene.root}/dangling`, "dangling"), a]), a);
	t.is(await b.includedIn([thinPool, ab]), null, "a pool of LVM that does not hold its device");
});

const thinPool = Object.assign(makeDriver({ dir_path: "/unused" }), {
	config: () =>
		new Map([
			["volume_group", "qubes-dom0"],
			["thin_pool", "vm-pool"],
		]),
});

scenario("8 usage is that of one statfs, data_size before data_usage", ALL, async (t, scene) => {
	let before = fs.statfsSync(scene.dir);
	let answer = await scene.pool.usage();
	// XFS gives space back in the background.
	for (let after = fs.statfsSync(scene.dir); after.bfree !== before.bfree; after = fs.statfsSync(scene.dir)) {
		before = fs.statfsSync(scene.dir);
		answer = await scene.pool.usage();
	}
	const { bsize, blocks, bfree } = before;
	const { size, usage, details } = answer;
	t.deepEqual(
		[...details],
		[
			["data_size", bsize * blocks],
			["data_usage", bsize * (blocks - bfree)],
		],
	);
	t.deepEqual([size, usage], [bsize * blocks, bsize * (blocks - bfree)]);
});

scenario("9 a pool that is removed leaves all files", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await scene.pool.settled();
	const before = scene.snapshotOfTree();
	await scene.pool.destroy();
	t.deepEqual(scene.snapshotOfTree(), before);
});

scenario(
	"10 a volume that makes no sense is refused, with nothing on the disk and its configuration as it was",
	ALL,
	async (t, scene) => {
		const good = { name: "private", rw: true, saveOnStop: true, size: 5 };
		const source = scene.origin({ name: "root" });
		const foreign = scene.makePool(`${scene.root}/other`, "other").initVolume(APPVM, good);
		const before = scene.snapshotOfTree();
		const wrong: [string, VolumeConfig, string, RegExp][] = [
			["servicevms", good, "StoragePoolException", /in "servicevms": want appvms or vm-templates/],
			["appvms", { ...good, vid: "../x/y" }, "StoragePoolException", /invalid volume id "..\/x\/y"/],
			["appvms", { ...good, vid: "appvms/x/../y" }, "StoragePoolException", /invalid volume id/],
			["appvms", { ...good, vid: "/appvms/x" }, "StoragePoolException", /invalid volume id/],
			["appvms", { ...good, vid: "appvms//x" }, "StoragePoolException", /invalid volume id/],
			["appvms", { ...good, vid: "elsewhere/x/y" }, "StoragePoolException", /invalid volume id/],
			["appvms", { ...good, vid: "appvms/x/a~b" }, "StoragePoolException", /invalid volume id/],
			["appvms", { ...good, vid: "appvms/x/a\0b" }, "StoragePoolException", /invalid volume id/],
			["appvms", { ...good, vid: "appvms/x/y-precache" }, "StoragePoolException", /invalid volume name "y-precache"/],
			...["private-dirty", "private-precache", "private-import", "private-cow"].map(
				(name): [string, VolumeConfig, string, RegExp] => [
					"appvms",
					{ ...good, name },
					"StoragePoolException",
					/files would be those of another/,
				],
			),
			["appvms", { ...good, name: "a/b" }, "StoragePoolException", /invalid volume/],
			["appvms", { ...good, snapOnStart: true, source }, "QubesNotImplementedError", /begins anew/],
			["appvms", { ...good, source }, "StoragePoolException", /"private" has a source, but not snap_on_start/],
			[
				"appvms",
				{ ...good, saveOnStop: false, snapOnStart: true },
				"StoragePoolException",
				/"private" has snap_on_start: want a source/,
			],
			[
				"appvms",
				{ ...good, saveOnStop: false, snapOnStart: true, source: foreign },
				"StoragePoolException",
				/source of volume "private" is in pool "other"/,
			],
			["appvms", { ...good, revisionsToKeep: -2 }, "QubesValueError", /revisions_to_keep -2/],
			["appvms", { ...good, size: -1 }, "QubesValueError", /invalid size -1/],
			["appvms", { ...good, size: 2 ** 53 }, "QubesValueError", /invalid size 9007199254740992/],
		];
		for (const [dirPrefix, config, kind, message] of wrong) {
			const given = Object.freeze({ ...config });
			const error = t.throws(() => scene.pool.initVolume({ name: "work", dirPrefix }, given), { message });
			t.is((error as { kind?: string }).kind, kind, error.message);
		}
		t.deepEqual(scene.snapshotOfTree(), before);
		t.deepEqual(
			scene.pool.volumes().map(({ vid }) => vid),
			["appvms/work/root"],
		);
	},
);

scenario("a volume takes what its configuration leaves open from the pool, and is found by its id", ALL, async (t, scene) => {
	scene.pool.revisionsToKeep = 4;
	const volume = scene.pool.initVolume(APPVM, { name: "private", saveOnStop: true });
	t.deepEqual(
		[volume.vid, volume.revisionsToKeep, volume.size, volume.rw, volume.ephemeral, volume.path],
		["appvms/work/private", 4, 0, false, undefined, path.join(scene.dir, "appvms/work/private-dirty.img")],
	);
	t.is(scene.pool.getVolume("appvms/work/private"), volume);
	scene.pool.revisionsToKeep = 2;
	t.is(volume.revisionsToKeep, 4, "only new volumes follow");
	const again = scene.pool.initVolume(APPVM, { name: "private", saveOnStop: true });
	t.deepEqual(scene.pool.volumes(), [again]);
	const error = t.throws(() => scene.pool.getVolume("appvms/work/none"), {
		message: 'pool "pool" has no volume "appvms/work/none"',
	});
	t.is((error as { kind?: string }).kind, "StoragePoolException");
	t.throws(() => Object.assign(volume, { revisionsToKeep: -2 }), { message: /revisions_to_keep -2/ });
});

scenario(
	"a pool that was made without the check says once for each start of the daemon that it has no reflinks",
	"ET",
	async (t, scene) => {
		const volume = await scene.originAfter("A", "B");
		t.is(scene.lines(/has no reflinks/, "warning").length, 1);
		await (await scene.restart(volume)).stop();
		await scene.pool.settled();
		t.is(scene.lines(/has no reflinks/, "warning").length, 2);
	},
);

function makeDriver(options: { readonly [name: string]: string }): ReturnType<NonNullable<(typeof storageDrivers)[string]>> {
	const make = storageDrivers["file-reflink"];
	if (make === undefined) throw new Error("no driver");
	return make({ name: "pool", options: new Map(Object.entries(options)) }, { log: () => undefined });
}

scenario("nothing is put where the pool is not mounted, on another file system than before", "BX", async (t, scene) => {
	const [volume, source] = [scene.origin(), scene.origin({ name: "source" })];
	await volume.create();
	await source.create();
	const elsewhere = fs.mkdtempSync("/dev/shm/qubes-storage-");
	t.teardown(() => fs.rmSync(elsewhere, { recursive: true }));
	fs.mkdirSync(`${elsewhere}/appvms`);
	await scene.pool.settled();
	fs.renameSync(scene.dir, `${scene.dir}-away`);
	fs.symlinkSync(elsewhere, scene.dir);
	await scene.refused(volume.importData(MIB), /is on another file system than before: is the pool mounted/);
	await scene.refused(volume.importVolume(source), /is on another file system than before: is the pool mounted/);
	await scene.refused(volume.start(), /there is no ".*private.img"/);
	t.deepEqual(fs.readdirSync(`${elsewhere}/appvms`), []);
	fs.unlinkSync(scene.dir);
	fs.renameSync(`${scene.dir}-away`, scene.dir);
	await scene.run(volume, "A");
});

scenario("a removal where the pool is not mounted says that nothing was removed", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await scene.pool.settled();
	fs.renameSync(scene.dir, `${scene.dir}-away`);
	await volume.remove();
	fs.renameSync(`${scene.dir}-away`, scene.dir);
	t.is(scene.lines(/nothing of volume "appvms\/work\/private" .* is removed, .*: is the pool mounted\?/, "warning").length, 1);
	t.true(fs.existsSync(scene.file(volume)));
	fs.rmSync(`${scene.dir}/appvms/work`, { recursive: true });
});

scenario("a pool that was removed can be unmounted at once", "BX", async (t, scene) => {
	const volume = scene.origin({ size: 2 * LONG_BYTES });
	await volume.create();
	await volume.start();
	fs.writeFileSync(volume.path, Buffer.alloc(LONG_BYTES + MIB, 1), { flag: "r+" });
	await volume.stop();
	await volume.remove();
	await scene.pool.destroy();
	t.deepEqual(openFiles(scene.dir), []);
});
