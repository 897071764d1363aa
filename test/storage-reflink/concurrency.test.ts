// Scenarios 61, 62 and 64 of spec section 11: many at once.
import fs from "node:fs";
import { chooseSeed, Random } from "../policy-cli/core/random.ts";
import { firstFew } from "../support/parallel.ts";
import { actAtOnce, Tally } from "./crowd.ts";
import { KINDS } from "./file-systems.ts";
import { MIB, read, write } from "./images.ts";
import { ALL, mountedOnce, onFileSystem, scenario } from "./scene.ts";

const CLIENTS = 16;
const VOLUMES_OF_A_CLIENT = 5;
/** How much each client does, unless it is said how long. */
const OPERATIONS = 120;
const SECONDS = Number(process.env["QUBES_STORAGE_SECONDS"] ?? 0);

for (const kind of KINDS) {
	onFileSystem(
		`${CLIENTS} clients start, stop, clone, resize and revert ${CLIENTS * VOLUMES_OF_A_CLIENT} volumes at once, and all end as they should (${kind})`,
		async (t) => {
			const seed = chooseSeed();
			t.log(`seed ${seed}`);
			const dir = `${mountedOnce(kind).root}/crowd`;
			const sources = Array.from({ length: CLIENTS }, (_, client) => new Random(seed + client));
			const end = performance.now() + SECONDS * 1000;
			const isOver = (count: number): boolean => (SECONDS > 0 ? performance.now() > end : count === OPERATIONS);
			const tally = new Tally(["start", "stop", "clone", "resize", "revert"]);
			const wrong = await actAtOnce(dir, sources, isOver, tally);
			t.log(`${tally}`);
			t.is(firstFew(wrong), "");
			t.deepEqual(tally.alwaysAlone(), []);
		},
	);
}

scenario("61 fifty volumes of ten qubes are started, written and stopped at once", ALL, async (t, scene) => {
	const volumes = Array.from({ length: 50 }, (_, index) =>
		scene.origin({ name: `disk${index % 5}` }, { name: `qube${Math.floor(index / 5)}`, dirPrefix: "appvms" }),
	);
	await Promise.all(volumes.map((volume) => volume.create()));
	await Promise.all(
		volumes.map(async (volume, index) => {
			await volume.start();
			write(volume.path, String.fromCharCode(65 + (index % 26)));
			await volume.stop();
		}),
	);
	await scene.pool.settled();
	t.deepEqual(
		volumes.map((volume) => `${scene.clean(volume)} ${JSON.stringify(scene.revisions(volume))}`),
		volumes.map((_, index) => `${String.fromCharCode(65 + (index % 26))} {"1":"∅"}`),
	);
});

scenario("62 starts and stops of one volume at once come one after the other", ALL, async (t, scene) => {
	const volume = scene.origin({ revisionsToKeep: 1, size: 16_384 });
	await volume.create();
	const random = new Random(chooseSeed());
	let runs = 0;
	for (let round = 0; round < 170; round++) {
		const calls = Array.from({ length: 3 }, () => random.pick(["start", "stop"] as const));
		let isRunning = volume.isDirty();
		await Promise.all(calls.map((call) => volume[call]()));
		for (const call of calls) {
			if (call === "stop" && isRunning) runs++;
			isRunning = call === "start";
		}
		if (volume.isDirty() !== isRunning) return t.fail(`round ${round}: ${calls}`);
	}
	await volume.stop();
	await scene.pool.settled();
	t.deepEqual(
		[...volume.revisions.keys()].map(Number).every((id) => id === runs || id === runs + 1),
		true,
	);
	t.is(volume.revisions.size, 1);
});

scenario("64 volumes can be cloned into one another at once, and in chains", ALL, async (t, scene) => {
	const volumes = ["a", "b", "c", "d"].map((name) => scene.origin({ name, revisionsToKeep: 0 }));
	for (const [index, volume] of volumes.entries()) {
		await volume.create();
		await scene.run(volume, "ABCD"[index] as string);
	}
	const [a, b, c, d] = volumes as [(typeof volumes)[0], (typeof volumes)[0], (typeof volumes)[0], (typeof volumes)[0]];
	for (let round = 0; round < 20; round++)
		await Promise.all([a.importVolume(b), b.importVolume(a), c.importVolume(a), d.importVolume(c)]);
	await scene.pool.settled();
	for (const volume of volumes) t.true(["A", "B", "C"].includes(scene.clean(volume)), volume.vid);
});

scenario("64 a volume is made and started while another of its qube is removed, each time (c72c8e57)", ALL, async (t, scene) => {
	for (let round = 0; round < 125; round++) {
		const root = scene.origin({ name: "root", size: 16_384 });
		const own = scene.origin({ size: 16_384 });
		const scratch = scene.volatile({ size: 16_384 });
		await own.create();
		await Promise.all([own.remove(), root.create(), scratch.start()]);
		await Promise.all([root.remove(), scratch.stop()]);
		await scene.pool.settled();
		await scratch.remove();
	}
	t.deepEqual(scene.names("appvms"), []);
});

scenario("a clone that reads while its source stops has all of one state", ALL, async (t, scene) => {
	const source = scene.origin({ name: "source", size: 4 * MIB });
	const volume = scene.origin({ revisionsToKeep: 0 });
	await source.create();
	await volume.create();
	for (const letter of "ABCDEFGHIJ") {
		const before = scene.clean(source);
		await source.start();
		write(source.path, letter);
		await Promise.all([volume.importVolume(source), source.stop()]);
		t.true([before, letter].includes(read(scene.file(volume))));
	}
	t.true(fs.existsSync(scene.file(volume)));
});
