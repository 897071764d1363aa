// What is told of how far a copy is: `importVolume` of admin-core/model/storage/contract.ts.
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { slowCopies } from "../support/slow-copies.ts";
import { call } from "./file-systems.ts";
import { MIB, make } from "./images.ts";
import { type Scene, scenario } from "./scene.ts";

type Told = readonly [done: number, size: number];

const SIZE = 64 * MIB;

/** A source of data, zeros and a hole at its end, and a volume for it. */
async function sourceAndTarget(scene: Scene): Promise<{ source: Volume; volume: Volume }> {
	const source = scene.origin({ name: "source", size: SIZE });
	const volume = scene.origin();
	for (const one of [source, volume]) await one.create();
	await source.start();
	const file = fs.openSync(source.path, "r+");
	for (const at of [0, 1, 2, 3, 40]) fs.writeSync(file, Buffer.alloc(MIB, at === 2 ? 0 : "D"), 0, MIB, at * MIB);
	fs.closeSync(file);
	await source.stop();
	return { source, volume };
}

/** From nothing to `last`, never back, always of the same size. */
function checkRising(t: ExecutionContext, told: readonly Told[], last: number): void {
	const done = told.map(([bytes]) => bytes);
	t.deepEqual([done[0], done.at(-1)], [0, last]);
	t.deepEqual(
		done,
		[...done].sort((a, b) => a - b),
	);
	t.true(told.every(([, size]) => size === SIZE));
}

/** Until something was told; `copy` must not end before. */
async function untilTold(copy: Promise<void>, isEnough: () => boolean): Promise<void> {
	const early = copy.then(() => Promise.reject(new Error("it has ended")));
	while (!isEnough()) await Promise.race([early, sleep(10)]);
	early.catch(() => undefined);
}

function setPath(t: ExecutionContext, path: string): void {
	const { PATH } = process.env;
	process.env["PATH"] = path;
	t.teardown(() => {
		process.env["PATH"] = PATH;
	});
}

scenario("a copy is told from its beginning to its end, however quick it is; holes count", "ET", async (t, scene) => {
	const { source, volume } = await sourceAndTarget(scene);
	const told: Told[] = [];
	await volume.importVolume(source, (...progress) => void told.push(progress));
	checkRising(t, told, SIZE);
	t.true(volume.usage < 5 * MIB);
});

scenario("a long copy is told again and again", "E", async (t, scene) => {
	const { source, volume } = await sourceAndTarget(scene);
	const copies = slowCopies(t);
	setPath(t, copies.path);
	const told: Told[] = [];
	const clone = volume.importVolume(source, (...progress) => void told.push(progress));
	await untilTold(clone, () => told.length >= 3);
	t.deepEqual(told.slice(0, 3), [
		[0, SIZE],
		[0, SIZE],
		[0, SIZE],
	]);
	copies.go();
	await clone;
	checkRising(t, told, SIZE);
});

scenario("a copy that fails half-way was told as far as it came", "ET", async (t, scene) => {
	const { source, volume } = await sourceAndTarget(scene);
	const copies = slowCopies(t, 1536);
	setPath(t, copies.path);
	const told: Told[] = [];
	const clone = volume.importVolume(source, (...progress) => void told.push(progress));
	await untilTold(clone, () => told.at(-1)?.[0] === 1.5 * MIB);
	copies.go();
	await scene.refused(clone, /File too large/);
	checkRising(t, told, 1.5 * MIB);
});

scenario(
	"a copy of a block device is told, one of a pipe, of which nobody knows the length, is not",
	"BXET",
	async (t, scene) => {
		const image = `${scene.root}/device.img`;
		make(image, "D", SIZE);
		const device = call("losetup", "--find", "--show", image).trim();
		const volume = scene.origin();
		await volume.create();
		const told: Told[] = [];
		try {
			const foreign = {
				vid: "x",
				revisionsToKeep: 0,
				isDirty: () => false,
				export: async () => device,
				exportEnd: async () => {},
			};
			await volume.importVolume(foreign as unknown as Volume, (...progress) => void told.push(progress));
		} finally {
			call("losetup", "--detach", device);
		}
		checkRising(t, told, SIZE);
		const { source, file } = scene.pipe();
		const clone = volume.importVolume(source, () => t.fail());
		await fs.promises.writeFile(file, Buffer.alloc(MIB, "P"));
		await clone;
	},
);

scenario("of data that are shared nothing is told", "BX", async (t, scene) => {
	const { source, volume } = await sourceAndTarget(scene);
	await volume.importVolume(source, () => t.fail());
	t.is(volume.size, SIZE);
});
