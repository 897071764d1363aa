// The calls that qvm-pool, qvm-volume and the import service make (spec 11; spec/storage-reflink.md 9), replayed over a real socket.
import fs from "node:fs";
import test from "ava";
import { LIST, MIB, openFurnished } from "./furnished.ts";
import { errorOf, replay, type Step, testSequences } from "./replay.ts";

const L: Step = ["dom0: admin.vm.List", LIST];
const POOLS: Step = ["dom0: admin.pool.List", "main\nlinux-kernel\n"];
const VOLUMES: Step = ["work: admin.vm.volume.List", "root\nprivate\nvolatile\nkernel\n"];
/** How large the file system is, and how much of it is used, is as it is. */
const FIGURES = "size=\\d+\\nusage=\\d+\\n";
const NO_POOL = "!PermissionDenied Argument not in 'pools'";
const NO_VOLUME = "!PermissionDenied Argument not in 'work volumes'";

const PRIVATE = { name: "private", size: MIB, source: "", saveOnStop: "True", keep: 1 };

/** What Info answers for a volume of `work` in the pool `main` that nobody has started. */
function info(
	{ name, size, source, saveOnStop, keep, rw = "True" }: typeof PRIVATE & { rw?: string },
	ephemeral = "False",
): string {
	return `pool=main
vid=appvms/work/${name}
size=${size}
usage=0
rw=${rw}
source=${source}
path=DIR/images/appvms/work/${name}-dirty.img
save_on_stop=${saveOnStop}
snap_on_start=${source === "" ? "False" : "True"}
revisions_to_keep=${keep}
ephemeral=${ephemeral}
is_outdated=False
`;
}

const ROOT_INFO = info({ ...PRIVATE, name: "root", source: "vm-templates/base/root", saveOnStop: "False" });
const VOLATILE = { ...PRIVATE, name: "volatile", saveOnStop: "False" };
const INFO: Step = ["work: admin.vm.volume.Info+private", info(PRIVATE)];

testSequences(openFurnished, {
	"qvm-pool list": [
		POOLS,
		[
			"dom0: admin.pool.Info+main",
			new RegExp(
				`^0\\0dir_path=[^\\n]+/images\\ndriver=file-reflink\\nephemeral_volatile=False\\nname=main\\nrevisions_to_keep=1\\n${FIGURES}$`,
			),
		],
		["dom0: admin.pool.Info+linux-kernel", "dir_path=DIR/kernels\ndriver=linux-kernel\nname=linux-kernel\n"],
	],
	"qvm-pool info": [
		POOLS,
		["dom0: admin.pool.Info+linux-kernel", "dir_path=DIR/kernels\ndriver=linux-kernel\nname=linux-kernel\n"],
		["dom0: admin.pool.Info+nosuch", NO_POOL],
		["dom0: admin.pool.UsageDetails+main", /^0\0data_size=\d+\ndata_usage=\d+\n$/],
		["dom0: admin.pool.UsageDetails+linux-kernel", ""],
	],
	"qvm-pool drivers": [
		[
			"dom0: admin.pool.ListDrivers",
			"file-reflink revisions_to_keep dir_path setup_check ephemeral_volatile\nlinux-kernel dir_path\n",
		],
	],
	"qvm-pool add": [
		["dom0: admin.pool.Add+file-reflink <name=more\ndir_path=DIR/images/more\nrevisions_to_keep=2\nsetup_check=no\n>", ""],
		["dom0: admin.pool.List", "main\nlinux-kernel\nmore\n"],
		["dom0: admin.pool.Info+more", new RegExp(`\\nname=more\\nrevisions_to_keep=2\\n${FIGURES}included_in=main\\n$`)],
		["dom0: admin.pool.Add+file-reflink <name=more\ndir_path=DIR/images/more\n>", errorOf("QubesPoolInUseError")],
		["dom0: admin.pool.Add+file-reflink <name=x\n>", "!QubesException missing required driver options: dir_path"],
		["dom0: admin.pool.Add+file-reflink <dir_path=DIR/x\n>", errorOf("ProtocolError")],
		["dom0: admin.pool.Add+file-reflink <name=x\nname=y\n>", errorOf("ProtocolError")],
		["dom0: admin.pool.Add+file-reflink <name=x\nfile\n>", errorOf("ProtocolError")],
		["dom0: admin.pool.Add+file-reflink <name=x/y\ndir_path=DIR/x\n>", errorOf("ProtocolError")],
		[
			"dom0: admin.pool.Add+file-reflink <name=x\ndir_path=DIR/x\nvolume_group=y\n>",
			/^2\0ProtocolError\0\0Unexpected driver options found[^\0]*\0$/,
		],
		["dom0: admin.pool.Add+nosuch <name=x\n>", "!PermissionDenied Argument not in 'available drivers'"],
		["dom0: admin.pool.List", "main\nlinux-kernel\nmore\n"],
	],
	"qvm-pool remove": [
		["dom0: admin.pool.Add+linux-kernel <name=more\ndir_path=DIR/kernels\n>", ""],
		["dom0: admin.pool.Remove+more", ""],
		["dom0: admin.pool.Remove+more", NO_POOL],
		["dom0: admin.pool.Remove+main", /^2\0QubesPoolInUseError\0\0[^\0]*\bmain\b[^\0]*\0$/],
		["dom0: admin.pool.Remove+linux-kernel", /^2\0QubesPoolInUseError\0\0[^\0]*\blinux-kernel\b[^\0]*\0$/],
		POOLS,
	],
	"qvm-pool set": [
		POOLS,
		["dom0: admin.pool.Set.revisions_to_keep+main <3>", ""],
		["dom0: admin.pool.Set.ephemeral_volatile+main <True>", ""],
		["dom0: admin.pool.Info+main", /\nephemeral_volatile=True\nname=main\nrevisions_to_keep=3\n/],
		["dom0: admin.pool.Set.revisions_to_keep+main <-1>", ""],
		["dom0: admin.pool.Set.revisions_to_keep+main <-2>", errorOf("ProtocolError")],
		["dom0: admin.pool.Set.revisions_to_keep+main <03>", "!ProtocolError Revisions to keep contains spurious leading zeros"],
		["dom0: admin.pool.Set.revisions_to_keep+main <x>", "!ProtocolError Revisions to keep contains non ASCII digits"],
		["dom0: admin.pool.Set.ephemeral_volatile+main <maybe>", "!ProtocolError Payload is not boolean ASCII"],
		["dom0: admin.pool.Set.ephemeral_volatile+nosuch <yes>", NO_POOL],
		["dom0: admin.pool.Set.revisions_to_keep+linux-kernel <2>", errorOf("QubesNotImplementedError")],
	],
	"qvm-volume info": [
		L,
		VOLUMES,
		["work: admin.vm.volume.Info+root", ROOT_INFO],
		INFO,
		["work: admin.vm.volume.ListSnapshots+private", ""],
		["work: admin.vm.volume.Info+volatile", info(VOLATILE)],
		[
			"work: admin.vm.volume.Info+kernel",
			/^0\0pool=linux-kernel\nvid=6\.12\.1\nsize=4096\nusage=0\nrw=False\nsource=\npath=[^\n]+\nsave_on_stop=False\nsnap_on_start=False\nrevisions_to_keep=0\nephemeral=False\nis_outdated=False\n$/,
		],
		["work: admin.vm.volume.Info+nosuch", NO_VOLUME],
		["dom0: admin.vm.volume.List", ""],
	],
	"qvm-volume info of a qube whose template has changed since it runs": [
		["work: admin.vm.Start", ""],
		["work: admin.vm.volume.Info+root", /\nephemeral=False\nis_outdated=False\n$/],
		["base: admin.vm.Start", ""],
		["base: admin.vm.Shutdown+wait", ""],
		["work: admin.vm.volume.Info+root", /\nephemeral=False\nis_outdated=True\n$/],
		["work: admin.vm.Shutdown+wait", ""],
		["work: admin.vm.volume.Info+root", ROOT_INFO],
	],
	"qvm-volume list, with a pool": [
		L,
		POOLS,
		VOLUMES,
		INFO,
		["work: admin.vm.volume.ListSnapshots+root", ""],
		["dom0: admin.pool.volume.List+main", /^0\0vm-templates\/base\/root\n((appvms|vm-templates)\/\w+\/\w+\n){11}$/],
	],
	"qvm-volume resize": [
		L,
		VOLUMES,
		INFO,
		[`work: admin.vm.volume.Resize+private <${2 * MIB}>`, ""],
		["work: admin.vm.volume.Info+private", info({ ...PRIVATE, size: 2 * MIB })],
		["work: admin.vm.volume.Resize+private <01>", "!ProtocolError Volume size contains spurious leading zeros"],
		["work: admin.vm.volume.Resize+private <-1>", "!ProtocolError Volume size contains non ASCII digits"],
		["work: admin.vm.volume.Resize+private <1 >", ""],
		[
			"work: admin.vm.volume.Resize+private <10000000000000000000>",
			"!ProtocolError Volume size is bigger than 19 decimal digits",
		],
		["work: admin.vm.volume.Resize+private", "!ProtocolError expected payload"],
		[`work: admin.vm.volume.Resize+root <${2 * MIB}>`, errorOf("StoragePoolException")],
		[`work: admin.vm.volume.Resize+nosuch <${2 * MIB}>`, NO_VOLUME],
	],
	"qvm-volume config": [
		VOLUMES,
		["work: admin.vm.volume.Set.revisions_to_keep+private <3>", ""],
		["work: admin.vm.volume.Set.rw+private <False>", ""],
		["work: admin.vm.volume.Info+private", info({ ...PRIVATE, keep: 3, rw: "False" })],
		["work: admin.vm.volume.Set.ephemeral+volatile <True>", ""],
		["work: admin.vm.volume.Info+volatile", info(VOLATILE, "True")],
		["work: admin.vm.volume.Set.ephemeral+volatile <no>", ""],
		["work: admin.vm.volume.Set.revisions_to_keep+private <-2>", errorOf("QubesValueError")],
		["work: admin.vm.volume.Set.ephemeral+private <True>", errorOf("QubesValueError")],
		["work: admin.vm.volume.Set.ephemeral+private <off>", ""],
		["work: admin.vm.volume.Set.rw+private <maybe>", "!ProtocolError Payload is not boolean ASCII"],
		["work: admin.vm.Start", ""],
		["work: admin.vm.volume.Set.rw+private <True>", errorOf("QubesVMNotHaltedError")],
		["work: admin.vm.volume.Set.revisions_to_keep+private <-1>", errorOf("QubesVMNotHaltedError")],
		["work: admin.vm.volume.Set.nosuch+private <1>", "!ProtocolError no such method: 'admin.vm.volume.Set.nosuch'"],
	],
	"qvm-volume revert": [
		VOLUMES,
		["work: admin.vm.Start", ""],
		["work: admin.vm.Shutdown+wait", ""],
		["work: admin.vm.volume.ListSnapshots+private", "1\n"],
		["work: admin.vm.volume.Revert+private <1>", ""],
		// What was there is the newest one now.
		["work: admin.vm.volume.ListSnapshots+private", "2\n"],
		["work: admin.vm.volume.Revert+private <1>", errorOf("QubesVolumeRevisionNotFoundError")],
		["work: admin.vm.volume.Revert+private <a/b>", errorOf("ProtocolError")],
		["work: admin.vm.volume.Revert+private <2\n>", ""],
		["work: admin.vm.volume.Revert+private", "!ProtocolError expected payload"],
	],
	"qvm-volume clear": [
		VOLUMES,
		["work: admin.vm.volume.Clear+private", ""],
		INFO,
		["work: admin.vm.volume.ListSnapshots+private", "1\n"],
		["work: admin.vm.volume.Clear+nosuch", NO_VOLUME],
		["work: admin.vm.Start", ""],
		["work: admin.vm.volume.Clear+private", errorOf("QubesVMNotHaltedError")],
	],
	"qvm-volume clone": [
		L,
		VOLUMES,
		INFO,
		["solo: admin.vm.volume.List", "root\nprivate\nvolatile\nkernel\n"],
		[`solo: admin.vm.volume.Resize+private <${2 * MIB}>`, ""],
		["solo: admin.vm.volume.CloneFrom+private", /^0\0(?<token>[A-Za-z0-9]{32})$/],
		["work: admin.vm.volume.CloneTo+private <$token>", ""],
		["work: admin.vm.volume.Info+private", info({ ...PRIVATE, size: 2 * MIB })],
		["work: admin.vm.volume.CloneTo+private <$token>", errorOf("QubesVolumeCopyTokenNotFoundError")],
		["work: admin.vm.volume.CloneTo+private", "!ProtocolError expected payload"],
		["work: admin.vm.volume.CloneFrom+nosuch", NO_VOLUME],
		["work: admin.vm.Start", ""],
		["solo: admin.vm.volume.CloneFrom+private", /^0\0(?<second>[A-Za-z0-9]{32})$/],
		["work: admin.vm.volume.CloneTo+private <$second>", errorOf("QubesVMNotHaltedError")],
	],
	"qvm-volume import that fails": [
		["work: internal.vm.volume.ImportBegin+private", `${MIB} DIR/images/appvms/work/private-import.img`],
		["work: internal.vm.volume.ImportEnd+private <fail\nnot enough data>", "!QubesException Data import failed: not enough data"],
		INFO,
		["work: admin.vm.volume.ListSnapshots+private", ""],
		["work: internal.vm.volume.ImportBegin+nosuch", "!ProtocolError Argument not in work volumes"],
		["work: internal.vm.volume.ImportBegin+private <x>", "!ProtocolError Volume size contains non ASCII digits"],
		["work: internal.vm.volume.ImportEnd+private", "!ProtocolError expected payload"],
		["work: admin.vm.Start", ""],
		["work: internal.vm.volume.ImportBegin+private", errorOf("QubesVMNotHaltedError")],
	],
});

test("qvm-volume import: what is written between the two calls is the volume, and what was there is a revision", async (t) => {
	const house = await openFurnished(t);
	const image = house.path("images/appvms/work/private.img");
	await replay(t, house, [
		["work: internal.vm.volume.ImportBegin+private <4096>", "4096 DIR/images/appvms/work/private-import.img"],
	]);
	const data = Buffer.alloc(4096, "new");
	fs.writeFileSync(house.path("images/appvms/work/private-import.img"), data, { flag: "r+" });
	await replay(t, house, [
		["work: internal.vm.volume.ImportEnd+private <ok>", ""],
		["work: admin.vm.volume.ListSnapshots+private", "1\n"],
	]);
	t.deepEqual(fs.readFileSync(image), data);
	await replay(t, house, [["work: admin.vm.volume.Revert+private <1>", ""], INFO]);
	t.deepEqual(fs.readFileSync(image), Buffer.alloc(MIB));
});

test("qvm-pool: the store says what was set", async (t) => {
	const house = await openFurnished(t);
	await replay(t, house, [
		["dom0: admin.pool.Set.revisions_to_keep+main <3>", ""],
		["dom0: admin.pool.Set.ephemeral_volatile+main <True>", ""],
		["work: admin.vm.volume.Set.ephemeral+volatile <True>", ""],
		[`work: admin.vm.volume.Resize+private <${2 * MIB}>`, ""],
	]);
	await house.stop();
	await house.start();
	await replay(t, house, [
		["dom0: admin.pool.Info+main", /\nephemeral_volatile=True\nname=main\nrevisions_to_keep=3\n/],
		["work: admin.vm.volume.Info+volatile", info(VOLATILE, "True")],
		["work: admin.vm.volume.Info+private", info({ ...PRIVATE, size: 2 * MIB })],
	]);
});
