// Scenarios 11 to 23 of spec section 11: the life of a volume that keeps its state.
import fs from "node:fs";
import path from "node:path";
import { MIB, make, read, write } from "./images.ts";
import { ALL, scenario } from "./scene.ts";

scenario("11 create makes an empty image, and a precache like it where there are reflinks", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await scene.pool.settled();
	t.deepEqual(scene.names("appvms/work"), [...(scene.hasReflinks ? ["private-precache.img"] : []), "private.img"]);
	const { size, blocks } = fs.statSync(scene.file(volume));
	t.deepEqual([size, blocks], [MIB, 0]);
	t.deepEqual(
		[volume.size, volume.usage, [...volume.revisions], volume.isDirty(), volume.isOutdated()],
		[MIB, 0, [], false, false],
	);
});

scenario("12 create over leftovers leaves nothing of them (6659ed8d, d301aa2e)", ALL, async (t, scene) => {
	const volume = scene.origin();
	const directory = path.join(scene.dir, "appvms/work");
	fs.mkdirSync(directory);
	make(scene.file(volume), "X", 2 * MIB);
	const leftovers = ["private-dirty.img", "private.img.5@2026-01-01T00:00:00Z", "private-import.img", "private.img~abcd1234"];
	for (const name of [...leftovers, "private.img.5@2026-01-01T00:00:00Z~abcd_234"]) make(path.join(directory, name), "Y");
	t.is(volume.size, MIB, "that of the dirty image");
	await volume.create();
	await scene.pool.settled();
	t.deepEqual(
		scene.names("appvms/work").filter((name) => name !== "private-precache.img"),
		["private.img"],
	);
	t.deepEqual([volume.size, scene.clean(volume), [...volume.revisions], volume.isDirty()], [MIB, "∅", [], false]);
});

scenario(
	"13 start gives the qube an image of its own with the same bytes (46e355f7: by a rename where there is a precache)",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		const { ino } = fs.statSync(scene.file(volume));
		const clones = scene.lines(/: reflinked /).length;
		await volume.start();
		t.true(fs.readFileSync(scene.file(volume)).equals(fs.readFileSync(volume.path)));
		t.is(fs.statSync(scene.file(volume)).ino, ino);
		t.not(fs.statSync(volume.path).ino, ino);
		t.false(fs.existsSync(scene.file(volume, "-precache.img")));
		t.true(volume.isDirty());
		t.is(scene.lines(/: reflinked /).length, clones, "no clone");
	},
);

scenario(
	"14 a run becomes the clean image, and the state before a revision with the time of its image (677183d8, d9be5402)",
	ALL,
	async (t, scene) => {
		const volume = scene.origin();
		await volume.create();
		const { mtimeMs, ino } = fs.statSync(scene.file(volume));
		await scene.run(volume, "A");
		t.is(scene.clean(volume), "A");
		t.false(fs.existsSync(volume.path));
		t.deepEqual(scene.revisions(volume), { "1": "∅" });
		const time = new Date(mtimeMs).toISOString().slice(0, 19);
		t.deepEqual([...volume.revisions], [["1", time]]);
		const revision = fs.statSync(scene.file(volume, `.img.1@${time}Z`));
		t.is(revision.ino, ino, "it is the old image itself");
		t.false(volume.isDirty());
	},
);

scenario("15 as many revisions stay as are to be kept, those with the highest ids", ALL, async (t, scene) => {
	const two = scene.origin({ name: "two", revisionsToKeep: 2 });
	await two.create();
	await scene.run(two, "A", "B", "C");
	t.deepEqual([scene.clean(two), scene.revisions(two)], ["C", { "2": "A", "3": "B" }]);
	const none = scene.origin({ name: "none", revisionsToKeep: 0 });
	await none.create();
	await scene.run(none, "A", "B");
	t.deepEqual([scene.clean(none), scene.revisions(none)], ["B", {}]);
	const fewer = scene.origin({ name: "fewer", revisionsToKeep: 3 });
	await fewer.create();
	await scene.run(fewer, "A", "B");
	fewer.revisionsToKeep = 1;
	t.deepEqual(scene.revisions(fewer), { "1": "∅", "2": "A" }, "not before the next commit");
	await scene.run(fewer, "C");
	t.deepEqual([scene.clean(fewer), scene.revisions(fewer)], ["C", { "3": "B" }]);
});

scenario("16 a second start and a second stop change nothing (88fa6b47)", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await volume.start();
	write(volume.path, "A");
	const started = scene.snapshotOfTree();
	await volume.start();
	t.deepEqual(scene.snapshotOfTree(), started);
	await volume.stop();
	await scene.pool.settled();
	const stopped = scene.snapshotOfTree();
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual(scene.snapshotOfTree(), stopped);
	t.deepEqual(scene.revisions(volume), { "1": "∅" });
});

scenario("17 after a crash a stop commits, a start resumes, and the state is committed once", ALL, async (t, scene) => {
	let volume = scene.origin({ revisionsToKeep: 3 });
	await volume.create();
	await volume.start();
	write(volume.path, "A");
	volume = await scene.restart(volume);
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", { "1": "∅" }]);
	await volume.start();
	write(volume.path, "B");
	volume = await scene.restart(volume);
	await volume.start();
	t.deepEqual([read(volume.path), scene.clean(volume), scene.revisions(volume)], ["B", "A", { "1": "∅" }]);
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "1": "∅", "2": "A" }]);
});

scenario("17 a start resumes what a crash has left also where the next start is prepared", "BX", async (t, scene) => {
	let volume = scene.origin({ revisionsToKeep: 3 });
	await volume.create();
	await scene.run(volume, "A");
	make(volume.path, "B");
	volume = await scene.restart(volume);
	t.true(fs.existsSync(scene.file(volume, "-precache.img")));
	await volume.start();
	t.is(read(volume.path), "B");
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "1": "∅", "2": "A" }]);
});

scenario("a start for which all is prepared removes what an operation that was broken off has left", "BX", async (t, scene) => {
	const volume = await scene.originAfter("A");
	for (const name of [".img~abcd1234", "-precache.img~abcd1234", "-dirty.img~abcd1234"]) make(scene.file(volume, name), "X");
	const clones = scene.lines(/: reflinked /).length;
	await volume.start();
	await scene.pool.settled();
	t.is(scene.lines(/: reflinked /).length, clones, "it was prepared");
	t.deepEqual(
		scene.names("appvms/work").filter((name) => !name.includes("@")),
		["private-dirty.img", "private.img"],
	);
	t.is(read(volume.path), "A");
});

scenario("18 a clean image that was changed by other hands is what a start takes, with a warning", "BX", async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	const edits = [(): void => make(scene.file(volume), "Y", 2 * MIB), (): void => fs.utimesSync(scene.file(volume), 1, 1)];
	for (const [index, edit] of edits.entries()) {
		await scene.run(volume, "A");
		edit();
		const size = fs.statSync(scene.file(volume)).size;
		await volume.start();
		t.deepEqual([read(volume.path), volume.size], [scene.clean(volume), size]);
		t.false(fs.existsSync(scene.file(volume, "-precache.img")));
		t.is(scene.lines(/has been changed by other hands/, "warning").length, index + 1);
		await volume.stop();
	}
});

scenario("19 a precache that is gone does not matter", "BX", async (t, scene) => {
	const volume = await scene.originAfter("A");
	fs.unlinkSync(scene.file(volume, "-precache.img"));
	await volume.start();
	t.is(read(volume.path), "A");
	t.deepEqual(scene.lines(/other hands/, "warning"), []);
});

scenario(
	"20 without clean and dirty image nothing starts, the error has the path, and nothing is lost",
	ALL,
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		fs.unlinkSync(scene.file(volume));
		const before = scene.snapshotOfTree();
		await scene.refused(volume.verify(), /there is no ".*\/appvms\/work\/private.img"/);
		await scene.refused(volume.start(), /there is no ".*\/appvms\/work\/private.img"/);
		await scene.refused(volume.resize(2 * MIB), /there is no/);
		await scene.refused(volume.export(), /there is no/);
		t.deepEqual(scene.snapshotOfTree(), before);
		fs.rmSync(scene.file(volume, "-precache.img"), { force: true });
		await volume.revert();
		await scene.pool.settled();
		t.is(scene.clean(volume), "∅", "a revision can take its place");
	},
);

scenario("21 a volume that was never created says so, and answers with its nominal size", ALL, async (t, scene) => {
	const volume = scene.origin();
	await scene.refused(
		volume.verify(),
		`volume "appvms/work/private" of pool "pool" cannot be started: there is no ${JSON.stringify(scene.file(volume))}`,
	);
	t.deepEqual([volume.size, volume.usage, volume.isDirty(), [...volume.revisions]], [MIB, 0, false, []]);
	t.false(fs.existsSync(path.dirname(scene.file(volume))));
});

scenario("22 remove leaves no file, no directory, and an object that refuses everything (a5b990b1)", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 3 });
	await volume.create();
	await scene.run(volume, "A", "B", "C");
	await volume.start();
	await volume.remove();
	t.deepEqual(scene.names("appvms"), []);
	t.deepEqual(scene.pool.volumes(), []);
	t.throws(() => scene.pool.getVolume(volume.vid));
	const calls = [
		volume.create(),
		volume.start(),
		volume.stop(),
		volume.verify(),
		volume.resize(1),
		volume.revert(),
		volume.export(),
	];
	for (const call of [...calls, volume.importData(1), volume.importDataEnd(true), volume.remove()])
		await scene.refused(call, /removed/);
	const other = scene.origin({ revisionsToKeep: 3 });
	await other.create();
	await scene.pool.settled();
	fs.writeFileSync(path.join(scene.dir, "appvms/work/notes.txt"), "");
	await other.remove();
	t.deepEqual(scene.names("appvms/work"), ["notes.txt"]);
});

scenario("23 files of other volumes and of the user are never touched (62f20255, W4, W5)", ALL, async (t, scene) => {
	const volume = scene.origin();
	const other = scene.origin({ name: "private2" });
	const aliens = ["private.img~", "private.img.bak", "private.img.foo@2020-01-01T00:00:00Z", "private.img@2018-01-02T03:04:05Z"];
	const further = [
		"private.img.0@2020-01-01T00:00:00Z",
		"private.img~ABCDEFGH",
		"private-dirty.img~abcd12345",
		"private-cow.img",
	];
	await volume.create();
	await other.create();
	const files = [...aliens, ...further, "private2-dirty.img~abcd1234"].map((name) => path.join(scene.dir, "appvms/work", name));
	for (const file of files) make(file, "K");
	await scene.run(volume, "A", "B");
	t.deepEqual(scene.revisions(volume), { "2": "A" });
	await volume.remove();
	for (const file of files) t.is(read(file), "K", file);
	t.is(scene.lines(/is not a file of this driver/, "warning").length, 7, "once for each that looks like one");
	fs.unlinkSync(files.at(-1) as string);
});

scenario("a volume whose object was replaced waits for what the older object is doing", ALL, async (t, scene) => {
	const old = scene.origin({ revisionsToKeep: 2 });
	await old.create();
	await old.start();
	write(old.path, "A");
	const stop = old.stop();
	const volume = scene.origin({ revisionsToKeep: 2 });
	await Promise.all([stop, volume.start()]);
	t.deepEqual([read(volume.path), scene.clean(volume), scene.revisions(volume)], ["A", "A", { "1": "∅" }]);
	const removal = volume.remove();
	const next = scene.origin({ revisionsToKeep: 2 });
	await Promise.all([removal, next.create()]);
	await next.verify();
	t.deepEqual([scene.clean(next), next.isDirty(), scene.pool.volumes()], ["∅", false, [next]]);
});

scenario("all images have mode 0600 whatever the umask is (d4b1794c)", ALL, async (t, scene) => {
	for (const mask of [0o777, 0]) {
		const before = process.umask(mask);
		const volume = scene.origin({ name: `mask${mask}`, revisionsToKeep: 2 });
		try {
			fs.mkdirSync(path.join(scene.dir, "appvms/work"), { recursive: true });
			fs.chmodSync(path.join(scene.dir, "appvms/work"), 0o755);
			await volume.create();
			await scene.run(volume, "A");
			await volume.importData(5);
			await volume.importDataEnd(true);
			await volume.start();
			await scene.pool.settled();
		} finally {
			process.umask(before);
		}
		t.is(Object.keys(scene.revisions(volume)).length, 2);
	}
});

scenario("55 without reflinks there is no precache, a start copies once and a stop never (W19)", "ET", async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	for (const [index, letter] of ["A", "B", "C"].entries()) {
		await volume.start();
		t.is(scene.lines(/: copying /).length, index + 1);
		write(volume.path, letter);
		await volume.stop();
		await scene.pool.settled();
		t.is(scene.lines(/: copying /).length, index + 1);
		t.false(fs.existsSync(scene.file(volume, "-precache.img")));
	}
	t.deepEqual(scene.lines(/cannot share/, "warning"), [], "it is no surprise here");
});

scenario("the size is that of the file, whoever changed it (2b4b45ea)", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await volume.start();
	fs.truncateSync(volume.path, 2 * MIB);
	t.is(volume.size, 2 * MIB);
	await volume.stop();
	await scene.pool.settled();
	t.is(volume.size, 2 * MIB);
	t.is((await scene.restart(volume)).size, 2 * MIB);
});
