// Scenarios 51 to 54 of spec section 11: taking over the content of another volume.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Volume } from "../../admin-core/model/storage/contract.ts";
import { lookBeforeEachCall, onceBefore } from "./before-each-call.ts";
import { call, type Kind } from "./file-systems.ts";
import { MIB, make, read, write } from "./images.ts";
import { ALL, KIND_OF, mountedOnce, onFileSystem, Scene, scenario } from "./scene.ts";

scenario(
	"51 a clone shares its data, has the size of the source, and keeps the old state as a revision",
	"BX",
	async (t, scene) => {
		const source = scene.origin({ name: "source", size: 100 * MIB });
		const volume = scene.origin({ name: "copy" });
		await source.create();
		await scene.run(source, "A");
		await source.start();
		const file = fs.openSync(source.path, "r+");
		for (let at = 1; at < 60; at++) fs.writeSync(file, Buffer.alloc(MIB, at), 0, MIB, at * MIB);
		fs.closeSync(file);
		await source.stop();
		await volume.create();
		await scene.run(volume, "B");
		await scene.pool.settled();
		call("sync", "--file-system", scene.dir);
		const before = await scene.pool.usage();
		await volume.importVolume(source);
		await scene.pool.settled();
		call("sync", "--file-system", scene.dir);
		const after = await scene.pool.usage();
		t.true((after.usage as number) - (before.usage as number) < 8 * MIB);
		t.is(spawnSync("cmp", [scene.file(source), scene.file(volume)]).status, 0);
		t.regex(call("filefrag", "-v", scene.file(volume)), /shared/);
		t.deepEqual([volume.size, scene.revisions(volume)], [100 * MIB, { "2": "B" }]);
		t.is(scene.lines(/: copying /).length, 0);
	},
);

scenario(
	"a clone on any file system is equal, also into a volume that has no directory yet, and from the state before a run",
	ALL,
	async (t, scene) => {
		const source = scene.origin({ name: "source" });
		await source.create();
		await scene.run(source, "A");
		await source.start();
		write(source.path, "B");
		const volume = scene.origin({ name: "copy" }, { name: "fresh", dirPrefix: "appvms" });
		await volume.importVolume(source);
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), scene.revisions(volume)], ["A", {}]);
		await source.importVolume(volume).catch((error: Error) => t.regex(error.message, /cannot clone into .*not cleanly stopped/));
		await source.stop();
		await source.importVolume(source);
		await scene.pool.settled();
		t.deepEqual([scene.clean(source), scene.revisions(source)], ["B", { "3": "B" }]);
	},
);

for (const [from, to] of ["BX", "XB", "EB", "TX", "BE"].map(
	(pair) => [...pair].map((letter) => KIND_OF[letter]) as [Kind, Kind],
)) {
	onFileSystem(
		`52 a clone from another file system is a copy with holes, and the log says EXDEV (${from} to ${to})`,
		async (t) => {
			const there = new Scene(t, mountedOnce(from));
			const here = new Scene(t, mountedOnce(to));
			await there.pool.setup();
			await here.pool.setup();
			const source = there.origin({ size: 20 * MIB });
			await source.create();
			await there.run(source, "A");
			const { calls, volume: counted } = counting(source);
			const volume = here.origin();
			await volume.create();
			await volume.importVolume(counted);
			t.deepEqual(calls, ["export", "exportEnd"]);
			await here.pool.settled();
			t.deepEqual([here.clean(volume), volume.size], ["A", 20 * MIB]);
			t.true(volume.usage < MIB);
			t.is(here.lines(/: copied ".*private.img" to ".*private-import.img": 20971520 bytes in \d+ ms \(EXDEV\)/).length, 1);
			t.deepEqual(here.lines(/cannot share/, "warning"), [], "that is no surprise");
			await here.check();
			await there.check();
		},
	);
}

scenario("52 a clone from a block device is a copy, zeros become holes", "BXET", async (t, scene) => {
	make(`${scene.root}/device.img`, "D", 4 * MIB);
	fs.writeFileSync(`${scene.root}/device.img`, Buffer.concat([Buffer.alloc(8192, "D"), Buffer.alloc(4 * MIB - 8192)]));
	const device = call("losetup", "--find", "--show", `${scene.root}/device.img`).trim();
	try {
		const volume = scene.origin();
		await volume.create();
		await volume.importVolume(foreign(device));
		await scene.pool.settled();
		t.deepEqual([scene.clean(volume), volume.size], ["D", 4 * MIB]);
		t.true(volume.usage <= MIB);
		t.regex(scene.lines(/: copied /)[0] as string, /\(EXDEV\)$/);
	} finally {
		call("losetup", "--detach", device);
	}
});

scenario("52 a clone from a pipe reads it once and to its end", ALL, async (t, scene) => {
	const { source, file: pipe } = scene.pipe();
	const volume = scene.origin();
	await volume.create();
	const writing = fs.promises.writeFile(pipe, Buffer.concat([Buffer.alloc(8192, "P"), Buffer.alloc(MIB)]));
	await volume.importVolume(source);
	await writing;
	await scene.pool.settled();
	t.deepEqual([scene.clean(volume), volume.size], ["P", MIB + 8192]);
});

scenario("52 a copy that is killed half-way leaves the destination as it was, and the export is ended", ALL, async (t, scene) => {
	const { source: piped, file: pipe } = scene.pipe();
	const volume = await scene.originAfter("A");
	const before = scene.snapshotOfTree();
	const { calls, volume: source } = counting(piped);
	const clone = volume.importVolume(source);
	const writer = await fs.promises.open(pipe, "w");
	await writer.write(Buffer.alloc(8192, "P"));
	process.kill(await pidOfCopy(pipe), "SIGKILL");
	await scene.refused(clone, "cp ended with SIGKILL");
	await writer.close();
	t.deepEqual(calls, ["export", "exportEnd"]);
	t.deepEqual(scene.snapshotOfTree(), before);
});

scenario("52 a copy of a source that commits meanwhile is of the state before, and whole", "ET", async (t, scene) => {
	const { source, volume } = await sourceAndVolume(scene);
	await source.start();
	write(source.path, "B");
	await onceBefore(
		(call, [file]) => call === "open" && file === scene.file(volume, "-import.img"),
		() => source.stop(),
	);
	await volume.importVolume(source);
	await lookBeforeEachCall(null);
	await scene.pool.settled();
	t.deepEqual([scene.clean(source), scene.clean(volume), volume.size], ["B", "A", MIB]);
});

scenario("52 a copy that is shorter than its source was is refused, and the destination is as it was", "ET", async (t, scene) => {
	const { source, volume } = await sourceAndVolume(scene);
	const before = scene.snapshotOfTree().filter((line) => line.includes("/copy"));
	await onceBefore(
		(call, [file]) => call === "open" && file === scene.file(volume, "-import.img"),
		async () => fs.truncateSync(scene.file(source), 4096),
	);
	await scene.refused(volume.importVolume(source), /the copy of ".*\/source.img" has 4096 bytes: want 1048576/);
	await lookBeforeEachCall(null);
	t.deepEqual(
		scene.snapshotOfTree().filter((line) => line.includes("/copy")),
		before,
	);
});

scenario("63 who asks for a start during a clone waits for it, and no file appears later (W16)", ALL, async (t, scene) => {
	const { source, file: pipe } = scene.pipe();
	const volume = scene.origin();
	await volume.create();
	void volume.importVolume(source);
	const start = volume.start();
	const writer = await fs.promises.open(pipe, "w");
	await pidOfCopy(pipe);
	t.false(fs.existsSync(volume.path));
	await writer.write(Buffer.concat([Buffer.alloc(8192, "P"), Buffer.alloc(MIB)]));
	await writer.close();
	await start;
	t.deepEqual([read(volume.path), scene.clean(volume), scene.revisions(volume)], ["P", "P", { "1": "∅" }]);
	const names = scene.names("appvms/work");
	await scene.pool.settled();
	t.deepEqual(
		scene.names("appvms/work").filter((name) => !names.includes(name)),
		[],
	);
});

scenario(
	"who looks at a volume or checks it does not wait for a clone into it, nor do other volumes (de159a1e, a1b52624, 1889c9b7, 425d9937)",
	ALL,
	async (t, scene) => {
		const { source, file: pipe } = scene.pipe();
		const volume = scene.origin();
		const other = scene.origin({ name: "other" });
		await volume.create();
		await scene.run(volume, "A");
		const clone = volume.importVolume(source);
		const writer = await fs.promises.open(pipe, "w");
		await volume.verify();
		t.deepEqual([read(await volume.export()), volume.size, volume.isDirty(), volume.revisions.size], ["A", MIB, false, 1]);
		await other.create();
		await other.start();
		write(other.path, "B");
		await other.stop();
		await writer.close();
		await clone;
		t.is(scene.clean(other), "B");
	},
);

scenario("53 a started volume is not cloned into (W8), and its source is not opened", ALL, async (t, scene) => {
	const volume = scene.origin();
	await volume.create();
	await volume.start();
	const { calls, volume: source } = counting(foreign("/none"));
	await scene.refused(volume.importVolume(source), /cannot clone into .* not cleanly stopped/);
	t.deepEqual(calls, []);
	await volume.stop();
	await scene.refused(volume.importVolume(source), /cannot read the image: ENOENT.*\/none/);
	t.deepEqual(calls, ["export", "exportEnd"]);
	await t.throwsAsync(volume.importVolume({ ...source, export: () => Promise.reject(new Error("not now")) } as Volume), {
		message: "not now",
	});
});

onFileSystem("54 images that may not share data are copied, with a warning that names the errno (btrfs)", async (t) => {
	const scene = new Scene(t, mountedOnce("btrfs"));
	await scene.pool.setup();
	fs.mkdirSync(path.join(scene.dir, "appvms/nocow"));
	call("chattr", "+C", path.join(scene.dir, "appvms/nocow"));
	const source = scene.origin({}, { name: "nocow", dirPrefix: "appvms" });
	await source.create();
	await scene.run(source, "A");
	const volume = scene.origin();
	await volume.create();
	await volume.importVolume(source);
	await scene.pool.settled();
	t.is(scene.clean(volume), "A");
	t.is(
		scene.lines(/cannot share the data of ".*nocow.*" with ".*-import.img", though the pool can share data: EINVAL/, "warning")
			.length,
		1,
	);
	await scene.check();
});

async function sourceAndVolume(scene: Scene): Promise<{ source: Volume; volume: Volume }> {
	const source = scene.origin({ name: "source" });
	const volume = scene.origin({ name: "copy" });
	for (const one of [source, volume]) await one.create();
	await scene.run(source, "A");
	await scene.run(volume, "V");
	return { source, volume };
}

/** A volume of another driver, which is exported at a path. */
function foreign(exported: string): Volume {
	return {
		vid: "foreign",
		revisionsToKeep: 0,
		isDirty: () => false,
		export: () => Promise.resolve(exported),
		exportEnd: () => Promise.resolve(),
	} as unknown as Volume;
}

function counting(source: Volume): { calls: string[]; volume: Volume } {
	const calls: string[] = [];
	const volume = {
		vid: source.vid,
		revisionsToKeep: source.revisionsToKeep,
		isDirty: () => source.isDirty(),
		export: () => {
			calls.push("export");
			return source.export();
		},
		exportEnd: (exported: string) => {
			calls.push("exportEnd");
			return source.exportEnd(exported);
		},
	} as unknown as Volume;
	return { calls, volume };
}

/** Of the copy that reads a file, as soon as there is one. */
async function pidOfCopy(file: string): Promise<number> {
	for (;;) {
		for (const pid of fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
			try {
				if (fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(`cp\0--sparse=always\0--reflink=never\0--\0${file}\0`))
					return Number(pid);
			} catch {
				// It has ended meanwhile.
			}
		}
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
