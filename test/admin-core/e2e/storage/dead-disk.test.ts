// A pool whose disk dies: it takes nobody else down, neither the daemon nor qubes of other pools, and is as it was when the disk is back.
import fs from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { call, type Mounted, makeFileSystem, mountImage, unmount } from "../../../storage-reflink/file-systems.ts";
import { MIB, make } from "../../../storage-reflink/images.ts";
import { onFileSystem } from "../../../storage-reflink/scene.ts";
import { Stage } from "./stage.ts";

/** All qubes in pool `main` on an XFS of its own, but `solo`, which is in pool `alive`; not started yet. */
function prepare(t: ExecutionContext): { stage: Stage; disk: Mounted } {
	const disk = makeFileSystem("xfs");
	t.teardown(() => unmount(disk.root));
	const stage = Stage.prepare(t, disk.root);
	const alive = stage.house.path("alive");
	fs.mkdirSync(path.join(alive, "appvms/solo"), { recursive: true });
	fs.mkdirSync(path.join(alive, "vm-templates"));
	for (const volume of ["root", "private"]) make(path.join(alive, `appvms/solo/${volume}.img`), "S");
	stage.edit((store) =>
		store
			.replace("</pools>", `  <pool name="alive" driver="file-reflink" dir_path="${alive}"/>\n  </pools>`)
			.replaceAll(/(vid="appvms\/solo\/\w+") pool="main"/g, '$1 pool="alive"'),
	);
	return { stage, disk };
}

onFileSystem("a disk that dies takes down neither the daemon nor qubes of other pools", async (t) => {
	const { stage, disk } = prepare(t);
	const { house } = stage;
	await house.start();
	await stage.run("work", "A");
	await stage.expect(["dvm", "admin.vm.Start", "", ""]);
	stage.write("dvm", "B", "private", "-dirty.img");
	call("sync", "--file-system", disk.root);
	call("xfs_io", "-x", "-c", "shutdown -f", disk.root);

	await expectLife(stage, "1");
	await expectCommands(t, stage);
	await stage.expect(["dvm", "admin.vm.Kill", "", ""]);
	await stage.house.stop();
	for (const vid of ["vm-templates/base/root", "appvms/work/root", "appvms/work/private"])
		t.is(house.logged.split(`cannot look at volume "${vid}" of pool "main": EIO: `).length, 2, `one warning of ${vid}`);

	house.logged = "";
	await house.start();
	for (const vid of ["work/root", "work/private", "work/volatile", "dvm/private"]) {
		const [, qube] = /^(\w+)/.exec(vid) ?? [];
		t.regex(
			house.logged,
			new RegExp(`cannot stop the volumes of ${qube}: cannot stop volume "appvms/${vid}" of pool "main": EIO: `),
		);
	}
	t.notRegex(house.logged, /cannot stop the volumes of solo/);
	await expectLife(stage, "2");
	await house.stop();
	t.notRegex(house.logged, /TypeError|internal error|nobody waited/);

	await unmount(disk.root);
	mountImage(disk.kind, disk.image as string, disk.root);
	await house.start();
	t.deepEqual([stage.read("work"), stage.read("dvm")], ["A", "B"]);
	t.is(await stage.info("work", "private", "revisions_to_keep"), "1");
	await stage.run("work", "C");
});

onFileSystem("a qube can be removed whose disk is dead, and the log says what could not be", async (t) => {
	const { stage, disk } = prepare(t);
	await stage.house.start();
	call("xfs_io", "-x", "-c", "shutdown -f", disk.root);
	await stage.expect(["work", "admin.vm.Remove", "", ""], ["work", "admin.vm.volume.List", "", /^QubesVMNotFoundError: /]);
	await stage.restart();
	await stage.expect(["work", "admin.vm.volume.List", "", /^QubesVMNotFoundError: /]);
	await stage.house.stop();
	t.regex(
		stage.house.logged,
		/something of work is left on the disk: cannot remove volume "appvms\/work\/\w+" of pool "main": EIO/,
	);
});

/** What works while the pool `main` is dead, and what says why it does not; `value` is what is saved. */
async function expectLife(stage: Stage, value: string): Promise<void> {
	const dead = new RegExp(`^StoragePoolException: .*EIO: .*'${stage.images}`);
	await stage.expect(
		["solo", "admin.vm.feature.Set+life", value, ""],
		["work", "admin.vm.feature.Set+life", value, ""],
		["work", "admin.vm.volume.List", "", "root\nprivate\nvolatile\nkernel\n"],
		["work", "admin.vm.volume.Info+private", "", new RegExp(`^pool=main\n(.*\n)*size=${MIB}\nusage=0\n`)],
		["work", "admin.vm.volume.Info+root", "", /^pool=main\n/],
		["work", "admin.vm.volume.ListSnapshots+private", "", ""],
		["work", "admin.vm.Start", "", dead],
		["work", "admin.vm.volume.Clear+private", "", dead],
		["work", "admin.vm.volume.Resize+private", `${2 * MIB}`, dead],
		["dom0", "admin.pool.Info+main", "", new RegExp(`^dir_path=${stage.images}\n`)],
		["dom0", "admin.pool.volume.List+main", "", /^vm-templates\/base\/root\n/],
		["dom0", "admin.pool.SpaceDetails+main", "", dead],
		["dom0", "admin.vm.Create.AppVM+base", "name=new label=red", /^StoragePoolException: /],
		["dom0", "admin.vm.CreateInPool.StandaloneVM", "name=new label=red pool=alive", ""],
		["new", "admin.vm.Remove", "", ""],
		["solo", "admin.vm.Start", "", ""],
		["solo", "admin.vm.Shutdown+wait", "", ""],
	);
	const token = await stage.call("work", "admin.vm.volume.CloneFrom+private");
	await stage.expect(["solo", "admin.vm.volume.CloneTo+private", token, dead]);
	const into = await stage.call("solo", "admin.vm.volume.CloneFrom+private");
	await stage.expect(["work", "admin.vm.volume.CloneTo+private", into, /^StoragePoolException: /]);
}

async function expectCommands(t: ExecutionContext, { house }: Stage): Promise<void> {
	for (const [command, ...args] of [
		["qvm-volume", "list"],
		["qvm-volume", "info", "work:private"],
		["qvm-pool", "info", "main"],
		["qvm-prefs", "work", "memory", "600"],
	] as const) {
		const { status, stderr } = await house.run(command, ...args);
		t.is(status, 0, `${command} ${args.join(" ")}: ${stderr}`);
	}
}
