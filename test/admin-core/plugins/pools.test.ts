// The methods of pools, and the properties that name one: spec/admin-core.md 3.7, 8.5, spec/storage-reflink.md 9.2.
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { openStorage, POOLS, STORE, type StorageDesk, storeOf } from "../storage/storage-desk.ts";
import { type Exchange, expectAnswers } from "./desk.ts";

/** Calls in their order at a desk with two pools, each with what is answered; `DIR` is its folder. */
function answers(title: string, ...calls: readonly Exchange[]): void {
	test.serial(title, async (t) => {
		const desk = await openStorage(t);
		const inDir = (text: Exchange[2 | 3]) => (typeof text === "string" ? text.replaceAll("DIR", desk.dir) : text);
		await expectAnswers(
			t,
			desk,
			calls.map(([where, method, payload, reply]) => [where, method, inDir(payload) as string, inDir(reply) as string]),
		);
	});
}

answers(
	"pools, drivers and what is known of them are listed byte for byte",
	["dom0", "admin.pool.List", "", "files\nkernels\n"],
	[
		"dom0",
		"admin.pool.ListDrivers",
		"",
		/^(file-reflink [^\n]*\n)?linux-kernel dir_path\ntest-files revisions_to_keep dir_path ephemeral_volatile\n$/,
	],
	[
		"dom0",
		"admin.pool.Info+files",
		"",
		"dir_path=DIR/files\ndriver=test-files\nephemeral_volatile=False\nname=files\nrevisions_to_keep=1\nsize=1000\nusage=10\n",
	],
	["dom0", "admin.pool.Info+kernels", "", "dir_path=DIR/kernels\ndriver=linux-kernel\nname=kernels\n"],
	["dom0", "admin.pool.UsageDetails+files", "", "data_size=9\ndata_usage=10\n"],
	["dom0", "admin.pool.UsageDetails+kernels", "", ""],
	["dom0", "admin.pool.SpaceDetails+kernels", "", ""],
	[
		"dom0",
		"admin.pool.volume.List+files",
		"",
		/^vm-templates\/base\/root\nvm-templates\/base\/private\nvm-templates\/base\/volatile\nappvms\/(.+\n)+$/,
	],
	["dom0", "admin.pool.volume.List+kernels", "", "6.1\n"],
);

answers(
	"a pool is added, found in the one that it lies in, set, and removed",
	["dom0", "admin.pool.Add+test-files", "name=inner\ndir_path=DIR/files/in=ner\nrevisions_to_keep=3\n", ""],
	["dom0", "admin.pool.Info+inner", "", /\nrevisions_to_keep=3\nsize=1000\nusage=10\nincluded_in=files\n$/],
	["dom0", "admin.pool.Add+linux-kernel", "name=more\r\ndir_path=DIR/kernels", ""],
	["dom0", "admin.pool.List", "", "files\nkernels\ninner\nmore\n"],
	["dom0", "admin.pool.Set.revisions_to_keep+inner", "-1", ""],
	["dom0", "admin.pool.Set.ephemeral_volatile+inner", "yes", ""],
	["dom0", "admin.pool.Info+inner", "", /ephemeral_volatile=True\nname=inner\nrevisions_to_keep=-1\n/],
	["dom0", "admin.pool.Remove+inner", "", ""],
	["dom0", "admin.pool.Info+inner", "", "PermissionDenied: Argument not in 'pools'"],
);

answers(
	"what is wrong with a call is said by its class",
	["dom0", "admin.pool.Info", "", "ProtocolError: expected an argument"],
	["work", "admin.pool.List", "", "ProtocolError: expected destination to be AdminVM"],
	["dom0", "admin.pool.Info+none", "", "PermissionDenied: Argument not in 'pools'"],
	["dom0", "admin.pool.UsageDetails+none", "", "PermissionDenied: Argument not in 'pools'"],
	["dom0", "admin.pool.SpaceDetails+none", "", "PermissionDenied: Argument not in 'pools'"],
	["dom0", "admin.pool.SpaceDetails", "", "ProtocolError: expected an argument"],
	["dom0", "admin.pool.SpaceDetails+files", "x", "ProtocolError: unexpected payload"],
	["dom0", "admin.pool.Remove+none", "", "PermissionDenied: Argument not in 'pools'"],
	["dom0", "admin.pool.volume.List+none", "", "PermissionDenied: Argument not in 'pools'"],
	["dom0", "admin.pool.Add+none", "name=x", "PermissionDenied: Argument not in 'available drivers'"],
	["dom0", "admin.pool.Add+test-files", "", "ProtocolError: expected payload"],
	["dom0", "admin.pool.Add+test-files", "dir_path=/x", "ProtocolError: new pool: missing name="],
	["dom0", "admin.pool.Add+test-files", "name=", /^ProtocolError: name of a pool/],
	["dom0", "admin.pool.Add+test-files", "name=a/b\ndir_path=/x", /^ProtocolError: name of a pool/],
	["dom0", "admin.pool.Add+test-files", "name=a\nname=b", "ProtocolError: duplicated argument: name"],
	["dom0", "admin.pool.Add+test-files", "name=a\n\ndir_path=/x", "ProtocolError: new pool: want lines KEY=VALUE, not ''"],
	["dom0", "admin.pool.Add+test-files", "name=ä\ndir_path=/x", "ProtocolError: new pool: want printable ASCII characters"],
	["dom0", "admin.pool.Add+test-files", "name=a\ndir_path=/x\x01", "ProtocolError: new pool: want printable ASCII characters"],
	[
		"dom0",
		"admin.pool.Add+test-files",
		"name=a\nother=1",
		"ProtocolError: Unexpected driver options found: other: want revisions_to_keep, dir_path, ephemeral_volatile",
	],
	["dom0", "admin.pool.Add+test-files", "name=a", "QubesException: missing required driver options: dir_path"],
	["dom0", "admin.pool.Add+test-files", "name=files\ndir_path=/x", "QubesPoolInUseError: pool files already exists"],
	["dom0", "admin.pool.Add+test-files", "name=a\ndir_path=/x\nrevisions_to_keep=x", /^QubesValueError: revisions_to_keep/],
	["dom0", "admin.pool.Add+test-files", "name=a\ndir_path=/dev/null/x", /^StoragePoolException/],
	["dom0", "admin.pool.Add+linux-kernel", "name=a\ndir_path=DIR/none", /^StoragePoolException: pool a: there is no directory/],
	["dom0", "admin.pool.Add+linux-kernel", "name=a\ndir_path=kernels", /^QubesValueError: dir_path: want an absolute path/],
	["dom0", "admin.pool.Set.revisions_to_keep+files", "-2", "ProtocolError: Revisions to keep: want -1 or more"],
	["dom0", "admin.pool.Set.revisions_to_keep+files", "01", "ProtocolError: Revisions to keep contains spurious leading zeros"],
	["dom0", "admin.pool.Set.revisions_to_keep+files", "-0", "ProtocolError: Revisions to keep contains spurious leading zeros"],
	["dom0", "admin.pool.Set.revisions_to_keep+files", "1 ", "ProtocolError: Revisions to keep contains non ASCII digits"],
	[
		"dom0",
		"admin.pool.Set.revisions_to_keep+files",
		"9".repeat(20),
		"ProtocolError: Revisions to keep is bigger than 19 decimal digits",
	],
	["dom0", "admin.pool.Set.revisions_to_keep+files", "9".repeat(19), "ProtocolError: Revisions to keep is bigger than 2^53-1"],
	["dom0", "admin.pool.Set.ephemeral_volatile+files", "perhaps", "ProtocolError: Payload is not boolean ASCII"],
	[
		"dom0",
		"admin.pool.Set.revisions_to_keep+kernels",
		"1",
		"QubesNotImplementedError: driver linux-kernel has no revisions_to_keep",
	],
	[
		"dom0",
		"admin.pool.Set.ephemeral_volatile+kernels",
		"1",
		"QubesNotImplementedError: driver linux-kernel has no ephemeral_volatile",
	],
	["dom0", "admin.pool.List", "", "files\nkernels\n"],
);

answers(
	"a pool that is used cannot be removed, be it by volumes or as a default",
	["dom0", "admin.pool.Remove+files", "", /^QubesPoolInUseError: pool files is used: default_pool, default_pool_root, /],
	["dom0", "admin.pool.Add+test-files", "name=other\ndir_path=DIR/other", ""],
	["dom0", "admin.property.Set+default_pool", "other", ""],
	["dom0", "admin.pool.Remove+files", "", /^QubesPoolInUseError: pool files is used: base:root, base:private/],
	["dom0", "admin.pool.Remove+other", "", /^QubesPoolInUseError: pool other is used: default_pool/],
);

answers(
	"a default pool is one that there is, and the others follow the first",
	["dom0", "admin.property.Get+default_pool", "", "default=False type=str files"],
	["dom0", "admin.property.Get+default_pool_root", "", "default=True type=str files"],
	["dom0", "admin.property.Get+default_pool_kernel", "", "default=False type=str kernels"],
	["dom0", "admin.property.Set+default_pool_private", "none", "QubesPropertyValueError: No such storage pool: 'none'"],
	["dom0", "admin.property.Reset+default_pool", "", ""],
	["dom0", "admin.property.Get+default_pool", "", "default=True type=str "],
	["dom0", "admin.pool.Add+test-files", "name=default\ndir_path=DIR/default", ""],
	["dom0", "admin.property.Get+default_pool_volatile", "", "default=True type=str default"],
);

test.serial("without one that is called default, it is the pool of files where everything is", async (t) => {
	const pools = POOLS.replaceAll("DIR/files", "DIR").replace('driver="test-files"', 'driver="file"');
	const desk = await openStorage(t, storeOf(pools, "").replace(/.*"default_pool".*\n/, ""));
	t.is(await desk.call("dom0", "admin.property.Get+default_pool"), "default=True type=str files");
});

test.serial("who may not call learns nothing of what there is", async (t) => {
	const desk = await openStorage(t);
	refuseAll(desk);
	for (const [method, payload] of [
		["Info", ""],
		["UsageDetails", ""],
		["SpaceDetails", ""],
		["Remove", ""],
		["volume.List", ""],
		["Set.revisions_to_keep", "1"],
		["Set.ephemeral_volatile", "1"],
	] as const) {
		for (const pool of ["files", "none"]) {
			t.is(await desk.call("work>dom0", `admin.pool.${method}+${pool}`, payload), "PermissionDenied: no", method);
		}
	}
	for (const driver of ["test-files", "none"]) {
		t.is(await desk.call("work>dom0", `admin.pool.Add+${driver}`, "name=files\nx=y"), "PermissionDenied: no");
	}
});

function refuseAll(desk: StorageDesk): void {
	desk.app.qube("work").addHandler("admin-permission:*", () => {
		throw new AdminError("PermissionDenied", "no");
	});
}

test.serial("handlers of the permission are told what is to be added, and may hide pools, drivers and volumes", async (t) => {
	const desk = await openStorage(t);
	const asked: unknown[] = [];
	const dom0 = desk.app.qube("dom0");
	dom0.addHandler("admin-permission:admin.pool.Add", (_qube, _event, { arg, name, pool_config }) => {
		asked.push([arg, name, [...(pool_config as Map<string, string>)]]);
	});
	for (const method of ["List", "ListDrivers", "volume.List"]) {
		dom0.addHandler(`admin-permission:admin.pool.${method}`, () => [(item: unknown) => !/file/.test(String(item))]);
	}
	await desk.call("dom0", "admin.pool.Add+test-files", `name=new\ndir_path=${desk.dir}/new`);
	t.deepEqual(asked, [["test-files", "new", [["dir_path", `${desk.dir}/new`]]]]);
	t.is(await desk.call("dom0", "admin.pool.List"), "kernels\nnew\n");
	t.is(await desk.call("dom0", "admin.pool.ListDrivers"), "linux-kernel dir_path\n");
	t.is(await desk.call("dom0", "admin.pool.volume.List+kernels"), "6.1\n");
});

test.serial("pools come and go with their events, which may prevent it", async (t) => {
	const desk = await openStorage(t);
	const fired: string[] = [];
	desk.app.addHandler("pool-*", async (_app, event, { pool }) => void fired.push(`${event} ${pool}`));
	const add = (): Promise<string> => desk.call("dom0", "admin.pool.Add+test-files", `name=new\ndir_path=${desk.dir}/new`);
	t.is(await add(), "");
	t.true(fs.existsSync(path.join(desk.dir, "new/appvms")));
	t.is(desk.saved, 1);
	const veto = (): void => {
		throw new AdminError("QubesException", "not today");
	};
	desk.app.addHandler("pool-pre-delete", veto);
	t.is(await desk.call("dom0", "admin.pool.Remove+new"), "QubesException: not today");
	t.not(desk.app.pools.find("new"), null);
	desk.app.removeHandler("pool-pre-delete", veto);
	t.is(await desk.call("dom0", "admin.pool.Remove+new"), "");
	t.deepEqual(fired, ["pool-add new", "pool-pre-delete new", "pool-delete new"]);
	t.true(fs.existsSync(path.join(desk.dir, "new/appvms")), "its data stay");
	desk.app.addHandler("pool-add", veto);
	t.is(await add(), "QubesException: not today");
	t.is(desk.app.pools.find("new"), null);
});

test.serial("of two calls that add the same pool at once one fails", async (t) => {
	const desk = await openStorage(t);
	const add = (): Promise<string> => desk.call("dom0", "admin.pool.Add+test-files", `name=new\ndir_path=${desk.dir}/new`);
	t.deepEqual((await Promise.all([add(), add()])).sort(), ["", "QubesPoolInUseError: pool new already exists"]);
});

test.serial("a pool that somebody begins to use while its removal is asked about stays", async (t) => {
	const desk = await openStorage(t);
	await desk.call("dom0", "admin.pool.Add+test-files", `name=new\ndir_path=${desk.dir}/new`);
	desk.app.addHandler("pool-pre-delete", (app) => app.set("default_pool", "new"));
	t.regex(await desk.call("dom0", "admin.pool.Remove+new"), /^QubesPoolInUseError/);
	t.not(desk.app.pools.find("new"), null);
});

test.serial("drivers are listed from their manifests, and loaded when a pool of theirs is there", async (t) => {
	const desk = await openStorage(t, STORE.replace(/<volume [^>]*>|<pool [^>]*>/g, "").replace(/.*"default_pool.*\n/g, ""));
	await desk.call("dom0", "admin.pool.ListDrivers");
	t.deepEqual(
		desk.traced.map((line) => line.split(":")[0]).filter((name) => /files|kernel|reflink/.test(name ?? "")),
		[],
	);
	await desk.call("dom0", "admin.pool.Add+test-files", `name=new\ndir_path=${desk.dir}/new`);
	t.regex(desk.traced.at(-1) ?? "", /^plugin test-files: loaded for storage driver test-files/);
});
