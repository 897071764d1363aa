// Images in the directory of a pool that belong to none of its volumes (issue 4, point 3): what is told of them, and what is not.
import fs from "node:fs";
import path from "node:path";
import { MIB, make } from "./images.ts";
import { mountedOnce, onFileSystem, Scene, scenario, TEMPLATE } from "./scene.ts";

const REVISION = "private.img.7@2026-08-17T08:00:01Z";

/** Makes images of 8 KiB of data in a directory of the pool, which need not be there; returns the directory. */
function lay(scene: Scene, place: string, ...names: readonly string[]): string {
	const directory = path.join(scene.dir, place);
	fs.mkdirSync(directory, { recursive: true });
	for (const name of names) make(path.join(directory, name), "A");
	return directory;
}

scenario(
	"images without a volume are told by directory, with what is allocated, and left as they are",
	"BT",
	async (t, scene) => {
		await scene.origin({ name: "root" }, TEMPLATE).create();
		const images = ["private.img", "private-dirty.img", "private-precache.img", REVISION];
		const gone = lay(scene, "appvms/gone", ...images, "root.img~ab_12345", "extra-import.img");
		const old = lay(scene, "vm-templates/old", "root.img");
		await settled(old, gone);
		await scene.pool.settled();
		const before = scene.snapshotOfTree();
		t.deepEqual(await scene.pool.strays?.(), [
			{ directory: gone, images: 6, bytes: allocatedIn(gone) },
			{ directory: old, images: 1, bytes: allocatedIn(old) },
		]);
		t.deepEqual([allocatedIn(gone), allocatedIn(old)], [6 * 8192, 8192]);
		t.deepEqual(scene.snapshotOfTree(), before);
		for (const directory of [gone, old]) fs.rmSync(directory, { recursive: true });
	},
);

scenario("a revision that is a second name of the image counts once", "BT", async (t, scene) => {
	const directory = lay(scene, "appvms/gone", "private.img");
	fs.linkSync(path.join(directory, "private.img"), path.join(directory, REVISION));
	await settled(directory);
	t.deepEqual(await scene.pool.strays?.(), [{ directory, images: 2, bytes: 8192 }]);
});

scenario("a qube that has a volume has no strays, whatever lies in its directory and is done with it", "BT", async (t, scene) => {
	const root = scene.origin({ name: "root" }, TEMPLATE);
	await root.create();
	const volumes = [await scene.originAfter("A", "B"), scene.snapshot(root), scene.volatile()];
	const cows = ["private-cow.img", "private-cow.img.old", "volatile.img", "root-cow.img", "other.img"];
	lay(scene, "appvms/work", ...cows);
	const told = [await scene.pool.strays?.()];
	for (const volume of volumes) await volume.start();
	told.push(await scene.pool.strays?.());
	for (const volume of volumes) await volume.stop();
	await volumes[0]?.importData(MIB);
	told.push(await scene.pool.strays?.());
	await volumes[0]?.importDataEnd(false);
	t.deepEqual(told, [[], [], []]);
	for (const name of cows) fs.rmSync(path.join(scene.dir, "appvms/work", name), { force: true });
});

scenario(
	"a volume is no stray while it is removed, and what a removal could not do is one after a restart",
	"BT",
	async (t, scene) => {
		const volume = await scene.originAfter("A");
		const { source, file } = scene.pipe();
		const clone = volume.importVolume(source);
		const removal = volume.remove();
		t.deepEqual([scene.pool.volumes(), await scene.pool.strays?.()], [[], []]);
		const left = await scene.makePool().strays?.();
		t.deepEqual(
			left?.map(({ directory }) => directory),
			[path.join(scene.dir, "appvms/work")],
		);
		await fs.promises.writeFile(file, Buffer.alloc(MIB));
		await clone;
		await removal;
		t.deepEqual(await scene.makePool().strays?.(), []);
	},
);

scenario("files that are not called as images are not told of, nor what is no file", "BT", async (t, scene) => {
	const others = ["notes.txt", "private.img~", "root-cow.img", "private-dirty-cow.img", "root.img.part.00", "~.img", ".img"];
	lay(scene, "appvms/gone", ...others, "private.img.07@2026-08-17T08:00:01Z", "private-dirty.img.7@2026-08-17T08:00:01Z");
	fs.mkdirSync(path.join(scene.dir, "appvms/gone/root.img"));
	fs.mkdirSync(path.join(scene.dir, "appvms/empty"));
	lay(scene, "other/gone", "private.img");
	make(path.join(scene.dir, "appvms/private.img"), "A");
	t.deepEqual(await scene.pool.strays?.(), []);
});

scenario("symbolic links are not followed, but in the path of the pool", "BT", async (t, scene) => {
	const elsewhere = lay(scene, "elsewhere/gone", "private.img");
	fs.symlinkSync(elsewhere, path.join(scene.dir, "appvms/gone"));
	const linked = lay(scene, "appvms/linked", "root.img");
	fs.symlinkSync(path.join(elsewhere, "private.img"), path.join(linked, "private.img"));
	fs.symlinkSync(scene.dir, `${scene.dir}-link`);
	await settled(linked);
	const told = await scene.makePool(`${scene.dir}-link`).strays?.();
	t.deepEqual(told, [{ directory: linked, images: 1, bytes: 8192 }]);
});

for (const kind of ["btrfs", "tmpfs"] as const) {
	onFileSystem(`a pool that is not there, or not as it should be, has no strays (${kind})`, async (t) => {
		const scene = new Scene(t, mountedOnce(kind));
		t.deepEqual(await scene.pool.strays?.(), []);
		fs.mkdirSync(scene.dir);
		fs.writeFileSync(path.join(scene.dir, "appvms"), "");
		t.deepEqual(await scene.pool.strays?.(), []);
		t.deepEqual(scene.log, []);
	});

	onFileSystem(`a directory that cannot be read is passed over (${kind})`, async (t) => {
		const scene = new Scene(t, mountedOnce(kind));
		const [closed, open] = [lay(scene, "appvms/closed", "root.img"), lay(scene, "appvms/open", "root.img")];
		fs.chmodSync(closed, 0);
		const nobody = 65_534;
		process.seteuid?.(nobody);
		try {
			t.deepEqual(
				(await scene.pool.strays?.())?.map(({ directory }) => directory),
				[open],
			);
		} finally {
			process.seteuid?.(0);
		}
	});
}

/** What a file system has allocated is known when the data are on the disk. */
async function settled(...directories: readonly string[]): Promise<void> {
	for (const directory of directories) {
		for (const name of fs.readdirSync(directory)) {
			const file = await fs.promises.open(path.join(directory, name), "r");
			await file.sync();
			await file.close();
		}
	}
}

function allocatedIn(directory: string): number {
	const blocks = fs.readdirSync(directory).map((name) => fs.statSync(path.join(directory, name)).blocks);
	return blocks.reduce((sum, one) => sum + one * 512, 0);
}
