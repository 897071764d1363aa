// Scenarios 37 to 41 and 43 to 45 of spec/storage-reflink.md section 11: volatile volumes, disabled snapshots and sizes, over the Admin API.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "../../../storage-reflink/file-systems.ts";
import { contentOf, MIB, write } from "../../../storage-reflink/images.ts";
import { type Stage, scenario } from "./stage.ts";

const KEEP = "admin.vm.volume.Set.revisions_to_keep+private";
const RESIZE = "admin.vm.volume.Resize+private";
const GROWN_BY_HAND = /^StoragePoolException: volume \w+ is resized/;

scenario("37 a volatile volume is empty at each start, and a size that it got while it ran stays", "BX", async (t, stage) => {
	stage.make("appvms/work/volatile.img", "z");
	await stage.run("work", "V", "volatile");
	t.deepEqual(stage.names("work", "volatile"), []);
	await stage.expect(["work", "admin.vm.Start", "", ""]);
	t.is(stage.read("work", "volatile", "-dirty.img"), "∅");
	await stage.expect(
		["work", "admin.vm.volume.Resize+volatile", `${2 * MIB}`, GROWN_BY_HAND],
		["work", "admin.vm.Shutdown+wait", "", ""],
	);
	t.is(await stage.info("work", "volatile", "size"), `${2 * MIB}`);
	await stage.restart();
	await stage.expect(["work", "admin.vm.Start", "", ""]);
	t.is(fs.statSync(stage.file("appvms/work/volatile", "-dirty.img")).size, 2 * MIB);
});

scenario(
	"38 a halted volatile volume is made in its new size, and what may be ephemeral is so after a restart",
	"B",
	async (t, stage) => {
		const set = "admin.vm.volume.Set.ephemeral";
		await stage.expect(
			["work", "admin.vm.volume.Resize+volatile", `${3 * MIB}`, ""],
			["work", "admin.vm.volume.Info+volatile", "", new RegExp(`\nsize=${3 * MIB}\n`)],
			["work", "admin.vm.Start", "", ""],
		);
		t.is(fs.statSync(stage.file("appvms/work/volatile", "-dirty.img")).size, 3 * MIB);
		await stage.expect(
			["work", "admin.vm.Shutdown+wait", "", ""],
			["work", `${set}+root`, "True", /^QubesValueError: /],
			["work", `${set}+private`, "True", /^QubesValueError: /],
			["dvm", "admin.vm.volume.Set.rw+volatile", "False", ""],
			["dvm", `${set}+volatile`, "True", /^QubesValueError: /],
			["work", `${set}+volatile`, "True", ""],
		);
		await stage.restart();
		t.is(await stage.info("work", "volatile", "ephemeral"), "True");
		t.is(await stage.info("solo", "volatile", "ephemeral"), "False");
		await stage.expect(["dom0", "admin.pool.Set.ephemeral_volatile+main", "True", ""]);
		t.is(await stage.info("solo", "volatile", "ephemeral"), "True", "it follows the pool");
	},
);

scenario("39 without snapshots there is one image, the same in rest and run, and none is cloned", "BX", async (t, stage) => {
	await stage.expect(["work", KEEP, "-1", ""]);
	const [clean, dirty] = [stage.file("appvms/work/private"), stage.file("appvms/work/private", "-dirty.img")];
	const { ino } = fs.statSync(clean);
	await stage.expect(["work", "admin.vm.Start", "", ""]);
	t.deepEqual([stage.names("work", "private"), fs.statSync(dirty).ino], [["private-dirty.img"], ino]);
	await stage.expect(["work", "admin.vm.Shutdown+wait", "", ""]);
	await stage.house.stop();
	t.deepEqual([fs.readdirSync(`${stage.images}/appvms/work`), fs.statSync(clean).ino], [["private.img"], ino]);
	t.notRegex(stage.house.logged, /reflinked .*private/);
});

scenario(
	"40 with the start without snapshots revisions go, but not where there is nothing to start with",
	"BX",
	async (t, stage) => {
		await stage.expect(["work", KEEP, "2", ""]);
		await stage.run("work", "A");
		await stage.run("work", "B");
		await stage.expect(["work", KEEP, "-1", ""]);
		const clean = stage.file("appvms/work/private");
		fs.renameSync(clean, `${clean}.away`);
		await stage.expect(["work", "admin.vm.Start", "", /^StoragePoolException: .*private\.img"$/]);
		t.deepEqual(await stage.revisions("work"), { "1": "∅", "2": "A" });
		fs.renameSync(`${clean}.away`, clean);
		await stage.expect(["work", "admin.vm.Start", "", ""]);
		t.deepEqual(stage.names("work", "private"), ["private-dirty.img"]);
	},
);

scenario("41 what runs without snapshots cannot be read, cloned or begun with, and its settings stay", "BX", async (t, stage) => {
	await stage.expect(
		["base", "admin.vm.volume.Set.revisions_to_keep+root", "-1", ""],
		["base", "admin.vm.Start", "", ""],
		["work", "admin.vm.Start", "", /^(QubesVMError|StoragePoolException): /],
	);
	const token = await stage.call("base", "admin.vm.volume.CloneFrom+root");
	await stage.expect(
		["solo", "admin.vm.volume.CloneTo+root", token, /^StoragePoolException: /],
		["base", "admin.vm.volume.Set.revisions_to_keep+root", "1", /^QubesVMNotHaltedError: /],
		["base", "admin.vm.Shutdown+wait", "", ""],
		["work", KEEP, "-1", ""],
		["work", "admin.vm.Start", "", ""],
	);
	stage.write("work", "K", "private", "-dirty.img");
	await stage.house.stop("SIGKILL");
	fs.rmSync(stage.house.path("internal.sock"));
	stage.edit((store) => store.replace(/(vid="appvms\/work\/private"[^>]*revisions_to_keep=)"-1"/, '$1"1"'));
	await stage.house.start();
	t.deepEqual([stage.read("work"), await stage.revisions("work")], ["K", {}]);
	await stage.run("work", "L");
	t.deepEqual(await stage.revisions("work"), { "1": "K" });
});

scenario("43 an image at rest is grown and emptied as another file, and who reads it reads on", "BX", async (t, stage) => {
	await stage.run("work", "A");
	const image = stage.file("appvms/work/private");
	const { ino } = fs.statSync(image);
	const reader = fs.openSync(image, "r");
	await stage.expect(["work", RESIZE, `${3 * MIB}`, ""]);
	t.deepEqual([fs.statSync(image).size, stage.read("work"), await stage.revisions("work")], [3 * MIB, "A", { "1": "∅" }]);
	t.not(fs.statSync(image).ino, ino);
	await stage.expect(["work", RESIZE, "0", ""]);
	t.is(fs.statSync(image).size, 0);
	t.is(fs.fstatSync(reader).size, MIB);
	t.is(contentOf(fs.readFileSync(reader)), "A");
	fs.closeSync(reader);
	await stage.expect(["work", "admin.vm.Start", "", ""], ["work", "admin.vm.Shutdown+wait", "", ""]);
	t.is(await stage.info("work", "private", "size"), "0");
});

scenario("44 while it runs, all loop devices of the image grow, and no other", "BX", async (t, stage) => {
	await stage.expect(["work", "admin.vm.Start", "", ""]);
	const dirty = stage.file("appvms/work/private", "-dirty.img");
	write(dirty, "A");
	fs.symlinkSync(stage.images, stage.house.path("link"));
	stage.make("other.img", "O");
	const files = [dirty, `${stage.house.path("link")}/appvms/work/private-dirty.img`, `${stage.images}/other.img`];
	const devices = files.map((file) => call("losetup", "--find", "--show", file).trim());
	t.teardown(() => {
		for (const device of devices) call("losetup", "--detach", device);
	});
	await stage.expect(["work", RESIZE, `${2 * MIB}`, GROWN_BY_HAND]);
	t.deepEqual(
		devices.map((device) => Number(call("blockdev", "--getsize64", device))),
		[2 * MIB, 2 * MIB, MIB],
	);
	await stage.expect(["work", "admin.vm.Shutdown+wait", "", ""]);
	t.deepEqual([fs.statSync(stage.file("appvms/work/private")).size, stage.read("work")], [2 * MIB, "A"]);
});

scenario("45 what is read-only is not resized; where the qube cannot be told of a size, it is stored", "BX", async (t, stage) => {
	await stage.expect(["dvm", "admin.vm.volume.Set.rw+private", "False", ""]);
	const tree = stage.tree();
	await stage.expect(["dvm", RESIZE, `${2 * MIB}`, /^StoragePoolException: .*read-only$/]);
	t.deepEqual(stage.tree(), tree);
	await stage.expect(["work", "admin.vm.Start", "", ""], ["work", RESIZE, `${2 * MIB}`, GROWN_BY_HAND]);
	t.is(fs.statSync(stage.file("appvms/work/private", "-dirty.img")).size, 2 * MIB);
	t.regex(storedLine(stage), / size="2097152"/);
});

scenario(
	"an image that was deleted is refused everywhere, and the precache takes its place as docs/storage.md says",
	"BX",
	async (t, stage) => {
		const [file, precache] = ["", "-precache"].map((suffix) => stage.file("appvms/work/private", `${suffix}.img`)) as [
			string,
			string,
		];
		await stage.run("work", "A");
		await stage.run("work", "B");
		while (!fs.existsSync(precache)) await sleep(10);
		fs.rmSync(file);
		const missing = /^StoragePoolException: .*there is no ".*\/private\.img"/;
		const token = await stage.call("solo", "admin.vm.volume.CloneFrom+private");
		await stage.expect(
			["work", "admin.vm.Start", "", missing],
			["work", "admin.vm.volume.Revert+private", "2", missing],
			["work", "admin.vm.volume.CloneTo+private", token, missing],
			["work", "admin.vm.volume.Clear+private", "", missing],
			["work", RESIZE, `${2 * MIB}`, missing],
		);
		const [, command = ""] = /^1\. `(mv .+?)`/m.exec(fs.readFileSync("docs/storage.md", "utf8")) ?? [];
		call("sh", "-c", `cd '${path.dirname(file)}' && ${command}`);
		t.is(stage.read("work"), "B");
		await stage.expect(["work", "admin.vm.Start", "", ""]);
		t.is(stage.read("work", "private", "-dirty.img"), "B");
		await stage.expect(["work", "admin.vm.Shutdown+wait", "", ""]);
	},
);

function storedLine(stage: Stage): string {
	return /<volume [^>]*vid="appvms\/work\/private"[^>]*>/.exec(stage.house.store())?.[0] ?? "none";
}
