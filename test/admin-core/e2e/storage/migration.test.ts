// Scenario 65 of spec/storage-reflink.md section 11: a pool of the driver `file` is taken over with the very commands of docs/storage.md.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { MIB } from "../../../storage-reflink/images.ts";
import { scenario } from "./stage.ts";

scenario(
	"65 stop, change the driver with sed, start, delete the cow files: each qube has what it had, and new images are 0600",
	"BX",
	async (t, stage) => {
		const { house } = stage;
		stage.edit((store) => store.replace('driver="file-reflink"', 'driver="file"').replace(/ ephemeral_volatile="False"/, ""));
		for (const [name, letter, mode] of [
			["appvms/work/private.img", "P", 0o644],
			["appvms/work/private-cow.img", "x", 0o664],
			["appvms/work/private-cow.img.old", "y", 0o664],
			["appvms/work/volatile.img", "z", 0o664],
			["appvms/work/root-cow.img", "w", 0o664],
			["vm-templates/base/root.img", "R", 0o664],
			["vm-templates/base/root-cow.img", "v", 0o664],
		] as const)
			stage.make(name, letter, MIB, mode);
		await house.start();
		t.regex(house.logged, /pool main cannot be used: there is no storage driver 'file'/);
		await house.stop();

		const inodes = (): number[] =>
			["appvms/work/private", "vm-templates/base/root"].map((vid) => fs.statSync(stage.file(vid)).ino);
		const before = inodes();
		follow(t.log, house.path("qubes.xml"), /^\d\. `(sed .*?)`/m);
		t.true(fs.readFileSync(house.path("qubes.xml.bak"), "utf8").includes('driver="file"'));
		t.regex(house.store(), /<pool name="main" driver="file-reflink"/);
		await house.start();
		t.deepEqual(inodes(), before, "no image is rewritten");
		t.false(fs.existsSync(stage.file("appvms/work/volatile")));
		follow(t.log, stage.images, /`(rm .*?)`/);
		t.deepEqual(stage.names("work"), ["private.img"]);
		t.deepEqual([stage.read("work"), stage.read("base", "root")], ["P", "R"]);

		await stage.expect(["work", "admin.vm.volume.ListSnapshots+private", "", ""], ["work", "admin.vm.Start", "", ""]);
		t.deepEqual(
			["private-dirty.img", "root-dirty.img", "volatile-dirty.img"].map((name) => {
				return fs.statSync(path.join(stage.images, "appvms/work", name)).mode & 0o777;
			}),
			[0o600, 0o600, 0o600],
		);
		t.deepEqual([stage.read("work", "private", "-dirty.img"), stage.read("work", "root", "-dirty.img")], ["P", "R"]);
		stage.write("work", "Q", "private", "-dirty.img");
		await stage.expect(["work", "admin.vm.Shutdown+wait", "", ""]);
		t.deepEqual([stage.read("work"), await stage.revisions("work")], ["Q", { "1": "P" }]);
		t.is(fs.statSync(stage.file("appvms/work/private")).mode & 0o777, 0o600);
		await stage.run("base", "S", "root");
		t.deepEqual([stage.read("base", "root"), await stage.revisions("base", "root")], ["S", { "1": "R" }]);
	},
	{ isStarted: false },
);

/** Runs a command of docs/storage.md for our store or pool in place of those of the system. */
function follow(log: (line: string) => void, place: string, pattern: RegExp): void {
	const [, command = ""] = pattern.exec(fs.readFileSync("docs/storage.md", "utf8")) ?? [];
	const ours = command.replace(/\/var\/lib\/qubes(\/qubes\.xml)?/, place);
	if (ours === command) throw new Error(`no command for ${place} in docs/storage.md`);
	log(ours);
	const { status, stderr } = spawnSync("sh", ["-c", ours], { encoding: "utf8" });
	if (status !== 0) throw new Error(stderr);
}
