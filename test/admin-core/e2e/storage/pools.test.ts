// Scenarios 5, 6, 9, 10, 68 and 70 of spec/storage-reflink.md section 11: pools, over the Admin API.
import fs from "node:fs";
import { MIB } from "../../../storage-reflink/images.ts";
import { scenario } from "./stage.ts";

const add = (name: string, dir: string): string => `name=${name}\ndir_path=${dir}\n`;

scenario(
	"5 a pool without a place for it is refused, and one on a used directory changes nothing there",
	"BX",
	async (t, stage) => {
		const { root } = stage;
		const file = `${stage.images}-file`;
		fs.writeFileSync(file, "text");
		await stage.run("work", "A");
		const tree = stage.tree();
		await stage.expect(
			[
				"dom0",
				"admin.pool.Add+file-reflink",
				add("p", `${root}/none/deep`),
				`StoragePoolException: cannot create "${root}/none/deep": there is no "${root}/none"`,
			],
			["dom0", "admin.pool.Add+file-reflink", add("p", file), `StoragePoolException: "${file}" is not a directory`],
			["dom0", "admin.pool.Add+file-reflink", add("p", stage.images), ""],
			["dom0", "admin.pool.List", "", "main\nlinux-kernel\np\n"],
		);
		t.is(fs.readFileSync(file, "utf8"), "text");
		t.deepEqual(stage.tree(), tree);
		t.is(await stage.call("dom0", "admin.pool.volume.List+p"), "", "a pool does not look for volumes");
	},
);

scenario("6 a pool whose directory is gone still answers, and its volumes say what is missing", "BX", async (t, stage) => {
	fs.renameSync(stage.images, `${stage.images}-away`);
	await stage.expect(
		[
			"dom0",
			"admin.pool.Info+main",
			"",
			`dir_path=${stage.images}\ndriver=file-reflink\nephemeral_volatile=False\nname=main\nrevisions_to_keep=1\n`,
		],
		["dom0", "admin.pool.UsageDetails+main", "", ""],
		["dom0", "admin.pool.SpaceDetails+main", "", /^StoragePoolException: there is no ".*": is the pool mounted\?$/],
		["work", "admin.vm.volume.Info+private", "", new RegExp(`\nsize=${MIB}\nusage=0\n`)],
		["work", "admin.vm.volume.ListSnapshots+private", "", ""],
		["work", "admin.vm.Start", "", /^StoragePoolException: .*there is no ".*\/vm-templates\/base\/root\.img"$/],
		["work", "admin.vm.volume.Revert+private", "1", /^QubesVolumeRevisionNotFoundError: /],
		["dom0", "admin.vm.Create.AppVM+base", "name=new label=red", /^StoragePoolException: /],
		["new", "admin.vm.volume.List", "", /^QubesVMNotFoundError: /],
	);
	t.false(fs.existsSync(stage.images), "nothing is made where the file system is not mounted");
	await stage.restart();
	fs.renameSync(`${stage.images}-away`, stage.images);
	await stage.run("work", "A");
	t.is(stage.read("work"), "A");
});

scenario("9 a pool that is used stays, one that is not goes, and its files stay", "BX", async (t, stage) => {
	const dir = `${stage.images}-more`;
	await stage.expect(
		["dom0", "admin.pool.Add+file-reflink", add("more", dir), ""],
		["dom0", "admin.pool.Remove+main", "", /^QubesPoolInUseError: /],
		["dom0", "admin.property.Set+default_pool_private", "more", ""],
		["dom0", "admin.pool.Remove+more", "", /^QubesPoolInUseError: .*default_pool_private/],
		["dom0", "admin.property.Reset+default_pool_private", "", ""],
		["dom0", "admin.vm.CreateInPool.StandaloneVM", "name=new label=red pool=more", ""],
		["dom0", "admin.pool.Remove+more", "", /^QubesPoolInUseError: .*new:root/],
		["new", "admin.vm.Remove", "", ""],
		["dom0", "admin.pool.Remove+more", "", ""],
		["dom0", "admin.pool.List", "", "main\nlinux-kernel\n"],
	);
	t.deepEqual(fs.readdirSync(dir).sort(), ["appvms", "vm-templates"]);
	t.notRegex(stage.house.store(), /name="more"/);
});

scenario(
	"10 volumes of the store that make no sense are shown and refuse to start, and nothing is made of them",
	"B",
	async (t, stage) => {
		const volume = (name: string, attributes: string): string =>
			`<volume name="${name}" pool="main" size="4096" rw="True" revisions_to_keep="1" ${attributes}/>`;
		const wrong: readonly (readonly [name: string, attributes: string, reason: RegExp])[] = [
			["a", 'vid="../x/y" save_on_stop="True" snap_on_start="False"', /invalid volume id "\.\.\/x\/y"/],
			["b", 'vid="servicevms/work/b" save_on_stop="True" snap_on_start="False"', /invalid volume id/],
			[
				"c",
				'vid="appvms/work/private-dirty" save_on_stop="True" snap_on_start="False"',
				/its files would be those of another volume/,
			],
			[
				"d",
				'vid="appvms/work/d" save_on_stop="True" snap_on_start="True" source="vm-templates/base/root"',
				/volume d of work cannot be used: .*snap_on_start and save_on_stop/,
			],
			[
				"e",
				'vid="appvms/work/e" save_on_stop="True" snap_on_start="False" source="vm-templates/base/root"',
				/volume e of work cannot be used: .*source/,
			],
		];
		const before = stage.house.store();
		for (const [name, attributes, reason] of wrong) {
			stage.edit(() => before.replace('<volume name="root" vid="appvms/work/root"', `${volume(name, attributes)}$&`));
			const tree = stage.tree();
			await stage.house.start();
			t.regex(await stage.call("work", "admin.vm.volume.List"), new RegExp(`\n${name}\n`));
			t.regex(await stage.call("work", "admin.vm.Start"), /^(StoragePoolException|QubesNotImplementedError): /, name);
			t.regex(stage.house.logged, reason, name);
			t.deepEqual(stage.tree(), tree, name);
			await stage.house.stop();
			t.true(stage.house.store().includes(attributes.split(" ")[0] as string), "the store still says so");
		}
	},
	{ isStarted: false },
);

scenario("68 what is known of a volume and a pool comes in its order, byte for byte", "BX", async (t, stage) => {
	await stage.run("work", "A");
	const used = fs.statSync(stage.file("appvms/work/private")).blocks * 512;
	await stage.expect([
		...(["work", "admin.vm.volume.Info+private", ""] as const),
		`pool=main
vid=appvms/work/private
size=${MIB}
usage=${used}
rw=True
source=
path=${stage.images}/appvms/work/private-dirty.img
save_on_stop=True
snap_on_start=False
revisions_to_keep=1
ephemeral=False
is_outdated=False
`,
	]);
	t.is(used, 8192);
	const pool = await stage.call("dom0", "admin.pool.Info+main");
	t.regex(
		pool,
		/^dir_path=.*\ndriver=file-reflink\nephemeral_volatile=False\nname=main\nrevisions_to_keep=1\nsize=\d+\nusage=\d+\n$/,
	);
	for (const id of [2, 10, 9]) stage.make(`appvms/dvm/private.img.${id}@2026-08-18T15:49:46Z`, "R");
	t.is(await stage.call("dvm", "admin.vm.volume.ListSnapshots+private"), "2\n9\n10\n", "times are equal: by id, as a number");
});

scenario(
	"70 pools and volumes are the same after the store was read and written, and read again",
	"B",
	async (t, stage) => {
		stage.edit((store) =>
			store
				.replace('<volume name="volatile" vid="appvms/work/volatile"', '$& ephemeral="True"')
				.replace('<volume name="volatile" vid="appvms/dvm/volatile"', '$& ephemeral="False"')
				.replace(/(vid="appvms\/solo\/volatile"[^>]*) size="\d+"/, '$1 size="0"'),
		);
		await stage.house.start();
		const see = async (): Promise<string[]> => {
			const seen = [await stage.call("dom0", "admin.pool.Info+main"), await stage.call("dom0", "admin.pool.Info+linux-kernel")];
			for (const qube of ["base", "dvm", "solo", "work"])
				for (const volume of ["root", "private", "volatile", "kernel"])
					seen.push(await stage.call(qube, `admin.vm.volume.Info+${volume}`));
			return seen.map((reply) => reply.replace(/^usage=.*\n/m, ""));
		};
		const volumeLines = (): string[] => stage.house.store().match(/<(volume|pool) [^>]*>/g) ?? [];
		const first = await see();
		t.is(await stage.info("work", "volatile", "ephemeral"), "True");
		t.is(await stage.info("solo", "volatile", "size"), "0");
		// A change makes it write the store.
		await stage.expect(["work", "admin.vm.feature.Set+x", "1", ""]);
		const written = volumeLines();
		const lineOf = (vid: string): string => written.find((line) => line.includes(`vid="${vid}"`)) ?? "none";
		t.regex(lineOf("appvms/work/volatile"), / ephemeral="True"/);
		t.regex(lineOf("appvms/dvm/volatile"), / ephemeral="False"/);
		t.notRegex(lineOf("appvms/solo/volatile"), / (ephemeral|source)=/);
		t.regex(lineOf("appvms/work/root"), / save_on_stop="False" .*snap_on_start="True" .*source="vm-templates\/base\/root"/);
		t.regex(written.find((line) => line.includes('name="main"')) ?? "", / ephemeral_volatile="False"/);
		await stage.restart();
		t.deepEqual(await see(), first);
		await stage.expect(["work", "admin.vm.feature.Set+x", "2", ""]);
		t.deepEqual(volumeLines(), written);
	},
	{ isStarted: false },
);
