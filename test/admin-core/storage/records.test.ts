// Pools and volumes between model and store: spec/storage-reflink.md 1.4 to 1.7, spec/admin-core.md 5.1, 5.2, 12 (decided 2).
import fs from "node:fs";
import test from "ava";
import { openStorage, POOLS, qube, STORE, storeOf, volume, volumes } from "./storage-desk.ts";

const LVM =
	'\n    <pool name="lvm" driver="lvm_thin" volume_group="dom0" thin_pool="vm" revisions_to_keep="2" ephemeral_volatile="True"/>';

function lines(text: string, pattern: RegExp): string[] {
	return text.split("\n").flatMap((line) => (pattern.test(line) ? [line.trim()] : []));
}

test.serial("a store that is loaded is written as it was, and nothing on the disk is touched", async (t) => {
	const desk = await openStorage(t, STORE.replaceAll("DIR/files", "DIR/nowhere"), {}, { isBare: true });
	t.is(desk.store(), STORE.replaceAll("DIR/files", "DIR/nowhere"));
	t.deepEqual(fs.readdirSync(desk.dir), ["kernels"]);
});

test.serial("to load a store takes no look at the images of its volumes", async (t) => {
	const seen: unknown[] = [];
	const names = ["statSync", "lstatSync", "existsSync", "readdirSync", "openSync"] as const;
	const originals = names.map((name) => [name, fs[name]] as const);
	for (const [name, original] of originals) {
		const watched = (...args: readonly unknown[]): unknown => {
			if (String(args[0]).includes("/files")) seen.push([name, args[0]]);
			return (original as (...args: readonly unknown[]) => unknown)(...args);
		};
		Object.assign(fs, { [name]: watched });
	}
	try {
		await openStorage(t, STORE, {}, { isBare: true });
	} finally {
		Object.assign(fs, Object.fromEntries(originals));
	}
	t.deepEqual(seen, []);
});

test.serial("volumes that a class has and the store does not know of are added with their defaults", async (t) => {
	const store = storeOf(
		POOLS,
		[
			qube(1, "TemplateVM", "base", ""),
			qube(2, "AppVM", "work", "", { template: "base", template_for_dispvms: "True" }),
			qube(3, "DispVM", "disp", "", { template: "work", dispid: "1" }),
		].join(""),
	);
	const desk = await openStorage(t, store);
	const all = 'pool="files" vid="X" revisions_to_keep="1" rw="True"';
	const of = (vid: string): string => all.replace("X", vid);
	t.deepEqual(lines(desk.store(), /<volume /), [
		`<volume name="root" ${of("vm-templates/base/root")} save_on_stop="True" snap_on_start="False" size="10737418240"/>`,
		`<volume name="private" ${of("vm-templates/base/private")} save_on_stop="True" snap_on_start="False" size="2147483648"/>`,
		`<volume name="volatile" ${of("vm-templates/base/volatile")} save_on_stop="False" snap_on_start="False" size="10737418240"/>`,
		'<volume name="kernel" pool="kernels" vid="6.1" revisions_to_keep="0" rw="False" save_on_stop="False" snap_on_start="False" size="7"/>',
		`<volume name="root" ${of("appvms/disp/root")} save_on_stop="False" snap_on_start="True" size="10737418240" source="vm-templates/base/root"/>`,
		`<volume name="private" ${of("appvms/disp/private")} save_on_stop="False" snap_on_start="True" size="2147483648" source="appvms/work/private"/>`,
		`<volume name="volatile" ${of("appvms/disp/volatile")} save_on_stop="False" snap_on_start="False" size="12884901888"/>`,
		'<volume name="kernel" pool="kernels" vid="6.1" revisions_to_keep="0" rw="False" save_on_stop="False" snap_on_start="False" size="7"/>',
		`<volume name="root" ${of("appvms/work/root")} save_on_stop="False" snap_on_start="True" size="10737418240" source="vm-templates/base/root"/>`,
		`<volume name="private" ${of("appvms/work/private")} save_on_stop="True" snap_on_start="False" size="2147483648"/>`,
		`<volume name="volatile" ${of("appvms/work/volatile")} save_on_stop="False" snap_on_start="False" size="10737418240"/>`,
		'<volume name="kernel" pool="kernels" vid="6.1" revisions_to_keep="0" rw="False" save_on_stop="False" snap_on_start="False" size="7"/>',
	]);
});

test.serial("what the store does not say of a volume is as usual for its class", async (t) => {
	const bare = '        <volume name="private" pool="files" vid="appvms/work/private"/>\n';
	const desk = await openStorage(t, storeOf(POOLS, qube(1, "StandaloneVM", "work", bare)));
	const found = desk.app.qube("work").storage.find("private");
	t.like(found, { rw: true, saveOnStop: true, snapOnStart: false, size: 2147483648, revisionsToKeep: 1, ephemeral: undefined });
});

test.serial("yes, no and unset survive, and are what they are", async (t) => {
	for (const [attribute, value, pool] of [
		["", undefined, "False"],
		[' ephemeral="False"', false, "True"],
		[' ephemeral="True"', true, "False"],
	] as const) {
		const content = volumes("appvms/work", null).replace(/(vid="appvms\/work\/volatile".*?)( size)/, `$1${attribute}$2`);
		const pools = POOLS.replace('ephemeral_volatile="False"', `ephemeral_volatile="${pool}"`);
		const store = storeOf(pools, qube(1, "StandaloneVM", "work", content));
		const desk = await openStorage(t, store);
		t.is(desk.app.qube("work").storage.find("volatile")?.ephemeral, value);
		t.is(desk.app.pools.get("files").ephemeralVolatile, pool === "True");
		t.is(desk.store(), store);
	}
});

test.serial("attributes that nobody knows survive at pools and volumes", async (t) => {
	const store = STORE.replace(/(vid="appvms\/work\/root".*?)\/>/, '$1 acme="x &amp; y" other=""/>').replace(
		'ephemeral_volatile="False"/>',
		'ephemeral_volatile="False" mirror="yes"/>',
	);
	const desk = await openStorage(t, store);
	t.is(desk.store(), store);
	t.is(await desk.call("work", "admin.vm.volume.Set.revisions_to_keep+root", "5"), "");
	t.is(await desk.call("dom0", "admin.pool.Set.revisions_to_keep+files", "3"), "");
	const [root] = lines(desk.store(), /vid="appvms\/work\/root"/);
	t.regex(root ?? "", /revisions_to_keep="5" .* acme="x &amp; y" other=""/);
	t.regex(desk.store(), /revisions_to_keep="3" .*mirror="yes"/);
});

test.serial("a pool of a driver that nobody has is shown with its volumes, refuses all else, and stays as it is", async (t) => {
	const content = volumes("appvms/work", null).replaceAll('pool="files"', 'pool="lvm" origin="x"');
	const store = storeOf(POOLS + LVM, qube(1, "StandaloneVM", "work", content));
	const desk = await openStorage(t, store);
	t.is(desk.store(), store);
	t.is(await desk.call("dom0", "admin.pool.List"), "files\nkernels\nlvm\n");
	t.is(
		await desk.call("dom0", "admin.pool.Info+lvm"),
		"driver=lvm_thin\nephemeral_volatile=True\nname=lvm\nrevisions_to_keep=2\nthin_pool=vm\nvolume_group=dom0\n",
	);
	t.is(await desk.call("dom0", "admin.pool.volume.List+lvm"), "appvms/work/root\nappvms/work/private\nappvms/work/volatile\n");
	t.regex(
		await desk.call("work", "admin.vm.volume.Info+root"),
		/^pool=lvm\nvid=appvms\/work\/root\nsize=1048576\nusage=0\nrw=True\nsource=\npath=\nsave_on_stop=True\nsnap_on_start=False\nrevisions_to_keep=1\nephemeral=False\n$/,
	);
	const refusal = /^StoragePoolException: (volume root: )?pool lvm: there is no storage driver 'lvm_thin'$/;
	for (const [where, method, payload] of [
		["work", "admin.vm.volume.Set.rw+root", "False"],
		["work", "admin.vm.volume.Set.revisions_to_keep+root", "2"],
		["work", "admin.vm.volume.Resize+root", "2097152"],
		["work", "admin.vm.volume.Clear+root", ""],
		["work", "internal.vm.volume.ImportBegin+root", ""],
		["work", "admin.vm.Start", ""],
		["dom0", "admin.pool.Set.revisions_to_keep+lvm", "1"],
		["dom0", "admin.pool.Set.ephemeral_volatile+lvm", "False"],
		["dom0", "admin.vm.CreateInPool.StandaloneVM", "name=new label=red pool=lvm"],
	] as const) {
		t.regex(await desk.call(where, method, payload), refusal, method);
	}
	t.is(desk.app.find("new"), null);
	t.is(
		await desk.call("dom0", "admin.pool.Remove+lvm"),
		"QubesPoolInUseError: pool lvm is used: work:root, work:private, work:volatile",
	);
	t.is(await desk.call("work", "admin.vm.Remove"), "");
	t.is(await desk.call("dom0", "admin.pool.Remove+lvm"), "");
});

test.serial("a pool that its driver refuses is opaque too, and so are volumes of a pool that is not there", async (t) => {
	const pools = POOLS.replace('revisions_to_keep="1"', 'revisions_to_keep="many"');
	const desk = await openStorage(t, STORE.replace(POOLS, pools));
	t.is(desk.store(), STORE.replace(POOLS, pools));
	t.regex(await desk.call("work", "admin.vm.Start"), /^StoragePoolException: .*pool files: revisions_to_keep: want a number/);
	const gone = STORE.replaceAll('pool="files"', 'pool="gone"');
	const other = await openStorage(t, gone);
	t.is(other.store(), gone);
	t.is(await other.call("dom0", "admin.pool.List"), "files\nkernels\n");
	t.regex(await other.call("work", "admin.vm.Start"), /^StoragePoolException: .*there is no pool 'gone'/);
});

for (const [what, change, reason] of [
	["a size that is no number", [/(vid="appvms\/work\/root".*) size="\d+"/, '$1 size="big"'], /size: want a whole number/],
	["a size that would be rounded", [/(vid="appvms\/work\/root".*) size="\d+"/, '$1 size="9007199254740993"'], /to 2\^53-1/],
	["less than -1 revisions", [/(vid="appvms\/work\/root") revisions_to_keep="1"/, '$1 revisions_to_keep="-2"'], /from -1/],
	["a flag that is none", [/(vid="appvms\/work\/root".*) rw="True"/, '$1 rw="maybe"'], /rw: want True or False/],
	[
		"a snapshot that is saved",
		[/(vid="appvms\/work\/root".*) save_on_stop="False"/, '$1 save_on_stop="True"'],
		/cannot go together/,
	],
	["a source that is not there", [/(vid="appvms\/work\/root".*)vm-templates/, "$1nowhere"], /no volume nowhere\/base\/root/],
	["a vid that its driver refuses", [/vid="appvms\/work\/root"/, 'vid="../x/root"'], /bad vid/],
	[
		"a source of what is no snapshot",
		[/(vid="appvms\/work\/root".*)snap_on_start="True"/, '$1snap_on_start="False"'],
		/has a source/,
	],
	[
		"a key that is thrown away with data to keep",
		[/(vid="appvms\/work\/private".*)size/, '$1ephemeral="True" size'],
		/ephemeral/,
	],
] as const) {
	test.serial(`a volume with ${what} stays in the store and keeps its qube from starting`, async (t) => {
		const store = STORE.replace(change[0], change[1]);
		t.not(store, STORE);
		const desk = await openStorage(t, store);
		t.is(desk.store(), store);
		const reply = await desk.call("work", "admin.vm.Start");
		t.regex(reply, /^StoragePoolException/);
		t.regex(reply, reason);
		t.is(desk.app.qube("work").powerState, "Halted");
		t.is(await desk.call("dvm", "admin.vm.Start"), "");
	});
}

test.serial("a volume that cannot be added keeps its qube from starting", async (t) => {
	const store = storeOf(POOLS, qube(1, "StandaloneVM", "work", "")).replace(/.*"default_pool".*\n/, "");
	const desk = await openStorage(t, store);
	t.is(await desk.call("work", "admin.vm.volume.List"), "kernel\n");
	t.is(
		await desk.call("work", "admin.vm.Start"),
		"StoragePoolException: volume root of work is not there: volume root: there is no default pool: set default_pool_root",
	);
});

test.serial("volumes are listed in the order of the class, whatever that of the store, and further ones behind", async (t) => {
	const mixed = [
		volume("extra", "appvms/work/extra", { save_on_stop: "True" }),
		volume("volatile", "appvms/work/volatile"),
		volume("root", "appvms/work/root"),
	];
	const desk = await openStorage(t, storeOf(POOLS, qube(1, "StandaloneVM", "work", mixed.join(""))));
	t.is(await desk.call("work", "admin.vm.volume.List"), "root\nprivate\nvolatile\nkernel\nextra\n");
});

test.serial("where there are no pools at all, qubes have the volumes of the store only, and can be made and run", async (t) => {
	const desk = await openStorage(t, storeOf("", qube(1, "StandaloneVM", "work", "")).replace(/.*"default_pool.*\n/g, ""));
	t.is(await desk.call("work", "admin.vm.volume.List"), "");
	t.is(await desk.call("work", "admin.vm.Start"), "");
	t.is(await desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=new label=red"), "");
	t.is(await desk.call("new", "admin.vm.volume.List"), "");
});

test.serial("dom0 has no volumes, and what the store says of such stays", async (t) => {
	const store = STORE.replace(
		"<tags/>",
		`<tags/>\n      <volume-config>\n        ${volume("root", "x/y/z")}\n      </volume-config>`,
	);
	const desk = await openStorage(t, store);
	t.is(await desk.call("dom0", "admin.vm.volume.List"), "");
	t.is(desk.store(), store);
});
