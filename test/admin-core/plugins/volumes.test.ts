// The methods of volumes: spec/admin-core.md 8.6, 9.2, spec/storage-reflink.md 9.3, 9.4.
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { openStorage, STORE } from "../storage/storage-desk.ts";
import { type Exchange, expectAnswers } from "./desk.ts";

/** Calls in their order, each with what is answered; `DIR` is the folder of the desk. */
function answers(title: string, ...calls: readonly Exchange[]): void {
	test.serial(title, async (t) => {
		const desk = await openStorage(t);
		const inDir = (reply: string | RegExp) => (typeof reply === "string" ? reply.replaceAll("DIR", desk.dir) : reply);
		await expectAnswers(
			t,
			desk,
			calls.map(([where, method, payload, reply]) => [where, method, payload, inDir(reply)]),
		);
	});
}

const NOT_FOUND = "PermissionDenied: Argument not in 'work volumes'";

answers(
	"volumes are described byte for byte",
	["work", "admin.vm.volume.List", "", "root\nprivate\nvolatile\nkernel\n"],
	["dom0", "admin.vm.volume.List", "", ""],
	[
		"work",
		"admin.vm.volume.Info+root",
		"",
		`pool=files
vid=appvms/work/root
size=1048576
usage=0
rw=True
source=vm-templates/base/root
path=DIR/files/appvms/work/root-dirty.img
save_on_stop=False
snap_on_start=True
revisions_to_keep=1
ephemeral=False
is_outdated=False
`,
	],
	[
		"work",
		"admin.vm.volume.Info+kernel",
		"",
		/^pool=kernels\nvid=6\.1\nsize=7\nusage=\d+\nrw=False\nsource=\npath=.*\/kernels\/6\.1\/modules\.img\nsave_on_stop=False\nsnap_on_start=False\nrevisions_to_keep=0\nephemeral=False\nis_outdated=False\n$/,
	],
	["dom0", "admin.pool.Set.ephemeral_volatile+files", "True", ""],
	["work", "admin.vm.volume.Info+volatile", "", /\nephemeral=True\n/],
	["work", "admin.vm.volume.Info+private", "", /\nephemeral=False\n/],
);

answers(
	"what is wrong with a call is said by its class",
	["work", "admin.vm.volume.Info", "", "ProtocolError: expected an argument"],
	["work", "admin.vm.volume.List+x", "", "ProtocolError: unexpected argument"],
	["work", "admin.vm.volume.Info+none", "", NOT_FOUND],
	["dom0", "admin.vm.volume.Info+root", "", "PermissionDenied: Argument not in 'dom0 volumes'"],
	["work", "admin.vm.volume.ListSnapshots+none", "", NOT_FOUND],
	["work", "admin.vm.volume.Revert+none", "1", NOT_FOUND],
	["work", "admin.vm.volume.Revert+private", "a/b", /^ProtocolError: revision/],
	["work", "admin.vm.volume.Revert+private", "77", "QubesVolumeRevisionNotFoundError: volume private has no revision '77'"],
	["work", "admin.vm.volume.Resize+none", "1", NOT_FOUND],
	["work", "admin.vm.volume.Resize+private", "", "ProtocolError: expected payload"],
	["work", "admin.vm.volume.Resize+private", "-1", "ProtocolError: Volume size contains non ASCII digits"],
	["work", "admin.vm.volume.Resize+private", "1x", "ProtocolError: Volume size contains non ASCII digits"],
	["work", "admin.vm.volume.Resize+private", "٣", "ProtocolError: Volume size contains non ASCII digits"],
	["work", "admin.vm.volume.Resize+private", "007", "ProtocolError: Volume size contains spurious leading zeros"],
	["work", "admin.vm.volume.Resize+private", "1".repeat(20), "ProtocolError: Volume size is bigger than 19 decimal digits"],
	["work", "admin.vm.volume.Clear+none", "", NOT_FOUND],
	["work", "admin.vm.volume.CloneFrom+none", "", NOT_FOUND],
	["work", "admin.vm.volume.CloneTo+private", "ä", "ProtocolError: token: want letters and digits"],
	["work", "admin.vm.volume.CloneTo+private", "x".repeat(32), /^QubesVolumeCopyTokenNotFoundError/],
	["work", "admin.vm.volume.Set.revisions_to_keep+none", "1", NOT_FOUND],
	["work", "admin.vm.volume.Set.revisions_to_keep+private", "-2", "QubesValueError: revisions_to_keep: want -1 or more, not -2"],
	["work", "admin.vm.volume.Set.rw+none", "1", NOT_FOUND],
	["work", "admin.vm.volume.Set.rw+private", "x", "ProtocolError: Payload is not boolean ASCII"],
	["work", "admin.vm.volume.Set.ephemeral+private", "True", /^QubesValueError: volume private cannot be ephemeral/],
	["work", "admin.vm.volume.Set.ephemeral+private", "", "ProtocolError: expected payload"],
);

answers(
	"kernels are not written to",
	["work", "admin.vm.volume.Set.rw+kernel", "True", "QubesNotImplementedError: driver linux-kernel has no rw"],
	[
		"work",
		"admin.vm.volume.Set.revisions_to_keep+kernel",
		"1",
		"QubesNotImplementedError: driver linux-kernel has no revisions_to_keep",
	],
	["work", "admin.vm.volume.Set.ephemeral+kernel", "False", "QubesNotImplementedError: driver linux-kernel has no ephemeral"],
	["work", "admin.vm.volume.Resize+kernel", "1", "QubesNotImplementedError: driver linux-kernel has no resize"],
	["work", "admin.vm.volume.Clear+kernel", "", "QubesNotImplementedError: driver linux-kernel has no importData"],
	["work", "admin.vm.volume.ListSnapshots+kernel", "", ""],
	["work", "admin.vm.volume.Info+kernel", "", /\nrw=False\n/],
);

test.serial("the kernel of a qube is what its property says, or none", async (t) => {
	const desk = await openStorage(t);
	for (const name of ["6.2", "empty"])
		fs.cpSync(path.join(desk.dir, "kernels/6.1"), path.join(desk.dir, "kernels", name), { recursive: true });
	await desk.call("work", "admin.vm.property.Set+kernel", "6.2");
	t.regex(await desk.call("work", "admin.vm.volume.Info+kernel"), /\nvid=6\.2\n/);
	t.regex(desk.store(), /<volume name="kernel" pool="kernels" vid="6\.2"/);
	fs.rmSync(path.join(desk.dir, "kernels/6.2"), { recursive: true });
	t.regex(await desk.call("work", "admin.vm.Start"), /^StoragePoolException: volume kernel: kernel '6\.2' is not installed/);
	await desk.call("work", "admin.vm.property.Set+kernel", "");
	t.regex(await desk.call("work", "admin.vm.volume.Info+kernel"), /\nvid=\nsize=0\nusage=0\nrw=False\nsource=\npath=\n/);
	t.is(await desk.call("work", "admin.vm.Start"), "");
});

test.serial("what was is kept as a revision, listed, and brought back", async (t) => {
	const desk = await openStorage(t);
	for (const content of ["A", "B"]) {
		await desk.call("work", "admin.vm.Start");
		desk.write("appvms/work/private-dirty.img", content);
		t.regex(await desk.call("work", "admin.vm.volume.Info+private"), /size=1048576\nusage=4096\n/);
		await desk.call("work", "admin.vm.Shutdown");
	}
	t.is(await desk.call("work", "admin.vm.volume.ListSnapshots+private"), "2\n");
	t.is(await desk.call("work", "admin.vm.volume.Revert+private", "2\n"), "");
	t.is(desk.read("appvms/work/private.img"), "A");
});

test.serial("a volume is resized, also when the qube cannot be told, and the store has the new size", async (t) => {
	const desk = await openStorage(t);
	t.is(await desk.call("work", "admin.vm.volume.Resize+private", " 2097152\n"), "");
	t.regex(desk.store(), /vid="appvms\/work\/private" .*size="2097152"/);
	t.is(desk.saved, 1);
	await desk.call("work", "admin.vm.Start");
	t.regex(
		await desk.call("work", "admin.vm.volume.Resize+private", "3145728"),
		/^StoragePoolException: volume private is resized/,
	);
	t.is(desk.saved, 2);
	t.regex(desk.store(), /vid="appvms\/work\/private" .*size="3145728"/);
});

test.serial("a volume is cleared with both events, and only of a halted qube", async (t) => {
	const desk = await openStorage(t);
	const fired: unknown[] = [];
	desk.app.qube("work").addHandler("domain-volume-*", (_qube, event, args) => void fired.push([event, args]));
	desk.write("appvms/work/private.img", "A");
	t.is(await desk.call("work", "admin.vm.volume.Clear+private"), "");
	t.is(desk.read("appvms/work/private.img"), "\0");
	t.is(desk.read("appvms/work/private.img.1"), "A");
	t.deepEqual(fired, [
		["domain-volume-import-begin", { volume: "private", size: 1048576 }],
		["domain-volume-import-end", { volume: "private", success: true }],
	]);
	await desk.call("work", "admin.vm.Start");
	t.regex(await desk.call("work", "admin.vm.volume.Clear+private"), /^QubesVMNotHaltedError/);
	for (const value of ["True", "False"]) {
		t.regex(await desk.call("work", "admin.vm.volume.Set.rw+private", value), /^QubesVMNotHaltedError/);
	}
	t.is(await desk.call("work", "admin.vm.volume.Set.ephemeral+volatile", "True"), "");
});

test.serial("a volume is cloned with a token that is good for one time, while the volume is there", async (t) => {
	const desk = await openStorage(t);
	desk.write("appvms/work/private.img", "W");
	const offer = (): Promise<string> => desk.call("work", "admin.vm.volume.CloneFrom+private");
	const token = await offer();
	t.regex(token, /^[A-Za-z0-9]{32}$/);
	t.not(token, await offer());
	t.is(await desk.call("dvm", "admin.vm.volume.CloneTo+private", `${token}\n`), "");
	t.is(desk.read("appvms/dvm/private.img"), "W");
	t.regex(await desk.call("dvm", "admin.vm.volume.CloneTo+private", token), /^QubesVolumeCopyTokenNotFoundError/);
	const spent = await offer();
	t.is(await desk.call("dvm", "admin.vm.volume.CloneTo+none", spent), "PermissionDenied: Argument not in 'dvm volumes'");
	t.regex(await desk.call("dvm", "admin.vm.volume.CloneTo+private", spent), /^QubesVolumeCopyTokenNotFoundError/);
	const dead = await offer();
	t.is(await desk.call("work", "admin.vm.Remove"), "");
	t.regex(await desk.call("dvm", "admin.vm.volume.CloneTo+private", dead), /^QubesVolumeCopyTokenNotFoundError/);
});

test.serial("a volume of a qube that runs is not replaced", async (t) => {
	const desk = await openStorage(t);
	const token = await desk.call("work", "admin.vm.volume.CloneFrom+private");
	await desk.call("dvm", "admin.vm.Start");
	t.regex(await desk.call("dvm", "admin.vm.volume.CloneTo+private", token), /^QubesVMNotHaltedError/);
});

test.serial("an import gives size and path, takes what is written there, and tells how it ended", async (t) => {
	const desk = await openStorage(t);
	const fired: unknown[] = [];
	desk.app.qube("work").addHandler("domain-volume-*", (_qube, event, args) => void fired.push([event, args]));
	const file = path.join(desk.pool, "appvms/work/private-import.img");
	t.is(await desk.call("work", "internal.vm.volume.ImportBegin+private"), `1048576 ${file}`);
	desk.write("appvms/work/private-import.img", "I");
	t.is(await desk.call("work", "internal.vm.volume.ImportEnd+private", "ok"), "");
	t.is(desk.read("appvms/work/private.img"), "I");
	t.is(await desk.call("work", "internal.vm.volume.ImportBegin+private", "2097152\n"), `2097152 ${file}`);
	t.is(fs.statSync(file).size, 2097152);
	t.is(
		await desk.call("work", "internal.vm.volume.ImportEnd+private", "fail\nnot enough data\n"),
		"QubesException: Data import failed: not enough data",
	);
	t.is(fs.statSync(path.join(desk.pool, "appvms/work/private.img")).size, 1048576);
	t.regex(await desk.call("work", "internal.vm.volume.ImportEnd+private", "ok"), /^StoragePoolException: no import/);
	t.deepEqual(fired, [
		["domain-volume-import-begin", { volume: "private", size: 1048576 }],
		["domain-volume-import-end", { volume: "private", success: true }],
		["domain-volume-import-begin", { volume: "private", size: 2097152 }],
		["domain-volume-import-end", { volume: "private", success: false }],
		["domain-volume-import-end", { volume: "private", success: false }],
	]);
});

answers(
	"an import that cannot be is refused before it begins",
	["work", "internal.vm.volume.ImportBegin+none", "", "ProtocolError: Argument not in work volumes"],
	["work", "internal.vm.volume.ImportEnd+none", "ok", "ProtocolError: Argument not in work volumes"],
	["work", "internal.vm.volume.ImportEnd+private", "maybe", "ProtocolError: end of import: want ok or fail"],
	["work", "internal.vm.volume.ImportBegin+private", "1e3", "ProtocolError: Volume size contains non ASCII digits"],
	["work", "internal.vm.volume.ImportBegin+volatile", "", "QubesNotImplementedError: test-files has no import of volatile"],
	["work", "admin.vm.Start", "", ""],
	["work", "internal.vm.volume.ImportBegin+private", "", /^QubesVMNotHaltedError/],
);

test.serial("who may import is asked for the method that was called, and who may not learns nothing", async (t) => {
	const desk = await openStorage(t);
	const asked: unknown[] = [];
	desk.app.qube("dvm").addHandler("admin-permission:*", (_qube, event, { dest, arg, size }) => {
		asked.push([event, String((dest as { name: string }).name), arg, size]);
		throw new AdminError("PermissionDenied", "no");
	});
	for (const [volume, payload] of [
		["private", ""],
		["none", "5"],
	] as const) {
		t.is(await desk.call("dvm>work", `internal.vm.volume.ImportBegin+${volume}`, payload), "PermissionDenied: no");
	}
	t.deepEqual(asked, [
		["admin-permission:admin.vm.volume.Import", "work", "private", undefined],
		["admin-permission:admin.vm.volume.ImportWithSize", "work", "none", 5],
	]);
	for (const [method, payload] of [
		["Info", ""],
		["ListSnapshots", ""],
		["Revert", "1"],
		["Resize", "1"],
		["Clear", ""],
		["CloneFrom", ""],
		["Set.rw", "1"],
		["Set.ephemeral", "1"],
		["Set.revisions_to_keep", "1"],
	] as const) {
		for (const volume of ["private", "none"]) {
			t.is(await desk.call("dvm>work", `admin.vm.volume.${method}+${volume}`, payload), "PermissionDenied: no", method);
		}
	}
});

test.serial("a pool whose path has blanks says why nothing can be imported", async (t) => {
	const desk = await openStorage(t, STORE.replaceAll("DIR/files", "DIR/my files"));
	t.regex(await desk.call("work", "internal.vm.volume.ImportBegin+private"), /^ProtocolError: path with white space/);
	t.deepEqual(fs.readdirSync(path.join(desk.dir, "my files/appvms/work")).sort(), ["private.img"]);
});

test.serial("a handler that fails at the begin of an import leaves none behind", async (t) => {
	const desk = await openStorage(t);
	desk.app.qube("work").addHandler("domain-volume-import-begin", () => {
		throw new AdminError("QubesException", "no");
	});
	t.is(await desk.call("work", "internal.vm.volume.ImportBegin+private"), "QubesException: no");
	t.deepEqual(desk.files("work"), ["private.img"]);
});
