// A disk that cannot be looked at any more: getters do not throw, and operations say which path is refused and why.
import fs from "node:fs";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { call, type Kind, makeFileSystem, unmount } from "./file-systems.ts";
import { MIB } from "./images.ts";
import { mountedOnce, onFileSystem, Scene, TEMPLATE } from "./scene.ts";

const WAYS: readonly { readonly errno: string; readonly kind: Kind; readonly kill: (scene: Scene) => void }[] = [
	{ errno: "EIO", kind: "xfs", kill: ({ root }) => void call("xfs_io", "-x", "-c", "shutdown -f", root) },
	{ errno: "ENOTDIR", kind: "tmpfs", kill: putFilesInTheWay },
];

function putFilesInTheWay({ dir }: Scene): void {
	for (const name of ["appvms", "vm-templates"]) {
		fs.renameSync(`${dir}/${name}`, `${dir}/${name}-away`);
		fs.writeFileSync(`${dir}/${name}`, "");
	}
}

interface Cast {
	readonly scene: Scene;
	/** At rest, with a revision. */
	readonly volume: Volume;
	/** Runs without snapshots. */
	readonly bare: Volume;
	/** Runs. */
	readonly snapshot: Volume;
	readonly volatile: Volume;
}

/** A pool whose disk has died, in one of these ways. */
function onDeadDisk(title: string, body: (cast: Cast, errno: string) => Promise<void>): void {
	for (const { errno, kind, kill } of WAYS) {
		onFileSystem(`${title} (${errno})`, async (t) => {
			const mounted = makeFileSystem(kind);
			const scene = new Scene(t, mounted);
			try {
				await scene.pool.setup();
				const volume = await scene.originAfter("A");
				const bare = scene.origin({ name: "bare", revisionsToKeep: -1 });
				const root = scene.origin({ name: "root" }, TEMPLATE);
				const snapshot = scene.snapshot(root);
				const volatile = scene.volatile({ size: 3 * MIB });
				for (const one of [bare, root]) await one.create();
				await volume.resize(2 * MIB);
				for (const one of [bare, snapshot]) await one.start();
				await scene.pool.settled();
				kill(scene);
				await body({ scene, volume, bare, snapshot, volatile }, errno);
			} finally {
				await scene.pool.settled();
				await unmount(mounted.root);
			}
		});
	}
}

onDeadDisk("the getters say what the configuration says, with one warning for each volume", async (cast, errno) => {
	const { scene, volume, bare, snapshot, volatile } = cast;
	const { t } = scene;
	const look = ({ size, usage, revisions, path }: Volume): unknown[] => [size, usage, revisions.size, path];
	for (const _ of ["once", "again"]) {
		t.deepEqual(look(volume), [2 * MIB, 0, 0, scene.file(volume, "-dirty.img")]);
		t.deepEqual(look(snapshot), [MIB, 0, 0, scene.file(snapshot, "-dirty.img")]);
		t.deepEqual(look(volatile), [3 * MIB, 0, 0, scene.file(volatile, "-dirty.img")]);
		t.deepEqual([bare.isDirty(), snapshot.isDirty(), snapshot.isOutdated()], [true, false, null]);
	}
	const warnings = scene.lines(/cannot look at volume /, "warning");
	t.is(warnings.length, 4);
	for (const [index, one] of [volume, snapshot, volatile, bare].entries())
		t.regex(warnings[index] ?? "", new RegExp(`cannot look at volume "${one.vid}" of pool "pool": ${errno}: .*'${scene.dir}/`));
});

onDeadDisk("every operation is refused with the path, also by objects that were made afterwards", async (cast, errno) => {
	const { scene, bare, snapshot, volatile } = cast;
	let { volume } = cast;
	const refusal = new RegExp(`^cannot .*${errno}: .*'${scene.dir}`);
	for (const _ of ["before", "after a restart"]) {
		for (const work of [
			() => volume.verify(),
			() => volume.start(),
			() => volume.stop(),
			() => volume.export(),
			() => volume.importData(MIB),
			() => volume.importVolume(bare),
			() => volume.resize(MIB),
			() => volume.revert(),
			() => volume.revert("1"),
			() => volume.create(),
			() => scene.pool.space?.() ?? Promise.resolve(),
		])
			await scene.refused(work(), refusal);
		volume = await scene.restart(volume);
	}
	for (const one of [snapshot, volatile])
		for (const work of ["create", "start", "stop"] as const) await scene.refused(one[work](), refusal);
	await scene.refused(snapshot.verify(), refusal);
	await scene.refused(volume.remove(), refusal);
});

onDeadDisk("nothing of it is taken for a clean source of another pool", async ({ scene, volume, bare }, errno) => {
	const dir = fs.mkdtempSync(`${mountedOnce(scene.kind).root}/alive-`);
	const pool = scene.makePool(dir, "alive");
	await pool.setup();
	const config = { name: "private", rw: true, saveOnStop: true, size: MIB };
	const target = pool.initVolume({ name: "other", dirPrefix: "appvms" }, config);
	await target.create();
	for (const source of [volume, bare])
		await scene.refused(target.importVolume(source), new RegExp(`${errno}: .*'${scene.file(source, "")}`));
	await target.start();
	await target.stop();
	await pool.settled();
	scene.t.deepEqual(
		fs.readdirSync(`${dir}/appvms/other`).filter((name) => /import|dirty/.test(name)),
		[],
	);
});

onDeadDisk("the pool answers nevertheless", async ({ scene: { t, pool, dir } }, errno) => {
	t.is(pool.config().get("dir_path"), dir);
	await t.notThrowsAsync(pool.usage());
	t.deepEqual(await pool.strays?.(), [], errno);
	t.is(await pool.includedIn([]), null);
});
