// Who shares what, over the Admin API and in qvm-pool info (issue 4, item 6; spec/storage-reflink.md section 13, Q7).
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "../../../storage-reflink/file-systems.ts";
import { MIB } from "../../../storage-reflink/images.ts";
import { type Stage, scenario } from "./stage.ts";

/** A run of work that writes MiB of its private image, each of which is an extent of its own. */
async function runWork(stage: Stage, ...places: readonly number[]): Promise<void> {
	await stage.expect(["work", "admin.vm.Start", "", ""]);
	const file = fs.openSync(stage.file("appvms/work/private", "-dirty.img"), "r+");
	for (const place of places) {
		fs.writeSync(file, Buffer.alloc(MIB, "x"), 0, MIB, place * MIB);
		fs.fsyncSync(file);
	}
	fs.closeSync(file);
	await stage.expect(["work", "admin.vm.Shutdown+wait", "", ""]);
}

scenario(
	"13.Q7 qvm-pool info shows what is shared, and what the removal of each volume and revision frees",
	"BX",
	async (t, stage) => {
		await stage.expect(["work", "admin.vm.volume.Resize+private", `${8 * MIB}`, ""]);
		await runWork(stage, 0, 1, 2, 3);
		await runWork(stage, 0);
		const token = await stage.call("work", "admin.vm.volume.CloneFrom+private");
		await stage.expect(["solo", "admin.vm.volume.CloneTo+private", token, ""]);
		// The daemon may still be at what it does in the background.
		const wanted = new RegExp(`^exclusive=${MIB}\nshared=${4 * MIB}\n`);
		for (let tries = 0; tries < 300; tries++) {
			call("sync", "--file-system", stage.images);
			if (wanted.test(await stage.call("dom0", "admin.pool.SpaceDetails+main"))) break;
			await sleep(20);
		}
		const reply = await stage.call("dom0", "admin.pool.SpaceDetails+main");
		t.regex(reply, wanted);
		t.regex(reply, new RegExp(`\nvolume=${MIB} appvms/work/private\nrevision=${MIB} 2 appvms/work/private\n`));
		t.regex(reply, /\nvolume=0 appvms\/solo\/private\nrevision=0 1 appvms\/solo\/private\n/);

		const { stdout } = await stage.house.run("qvm-pool", "info", "main");
		t.regex(stdout, new RegExp(`\nexclusive +${MIB}\nshared +${4 * MIB}\n\nVOLUME +REVISION +REMOVAL_FREES\n`));
		t.regex(stdout, new RegExp(`\nappvms/work/private +${MIB}\nappvms/work/private +2 +${MIB}\n`));
		const json = JSON.parse((await stage.house.run("qvm-pool", "info", "main", "--json")).stdout);
		t.like(json, { name: "main", driver: "file-reflink", exclusive: MIB, shared: 4 * MIB });
		t.deepEqual(
			json.volumes.find((volume: { vid: string }) => volume.vid === "appvms/work/private"),
			{ vid: "appvms/work/private", exclusive: MIB, revisions: { "2": MIB } },
		);
		t.notRegex(
			(await stage.house.run("qvm-pool", "info", "linux-kernel")).stdout,
			/exclusive|shared/,
			"nothing is known of kernels",
		);
	},
);

scenario("13.Q7 of a pool that is not mounted qvm-pool info says that it is not known what is shared", "B", async (t, stage) => {
	const away = `${stage.images}-away`;
	fs.renameSync(stage.images, away);
	const { status, stdout } = await stage.house.run("qvm-pool", "info", "main");
	fs.renameSync(away, stage.images);
	t.is(status, 0);
	t.regex(stdout, /\nexclusive +not known: there is no ".*": is the pool mounted\?\nshared +not known: [^\n]*\n$/);
});

scenario(
	"13.Q7 where the file system does not tell what is shared, qvm-pool info says that it is not known",
	"T",
	async (t, stage) => {
		await runWork(stage, 0);
		t.regex(
			await stage.call("dom0", "admin.pool.SpaceDetails+main"),
			/^StoragePoolException: cannot find out where the data of /,
		);
		const { status, stdout } = await stage.house.run("qvm-pool", "info", "main");
		t.is(status, 0);
		t.regex(stdout, /\nexclusive +not known: cannot find out .*unsupported\nshared +not known: /);
	},
);
