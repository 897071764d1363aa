// Scenario 67 of spec/storage-reflink.md section 11: each row of 9.2 and 9.3 with what is wrong about a call, on the built daemon.
import fs from "node:fs";
import type { ExecutionContext } from "ava";
import { MIB } from "../../../storage-reflink/images.ts";
import { mountedOnce, onFileSystem } from "../../../storage-reflink/scene.ts";
import { Stage } from "./stage.ts";

/** A method with a call that would be right. `none` is what is said of an argument that is not there. */
interface Row {
	readonly where: string;
	readonly method: string;
	readonly argument?: string;
	readonly none?: RegExp;
	readonly payload?: string;
	/** What cannot be read, apart from what no payload can be; each is a ProtocolError. */
	readonly unreadable?: readonly string[];
}

const NUMBERS = ["9".repeat(20), "9".repeat(19), "007", "٣", "1 2", "1.5", "0x1", "-"];
const FLAGS = ["maybe", "2", "jä", "True\n\n1", "01"];
const POOL = { where: "dom0", argument: "main", none: /^PermissionDenied: Argument not in 'pools'$/ };
const DRIVER = { where: "dom0", argument: "file-reflink", none: /^PermissionDenied: Argument not in 'available drivers'$/ };
const VOLUME = { where: "work", argument: "private", none: /^PermissionDenied: Argument not in 'work volumes'$/ };
const BLIND = { ...VOLUME, none: /^ProtocolError: Argument not in work volumes$/ };

const ROWS: readonly Row[] = [
	{ where: "dom0", method: "admin.pool.List" },
	{ where: "dom0", method: "admin.pool.ListDrivers" },
	{ ...POOL, method: "admin.pool.Info" },
	{ ...POOL, method: "admin.pool.UsageDetails" },
	{ ...POOL, method: "admin.pool.SpaceDetails" },
	{
		...{ ...DRIVER, method: "admin.pool.Add", payload: "name=new\ndir_path=/nowhere/at/all\n" },
		unreadable: ["x", "dir_path=/x\n", "name=\n", "name=a/b\n", "name=a\nname=b\n", "name=ä\n", "name=a\nno equals\n"],
	},
	{ ...POOL, method: "admin.pool.Remove" },
	{ ...POOL, method: "admin.pool.volume.List" },
	{ ...POOL, method: "admin.pool.Set.revisions_to_keep", payload: "2", unreadable: [...NUMBERS, "-2"] },
	{ ...POOL, method: "admin.pool.Set.ephemeral_volatile", payload: "yes", unreadable: FLAGS },
	{ where: "work", method: "admin.vm.volume.List" },
	{ ...VOLUME, method: "admin.vm.volume.Info" },
	{ ...VOLUME, method: "admin.vm.volume.ListSnapshots" },
	{ ...VOLUME, method: "admin.vm.volume.Revert", payload: "1", unreadable: ["a/b", "1 2", "ä", "1\0"] },
	{ ...VOLUME, method: "admin.vm.volume.Resize", payload: `${2 * MIB}`, unreadable: [...NUMBERS, "-1"] },
	{ ...VOLUME, method: "admin.vm.volume.Clear" },
	{ ...VOLUME, method: "admin.vm.volume.CloneFrom" },
	{ ...VOLUME, method: "admin.vm.volume.CloneTo", payload: "TOKEN", unreadable: ["ä", "x y"] },
	{ ...VOLUME, method: "admin.vm.volume.Set.revisions_to_keep", payload: "2", unreadable: NUMBERS },
	{ ...VOLUME, method: "admin.vm.volume.Set.rw", payload: "yes", unreadable: FLAGS },
	{ ...VOLUME, method: "admin.vm.volume.Set.ephemeral", payload: "no", unreadable: FLAGS },
	{ ...BLIND, method: "internal.vm.volume.ImportBegin", unreadable: [...NUMBERS, "-1"] },
	{ ...BLIND, method: "internal.vm.volume.ImportEnd", payload: "ok", unreadable: ["maybe", "OK", "ä"] },
];

for (const row of ROWS) {
	on(`67 ${row.method} that is called wrongly is refused by its class, and nothing is changed`, async (t, stage) => {
		const { where, method, argument, none, payload = "", unreadable = [] } = row;
		const call = `${method}+${argument ?? ""}`;
		const before = picture(stage);
		if (argument === undefined) await stage.expect([where, `${method}+x`, payload, "ProtocolError: unexpected argument"]);
		else {
			await stage.expect([where, method, payload, "ProtocolError: expected an argument"]);
			for (const name of ["none", "..", "a/b", "x".repeat(200)]) {
				await stage.expect([where, `${method}+${name}`, await withToken(stage, payload), none ?? /never/]);
			}
		}
		await stage.expect([where, `${method}+ä`, payload, "QubesValueError: header: want ASCII characters only"]);
		if (row.payload !== undefined) await stage.expect([where, call, "", "ProtocolError: expected payload"]);
		else if (unreadable.length === 0) await stage.expect([where, call, "x", "ProtocolError: unexpected payload"]);
		for (const text of unreadable) await stage.expect([where, call, text, /^ProtocolError: [^\n]+$/]);
		await stage.expect([where === "dom0" ? "work" : "nobody", call, payload, /^(ProtocolError|QubesVMNotFoundError): /]);
		t.deepEqual(picture(stage), before);
	});
}

on("67 who may not call learns nothing: what is there is answered as what is not", async (t, stage) => {
	const before = picture(stage);
	for (const { where, method, argument, payload = "" } of ROWS) {
		// Who ends an import is a program of dom0 that was let begin it.
		if (method === "internal.vm.volume.ImportEnd") continue;
		for (const name of argument === undefined ? [""] : [argument, "none"]) {
			const given = await stage.call(`dvm>${where}`, `${method}+${name}`, await withToken(stage, payload));
			t.is(given, "PermissionDenied: not you", `${method}+${name}`);
		}
	}
	t.deepEqual(picture(stage), before);
});

on("67 what only shows when the storage is asked is refused by its class too, and nothing is changed", async (t, stage) => {
	const before = picture(stage);
	await stage.expect(
		[
			"dom0",
			"admin.pool.Add+file-reflink",
			"name=a\nother=1\n",
			/^ProtocolError: Unexpected driver options found: other: want revisions_to_keep, dir_path, setup_check, ephemeral_volatile$/,
		],
		["dom0", "admin.pool.Add+file-reflink", "name=a\n", "QubesException: missing required driver options: dir_path"],
		["dom0", "admin.pool.Add+file-reflink", "name=main\ndir_path=/x\n", /^QubesPoolInUseError: /],
		["dom0", "admin.pool.Add+file-reflink", "name=a\ndir_path=x=y\n", /^QubesValueError: invalid dir_path "x=y"/],
		["dom0", "admin.pool.Add+file-reflink", `name=a\ndir_path=${stage.root}/a b\n`, /^StoragePoolException: /],
		["dom0", "admin.pool.Add+file-reflink", "name=a\ndir_path=/x\nsetup_check=maybe\n", /^QubesValueError: invalid setup_check/],
		["dom0", "admin.pool.Add+file-reflink", "name=a\ndir_path=/x\nrevisions_to_keep=-2\n", /^QubesValueError: /],
		["dom0", "admin.pool.Remove+main", "", /^QubesPoolInUseError: /],
		["work", "admin.vm.volume.Revert+private", "77", /^QubesVolumeRevisionNotFoundError: /],
		["work", "admin.vm.volume.Revert+volatile", "1", /^QubesVolumeRevisionNotFoundError: /],
		["work", "admin.vm.volume.Resize+root", `${2 * MIB}`, /^StoragePoolException: .*what has to be resized$/],
		["work", "admin.vm.volume.Clear+volatile", "", /^QubesNotImplementedError: file-reflink has no import of /],
		["work", "admin.vm.volume.Clear+root", "", /^QubesNotImplementedError: file-reflink has no import of /],
		["work", "admin.vm.volume.CloneTo+private", "x".repeat(32), /^QubesVolumeCopyTokenNotFoundError: /],
		["work", "admin.vm.volume.Set.revisions_to_keep+private", "-2", /^QubesValueError: /],
		["work", "admin.vm.volume.Set.ephemeral+private", "True", /^QubesValueError: /],
		["work", "internal.vm.volume.ImportBegin+volatile", "", /^QubesNotImplementedError: /],
	);
	t.deepEqual(picture(stage), before);
});

/** A test with a daemon, whose plugin keeps `dvm` from all calls. */
function on(title: string, body: (t: ExecutionContext, stage: Stage) => Promise<void>): void {
	onFileSystem(title, async (t) => {
		const options: string[] = [];
		const stage = Stage.prepare(t, mountedOnce("btrfs").root, options);
		options.push("--plugins", stage.house.path("plugins"));
		fs.mkdirSync(stage.house.path("plugins/veto"), { recursive: true });
		const handlers = [{ patterns: ["admin-permission:*"], on: "Qube", handler: "veto" }];
		const manifest = { name: "veto", api: 1, module: "./index.cjs", handlers };
		fs.writeFileSync(stage.house.path("plugins/veto/manifest.json"), JSON.stringify(manifest));
		fs.writeFileSync(stage.house.path("plugins/veto/index.cjs"), VETO);
		await stage.house.start();
		await body(t, stage);
	});
}

const VETO = `exports.handlers = {
	veto(qube) {
		if (qube.name === "dvm") throw Object.assign(new Error("not you"), { kind: "PermissionDenied" });
	},
};
`;

/** All that a call could have changed. */
function picture(stage: Stage): unknown {
	return [stage.house.store(), stage.tree()];
}

async function withToken(stage: Stage, payload: string): Promise<string> {
	return payload === "TOKEN" ? stage.call("solo", "admin.vm.volume.CloneFrom+private") : payload;
}
