// Who shares what (issue 4, item 6; spec section 13, Q7), with sharing that is known, on real file systems.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import test, { type ExecutionContext } from "ava";
import type { PoolSpace, Volume } from "../../admin-core/model/storage/contract.ts";
import { readExtents } from "../../storage-reflink/extents.ts";
import { Sharing } from "../../storage-reflink/sharing.ts";
import { call } from "./file-systems.ts";
import { MIB } from "./images.ts";
import { ALL, type Scene, scenario, TEMPLATE } from "./scene.ts";

/** Writes into each of some MiB of an image, so that each is an extent of its own. */
function writeMebibytes(image: string, ...places: readonly number[]): void {
	const file = fs.openSync(image, "r+");
	for (const place of places) {
		fs.writeSync(file, Buffer.alloc(MIB, "x"), 0, MIB, place * MIB);
		fs.fsyncSync(file);
	}
	fs.closeSync(file);
}

async function run(scene: Scene, volume: Volume, ...places: readonly number[]): Promise<void> {
	await volume.start();
	writeMebibytes(volume.path, ...places);
	await volume.stop();
	await scene.pool.settled();
}

function spaceOf({ pool }: Scene): Promise<PoolSpace> {
	if (pool.space === undefined) throw new Error("no space");
	return pool.space();
}

/** In MiB: exclusive, shared, and of each volume its own and that of its revisions. */
async function figures(scene: Scene): Promise<unknown> {
	await scene.pool.settled();
	call("sync", "--file-system", scene.dir);
	const { exclusive, shared, volumes } = await spaceOf(scene);
	const own = volumes.map(({ vid, exclusive, revisions }) => [
		vid.replace(/.*\//, ""),
		exclusive / MIB,
		Object.fromEntries([...revisions].map(([id, bytes]) => [id, bytes / MIB])),
	]);
	return [exclusive / MIB, shared / MIB, ...own];
}

/** What was removed may be there for a moment longer: both file systems free in the background. */
async function expectFigures(t: ExecutionContext, scene: Scene, expected: unknown, message?: string): Promise<void> {
	for (let tries = 0; tries < 300 && !isDeepStrictEqual(await figures(scene), expected); tries++) await sleep(10);
	t.deepEqual(await figures(scene), expected, message);
}

scenario("13.Q7 of each volume and revision it is known what its removal would free", "BX", async (t, scene) => {
	const one = scene.origin({ name: "one", size: 8 * MIB, revisionsToKeep: 3 });
	await expectFigures(t, scene, [0, 0, ["one", 0, {}]], "nothing is there");
	await one.create();
	await run(scene, one, 0, 1, 2, 3);
	await expectFigures(t, scene, [4, 0, ["one", 4, { "1": 0 }]], "the precache shares all of it, but is of the same volume");
	await run(scene, one, 0);
	await expectFigures(t, scene, [5, 0, ["one", 5, { "1": 0, "2": 1 }]]);
	const two = scene.origin({ name: "two" });
	await two.create();
	await two.importVolume(one);
	await expectFigures(t, scene, [1, 4, ["one", 1, { "1": 0, "2": 1 }], ["two", 0, { "1": 0 }]]);
	await run(scene, two, 0, 1);
	await expectFigures(t, scene, [3, 4, ["one", 1, { "1": 0, "2": 1 }], ["two", 2, { "2": 0 }]], "a revision of two has it still");
	await one.remove();
	await expectFigures(t, scene, [6, 0, ["two", 6, { "2": 2 }]]);
});

scenario("13.Q7 what a revision frees is free after its removal", "BX", async (t, scene) => {
	const volume = scene.origin({ size: 64 * MIB, revisionsToKeep: 1 });
	await volume.create();
	await run(scene, volume, ...Array(20).keys());
	await run(scene, volume, ...Array(16).keys());
	await expectFigures(t, scene, [36, 0, ["private", 36, { "2": 16 }]]);
	const free = (): number => {
		call("sync", "--file-system", scene.dir);
		if (scene.kind === "btrfs") call("btrfs", "filesystem", "sync", scene.dir);
		const { bavail, bsize } = fs.statfsSync(scene.dir);
		return (bavail * bsize) / MIB;
	};
	const before = free();
	volume.revisionsToKeep = 0;
	await run(scene, volume);
	t.deepEqual(volume.revisions, new Map());
	await scene.pool.settled();
	// Both file systems free in the background.
	for (let tries = 0; free() - before < 15 && tries < 500; tries++) await sleep(10);
	const freed = free() - before;
	t.true(freed > 15 && freed < 17, `${freed}`);
});

scenario("13.Q7 an image that an AppVM runs on is not free without its revision", "BX", async (t, scene) => {
	const root = scene.origin({ name: "root", size: 8 * MIB }, TEMPLATE);
	await root.create();
	await run(scene, root, 0, 1);
	const snapshot = scene.snapshot(root, { name: "app", dirPrefix: "appvms" });
	await snapshot.start();
	await expectFigures(t, scene, [0, 2, ["root", 0, { "1": 0 }], ["root", 0, {}]]);
	await run(scene, root, 0, 1);
	await expectFigures(t, scene, [2, 2, ["root", 2, { "2": 0 }], ["root", 0, {}]], "its revision is the AppVM's image");
	await snapshot.stop();
	await expectFigures(t, scene, [4, 0, ["root", 4, { "2": 2 }], ["root", 0, {}]]);
});

scenario("13.Q7 all that there is, is what btrfs says that there is", "B", async (t, scene) => {
	const one = scene.origin({ name: "one", size: 8 * MIB, revisionsToKeep: 3 });
	const two = scene.origin({ name: "two" });
	for (const volume of [one, two]) await volume.create();
	await run(scene, one, 0, 1, 2, 3);
	await run(scene, one, 1);
	await two.importVolume(one);
	await run(scene, two, 5, 6);
	await scene.pool.settled();
	call("sync", "--file-system", scene.dir);
	const { exclusive, shared } = await spaceOf(scene);
	const [, own, set] = call("btrfs", "filesystem", "du", "--raw", "-s", scene.dir).split("\n")[1]?.trim().split(/ +/) ?? [];
	t.is(exclusive + shared, Number(own) + Number(set));
});

scenario("13.Q7 where nothing can be shared, all is of one volume", "E", async (t, scene) => {
	const [one, two] = [scene.origin({ name: "one", size: 4 * MIB }), scene.origin({ name: "two" })];
	for (const volume of [one, two]) await volume.create();
	await run(scene, one, 0, 1);
	await two.importVolume(one);
	await expectFigures(t, scene, [4, 0, ["one", 2, { "1": 0 }], ["two", 2, { "1": 0 }]]);
});

scenario("13.Q7 where the file system does not tell, that is said", "T", async (_t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await run(scene, volume, 0);
	const space = spaceOf(scene);
	await scene.refused(space, /^cannot find out where the data of ".*\/private\.img" lie: .*unsupported/);
});

scenario("13.Q7 of a pool that is not mounted nothing is known, and that is said", ALL, async (_t, scene) => {
	await scene.originAfter("A");
	await scene.pool.settled();
	for (const place of ["vm-templates", "appvms", ""]) {
		fs.rmSync(path.join(scene.dir, place), { recursive: true });
		await scene.refused(spaceOf(scene), new RegExp(`^there is no ".*/pool${place && `/${place}`}": is the pool mounted\\?$`));
		if (place !== "") fs.mkdirSync(path.join(scene.dir, place));
	}
});

scenario("13.Q7 nobody waits for it, and it waits for nobody", "BX", async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	const { source, file } = scene.pipe();
	const clone = volume.importVolume(source);
	const space = spaceOf(scene);
	t.is(space, spaceOf(scene), "who comes meanwhile is told the same");
	t.is((await space).exclusive, 0);
	fs.createWriteStream(file).end("x");
	await clone;
});

scenario("13.Q7 files that come and go meanwhile do no harm", "BX", async (t, scene) => {
	const volumes = ["one", "two", "three"].map((name) => scene.origin({ name, size: 4 * MIB }));
	for (const volume of volumes) await volume.create();
	let isOver = false;
	const runs = Promise.all(
		volumes.map(async (volume) => {
			for (let count = 0; count < 5; count++) await run(scene, volume, count % 4);
		}),
	).finally(() => {
		isOver = true;
	});
	let looks = 0;
	for (; !isOver; looks++) await spaceOf(scene);
	await runs;
	t.true(looks > 0);
});

test.serial("13.Q7 a filefrag that does not end is killed, and one that is not there is named", async (t) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "space-"));
	const before = process.env["PATH"];
	t.teardown(() => {
		process.env["PATH"] = before;
		fs.rmSync(dir, { recursive: true });
	});
	fs.writeFileSync(path.join(dir, "filefrag"), `#!/bin/sh\necho $$ > '${dir}/pid'\nexec /bin/sleep 1000\n`, { mode: 0o755 });
	process.env["PATH"] = dir;
	const controller = new AbortController();
	const reading = readExtents(["/x"], controller.signal, () => undefined);
	while (!fs.existsSync(`${dir}/pid`) || fs.readFileSync(`${dir}/pid`, "utf8") === "") await sleep(10);
	const pid = Number(fs.readFileSync(`${dir}/pid`, "utf8"));
	controller.abort();
	await t.throwsAsync(reading, { message: "filefrag takes too long" });
	while (fs.existsSync(`/proc/${pid}`)) await sleep(10);
	fs.rmSync(path.join(dir, "filefrag"));
	await t.throwsAsync(
		readExtents(["/x"], AbortSignal.timeout(1000), () => undefined),
		{ message: /^cannot run filefrag: .*ENOENT/ },
	);
});

test.serial("13.Q7 a file that was gone when filefrag looked is gone, though it is there again", async (t) => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "space-"));
	const before = process.env["PATH"];
	t.teardown(() => {
		process.env["PATH"] = before;
		fs.rmSync(dir, { recursive: true });
	});
	const real = call("sh", "-c", "command -v filefrag").trim();
	fs.writeFileSync(path.join(dir, "filefrag"), `#!/bin/sh\n'${real}' "$@"\necho x > '${dir}/image'\n`, { mode: 0o755 });
	process.env["PATH"] = `${dir}:${before}`;
	const files = [`${dir}/image`, `${dir}/other`];
	await t.notThrowsAsync(readExtents(files, AbortSignal.timeout(60_000), () => t.fail("they have no extents")));
	t.true(fs.existsSync(`${dir}/image`));
	fs.writeFileSync(path.join(dir, "filefrag"), "#!/bin/sh\n", { mode: 0o755 });
	await t.throwsAsync(
		readExtents(files, AbortSignal.timeout(60_000), () => undefined),
		{ message: /image" lie: filefrag does not say$/ },
	);
});

test("of pieces that overlap, each byte counts once: for its owner, or as shared", async (t) => {
	const count = async (...pieces: readonly (readonly [number, number, number])[]): Promise<unknown> => {
		const sharing = new Sharing();
		for (const piece of pieces) sharing.add(...piece);
		const bytes: { [owner: string]: number } = {};
		await sharing.count((more, owner) => {
			bytes[String(owner)] = (bytes[String(owner)] ?? 0) + more;
		});
		return bytes;
	};
	t.deepEqual(await count([0, 9, 0], [4, 14, 0], [12, 18, 1]), { 0: 12, 1: 4, null: 2 });
	t.deepEqual(await count([0, 9, 0], [0, 9, 0], [9, 12, 1]), { 0: 9, 1: 3 });
	t.deepEqual(await count([0, 9, 0], [0, 9, 1], [0, 9, 2], [20, 30, 2]), { null: 9, 2: 10 });
	t.deepEqual(
		await count([0, 5 * 2 ** 30 + 7, 3], [2 ** 30 - 1, 2 ** 30 + 1, 4]),
		{ 3: 5 * 2 ** 30 + 5, null: 2 },
		"across parts of the disk",
	);
	t.deepEqual(await count(), {});
});
