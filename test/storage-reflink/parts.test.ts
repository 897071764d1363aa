// The small parts of the driver on their own, and what needs an odd file system to be seen.
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { storageDrivers } from "../../storage-reflink/index.ts";
import { LONG_BYTES, longClones, longFlushes, viaLane } from "../../storage-reflink/lanes.ts";
import { ImageNames, temporaryName } from "../../storage-reflink/names.ts";
import { isSameTime } from "../../storage-reflink/stats.ts";
import { Turns } from "../../storage-reflink/turns.ts";
import { failure, lookBeforeEachCall } from "./before-each-call.ts";
import { call } from "./file-systems.ts";
import { MIB, make, openFiles, read, write } from "./images.ts";
import { ALL, mountedOnce, onFileSystem, Scene, scenario } from "./scene.ts";

test("the manifest names the driver, its options in their order, and the module that has it (a8600816)", (t) => {
	const manifest = JSON.parse(fs.readFileSync("storage-reflink/manifest.json", "utf8"));
	t.deepEqual(
		manifest.storageDrivers.map(({ name, options }: { name: string; options: { name: string }[] }) => [
			name,
			...options.map((one) => one.name),
		]),
		[["file-reflink", "revisions_to_keep", "dir_path", "setup_check", "ephemeral_volatile"]],
	);
	t.deepEqual(Object.keys(storageDrivers), ["file-reflink"]);
});

test("only a volume's own files are recognised", (t) => {
	const names = new ImageNames("/p", "appvms/work/private");
	const own = [
		"private.img",
		"private-dirty.img",
		"private-precache.img",
		"private-import.img",
		"private.img.12@2026-08-18T15:49:46Z",
	];
	const temporary = own.map((name) => `${name}~ab_12345`);
	const found = names.sort([...own, ...temporary, "private.img.9@2026-08-18T15:49:46Z"]);
	t.deepEqual([found.clean, found.dirty, found.precache, found.importing], [true, true, true, true]);
	t.deepEqual(
		found.revisions.map(({ id, time }) => `${id} ${time}`),
		["9 2026-08-18T15:49:46", "12 2026-08-18T15:49:46"],
	);
	t.deepEqual(
		found.temporaries.map((file) => file.replace("/p/appvms/work/", "")),
		temporary,
	);
	t.deepEqual(found.alien, []);
	const others = [
		...["private2.img", "private2-dirty.img~ab_12345", "privat.img", "xprivate.img", "root.img", "private-cow.img", "notes"],
		...[
			"private.img.01@2026-08-18T15:49:46Z",
			"private.img.0@2026-08-18T15:49:46Z",
			"private.img.1@2026-08-18T15:49:46",
			"private.img~",
		],
		...[
			"private.img.1@2026-8-18T15:49:46Z",
			"private.img.1@2026-08-18T15:49:46Z~AB_12345",
			"private.img~ab_12345~ab_12345",
			"private.img~ab_1234",
		],
	];
	const none = names.sort(others);
	t.deepEqual(
		[none.clean, none.dirty, none.precache, none.importing, none.revisions, none.temporaries],
		[false, false, false, false, [], []],
	);
	t.deepEqual(none.alien, others.slice(7));
	t.regex(temporaryName("/p/x.img"), /^\/p\/x\.img~[a-z0-9_]{8}$/);
});

test("ids of revisions are numbers of any length", (t) => {
	const found = new ImageNames("/p", "appvms/work/x").sort(
		["9", "10", "99999999999999999999", "100000000000000000000"].map((id) => `x.img.${id}@2026-08-18T15:49:46Z`),
	);
	t.is(`${found.revisions.at(-1)?.id}`, "100000000000000000000");
});

test("turns come in order, wait for what was left for later, and go on after a failure", async (t) => {
	const turns = new Turns();
	const seen: string[] = [];
	const first = turns.take(async () => {
		turns.later(async () => {
			await new Promise((resolve) => setTimeout(resolve, 10));
			seen.push("later");
		});
		seen.push("first");
		throw new Error("no");
	});
	const second = turns.take(async () => void seen.push("second"));
	t.false(turns.isIdle);
	await t.throwsAsync(first, { message: "no" });
	t.deepEqual(seen, ["first"], "the caller does not wait for later");
	await second;
	await turns.settled();
	t.deepEqual(seen, ["first", "later", "second"]);
	t.true(turns.isIdle);
});

test("of long works fewer go on at once than Node has workers, short ones are never held up, and a failure frees its place", async (t) => {
	let [running, most] = [0, 0];
	const work = async (): Promise<void> => {
		running++;
		most = Math.max(most, running);
		await new Promise((resolve) => setTimeout(resolve, 5));
		running--;
		if (most % 2 === 0) throw new Error("failed");
	};
	const clones = Array.from({ length: 9 }, () => viaLane(longClones, LONG_BYTES, work));
	const flushes = Array.from({ length: 4 }, () => viaLane(longFlushes, LONG_BYTES, work));
	t.is(await viaLane(longClones, LONG_BYTES - 1, async () => "at once"), "at once");
	t.is(running, 3);
	await Promise.allSettled([...clones, ...flushes]);
	t.deepEqual([running, most], [0, 3]);
});

test("times are the same to a microsecond", (t) => {
	t.true(isSameTime(1_000_000n, 1_001_000n) && isSameTime(1_001_000n, 1_000_000n));
	t.false(isSameTime(1_000_000n, 1_001_001n) || isSameTime(1_001_001n, 1_000_000n));
});

for (const kind of ["btrfs", "ext4"] as const) {
	onFileSystem(`the check of set-up uses named files where there are no unnamed ones, and leaves none (${kind})`, async (t) => {
		const scene = new Scene(t, mountedOnce(kind));
		scene.options = { setup_check: "yes" };
		await lookBeforeEachCall((call, [, flags]) => {
			if (call === "open" && typeof flags === "number" && (flags & 0o20000000) !== 0) throw failure("EOPNOTSUPP", "open");
		});
		const setup = scene.makePool().setup();
		if (kind === "btrfs") await setup;
		else await scene.refused(setup, /setup_check=no/);
		await lookBeforeEachCall(null);
		t.deepEqual(fs.existsSync(scene.dir) ? scene.names() : [], kind === "btrfs" ? ["appvms", "vm-templates"] : []);
	});
}

onFileSystem("set-up passes on what is neither a yes nor a no, and removes what it made", async (t) => {
	const scene = new Scene(t, mountedOnce("btrfs"));
	await lookBeforeEachCall((call) => {
		if (call === "copyFile") throw failure("EIO", "copyfile");
	});
	await scene.refused(scene.makePool().setup(), /cannot set up a pool in ".*": EIO/);
	await lookBeforeEachCall(null);
	t.false(fs.existsSync(scene.dir));
});

for (const errno of ["EMLINK", "EPERM", "EXDEV"]) {
	scenario(
		`where a file cannot be linked (${errno}), revisions and snapshots are copies with the same time`,
		ALL,
		async (t, scene) => {
			const volume = scene.origin({ revisionsToKeep: 2 });
			const snapshot = scene.snapshot(volume, { name: "dvm", dirPrefix: "appvms" });
			await volume.create();
			await scene.run(volume, "A");
			await lookBeforeEachCall((call) => {
				if (call === "link") throw failure(errno, "link");
			});
			await scene.run(volume, "B");
			await snapshot.start();
			await lookBeforeEachCall(null);
			t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "1": "∅", "2": "A" }]);
			t.deepEqual([read(snapshot.path), snapshot.isOutdated()], ["B", false]);
			await scene.run(volume, "C");
			t.true(snapshot.isOutdated());
		},
	);
}

scenario("where a file cannot be linked, a stop that cannot write down the run leaves no revision", ALL, async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.start();
	write(volume.path, "B");
	let syncs = 0;
	await lookBeforeEachCall((call) => {
		if (call === "link") throw failure("EMLINK", "link");
		if (call === "sync" && ++syncs === 1) throw failure("EIO", "fsync");
	});
	await scene.refused(volume.stop(), /cannot stop volume .*: EIO/);
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", { "1": "∅" }]);
	await volume.stop();
	await scene.pool.settled();
	await lookBeforeEachCall(null);
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "2": "A" }]);
});

scenario("a rename is in the log also where its directory cannot be opened to write it down", "E", async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.start();
	write(volume.path, "B");
	await lookBeforeEachCall((call, [file]) => {
		if (call === "open" && file === `${scene.dir}/appvms/work`) throw failure("EMFILE", "open");
	});
	await scene.refused(volume.stop(), /cannot stop volume .*: EMFILE/);
	await lookBeforeEachCall(null);
	t.is(scene.clean(volume), "B");
	t.is(scene.lines(/: renamed ".*-dirty.img" to ".*private.img"/).length, 2);
});

for (const errno of ["EIO", "ENOSPC", "EPERM", "ENOMEM"]) {
	scenario(`a clone that fails with ${errno} is an error, not a copy (ba662d28)`, "BX", async (t, scene) => {
		const volume = scene.origin();
		const source = scene.origin({ name: "source" });
		for (const one of [volume, source]) await one.create();
		await scene.run(source, "A");
		await lookBeforeEachCall((call) => {
			if (call === "copyFile") throw failure(errno, "copyfile");
		});
		await scene.refused(volume.importVolume(source), new RegExp(`cannot clone into volume .*: ${errno}`));
		await lookBeforeEachCall(null);
		t.deepEqual([scene.clean(volume), scene.lines(/copying/)], ["∅", []]);
	});
}

scenario("a precache that cannot be made is a warning, and the stop has succeeded (W12)", "BX", async (t, scene) => {
	const volume = await scene.originAfter("A");
	await volume.start();
	write(volume.path, "B");
	await lookBeforeEachCall((call) => {
		if (call === "copyFile") throw failure("ENOSPC", "copyfile");
	});
	await volume.stop();
	await scene.pool.settled();
	await lookBeforeEachCall(null);
	t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["B", { "2": "A" }], "the old revisions are pruned all the same");
	t.is(scene.lines(/cannot prepare the next start of volume "appvms\/work\/private".*ENOSPC/, "warning").length, 1);
	await volume.start();
	t.is(read(volume.path), "B");
});

scenario("Q4 where an image cannot share its data, nothing is prepared, rather than by a full copy", "B", async (t, scene) => {
	const directory = `${scene.dir}/appvms/work`;
	fs.mkdirSync(directory);
	call("chattr", "+C", directory);
	const volume = await scene.originAfter("A");
	call("chattr", "-C", directory);
	await scene.run(volume, "B");
	t.false(fs.existsSync(scene.file(volume, "-precache.img")));
	t.deepEqual(scene.lines(/: copying /), []);
	t.is(scene.lines(/cannot prepare the next start of .*cannot share the data of ".*private.img": EINVAL/, "warning").length, 1);
	await volume.start();
	t.is(read(volume.path), "B");
});

scenario("a clean image that is also the dirty one, by other hands, is committed as one file", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 0 });
	await volume.create();
	await scene.pool.settled();
	fs.linkSync(scene.file(volume), volume.path);
	write(volume.path, "A");
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), volume.isDirty()], ["A", false]);
});

scenario("long images are removed and replaced at once and freed in the background (W2)", "BX", async (t, scene) => {
	const size = LONG_BYTES + MIB;
	const scratch = scene.volatile({ size });
	const volume = scene.origin({ size, revisionsToKeep: 0 });
	await volume.create();
	for (const one of [scratch, volume]) {
		await one.start();
		fs.writeFileSync(one.path, Buffer.alloc(size, 1), { flag: "r+" });
	}
	t.true(scratch.usage >= LONG_BYTES);
	await scratch.stop();
	await volume.stop();
	await volume.start();
	await volume.stop();
	await volume.remove();
	await scene.pool.settled();
	t.deepEqual(openImages(), []);
	await scene.run(scratch);
	t.deepEqual(scene.names("appvms"), []);
});

scenario(
	"a run with a long image that is not kept is removed at once: it is held open until after the stop (W2)",
	"BX",
	async (t, scene) => {
		const size = LONG_BYTES + MIB;
		const source = scene.origin({ size });
		const snapshot = scene.snapshot(source, { name: "dvm", dirPrefix: "appvms" });
		await source.create();
		await source.start();
		fs.writeFileSync(source.path, Buffer.alloc(size, 1), { flag: "r+" });
		await source.stop();
		await snapshot.start();
		await scene.pool.settled();
		await snapshot.stop();
		t.true(openImages().includes(`${snapshot.path} (deleted)`));
		await scene.pool.settled();
		t.deepEqual(openImages(), []);
	},
);

scenario(
	"what an image has occupied is freed after the next start is prepared, as that slows down clones",
	"BX",
	async (t, scene) => {
		const volume = scene.origin({ size: LONG_BYTES + MIB, revisionsToKeep: 0 });
		await volume.create();
		const waiting: boolean[] = [];
		for (let run = 0; run < 2; run++) {
			await volume.start();
			fs.writeFileSync(volume.path, Buffer.alloc(LONG_BYTES + MIB, run), { flag: "r+" });
			await lookBeforeEachCall((call, [, to]) => {
				if (call === "copyFile" && `${to}`.includes("-precache.img~"))
					waiting.push(openImages().some((file) => file.endsWith("(deleted)")));
			});
			await volume.stop();
			await scene.pool.settled();
			await lookBeforeEachCall(null);
		}
		t.deepEqual(waiting, [false, true]);
	},
);

scenario("after an operation everything of the pool is closed again, though nobody waits for the pool", ALL, async (t, scene) => {
	t.deepEqual(openFiles(scene.root), [], "set-up");
	const volume = scene.origin({ size: 16_384 });
	for (const operation of ["create", "start", "stop", "revert", "start", "stop"] as const) {
		await volume[operation]();
		const isPrepared = !scene.hasReflinks || operation === "start";
		while (!isPrepared && !fs.existsSync(scene.file(volume, "-precache.img"))) await sleep(5);
		for (let tries = 1; openFiles(scene.dir).length > 0 && tries < 1000; tries++) await sleep(5);
		t.deepEqual(openFiles(scene.dir), [], operation);
	}
});

scenario("a program that is missing is told, and nothing is tried again", "BX", async (t, scene) => {
	const volume = scene.origin();
	const { PATH } = process.env;
	process.env["PATH"] = "/nowhere";
	try {
		await volume.create();
		await scene.pool.settled();
	} finally {
		process.env["PATH"] = PATH;
	}
	t.is(scene.lines(/cannot prepare the next start of .*: cannot run touch: .*ENOENT/, "warning").length, 1);
	t.is(scene.lines(/: reflinked /).length, 1);
});

/** Images that this process still has open. */
function openImages(): string[] {
	return openFiles("/").filter((file) => file.includes(".img"));
}

scenario("no name can forge a line of the log", ALL, async (t, scene) => {
	const volume = scene.origin({}, { name: 'a" to "b', dirPrefix: "appvms" });
	await volume.create();
	t.regex(scene.lines(/created sparse/)[0] as string, /"\S+\/appvms\/a\\" to \\"b\/private.img~\w{8}" of 1048576 bytes$/);
	make(`${scene.dir}/appvms/a" to "b/private.img\n<3>forged`, "X");
	await volume.stop();
	t.is(scene.lines(/private\.img\\n<3>forged/, "warning").length, 1);
	t.true(scene.log.every(({ line }) => !line.includes("\n")));
});
