// Scenarios 46 to 49, 53 and 69 of spec/storage-reflink.md section 11: imports and clones over the Admin API and by the service of qrexec.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { contentOf, MIB, write } from "../../../storage-reflink/images.ts";
import { runToEnd } from "../../../support/run-program.ts";
import { type Stage, scenario } from "./stage.ts";

const BEGIN = "internal.vm.volume.ImportBegin+private";
const END = "internal.vm.volume.ImportEnd+private";
const IMPORT = "appvms/work/private";

scenario(
	"46 what is imported is the volume in its size, and what was is a revision; what failed changes nothing",
	"BX",
	async (t, stage) => {
		await stage.run("work", "A");
		const file = stage.file(IMPORT, "-import.img");
		await stage.expect(["work", BEGIN, `${2 * MIB}\n`, `${2 * MIB} ${file}`]);
		t.deepEqual([fs.statSync(file).size, fs.statSync(file).mode & 0o777], [2 * MIB, 0o600]);
		write(file, "I");
		await stage.expect(["work", END, "ok", ""]);
		t.deepEqual(
			[stage.read("work"), fs.statSync(stage.file(IMPORT)).size, await stage.revisions("work")],
			["I", 2 * MIB, { "2": "A" }],
		);
		const tree = stage.tree();
		await stage.expect(["work", BEGIN, "", `${2 * MIB} ${file}`]);
		write(file, "J");
		await stage.expect(["work", END, "fail\nno more data", "QubesException: Data import failed: no more data"]);
		t.deepEqual(stage.tree(), tree);
	},
);

scenario("47 there is one import at a time, and a start or a removal ends it", "BX", async (t, stage) => {
	await stage.run("work", "A");
	const file = stage.file(IMPORT, "-import.img");
	const begin = ["work", BEGIN, "", `${MIB} ${file}`] as const;
	await stage.expect(begin, [
		"work",
		BEGIN,
		"",
		/^StoragePoolException: .*an import into it is in progress; start and stop the qube if it was broken off$/,
	]);
	await stage.expect(["work", "admin.vm.Start", "", ""], ["work", END, "ok", /^StoragePoolException: .*none is open/]);
	await stage.expect(["work", "admin.vm.Kill", "", ""]);
	t.deepEqual([stage.read("work"), await stage.revisions("work")], ["A", { "2": "A" }], "the run was committed, the import not");
	await stage.expect(
		["work", END, "ok", /^StoragePoolException: .*none is open/],
		["work", END, "fail", /^QubesException: Data import failed/],
	);
	await stage.expect(begin);
	await stage.crash();
	t.deepEqual(stage.names("work"), ["private.img", ...stage.names("work", "private.img.")], "the next daemon clears it");
	await stage.expect(["work", BEGIN, "", `${MIB} ${file}`], ["work", "admin.vm.Remove", "", ""]);
	t.deepEqual(stage.names("work"), []);
});

scenario(
	"47 an import that a start has cancelled ends neither in a commit nor the one that has begun after it",
	"BX",
	async (t, stage) => {
		await stage.run("work", "A");
		const file = stage.file(IMPORT, "-import.img");
		for (const rest of [MIB / 2, 0]) {
			const { status, reply } = await importAround(stage, rest, async () => {
				await stage.expect(["work", "admin.vm.Start", "", ""], ["work", "admin.vm.Kill", "", ""]);
				await stage.expect(["work", BEGIN, "", `${MIB} ${file}`]);
				write(file, "B");
			});
			const message = "Data import failed: the import was cancelled by a start or a removal, and another one has begun";
			t.deepEqual([status, reply], [0, `2\0QubesException\0\0${message}\0`], `${rest}`);
			t.is(stage.read("work"), "A");
			await stage.expect(["work", END, "ok", ""]);
			t.is(stage.read("work"), "B");
			await stage.run("work", "A");
		}
		const { reply } = await importAround(stage, MIB / 2, async () => {
			await stage.expect(["work", "admin.vm.Start", "", ""], ["work", "admin.vm.Kill", "", ""]);
		});
		t.regex(reply, /^2\0QubesException\0\0Data import failed: the image is gone: a start or a removal cancels an import\0$/);
		t.is(stage.read("work"), "A");
	},
);

scenario(
	"48 data that are too short or too long are refused and change nothing, and holes stay holes",
	"BX",
	async (t, stage) => {
		const send = (file: string, method: string): Promise<string> => importBy(stage, file, method);
		await stage.run("work", "A");
		const tree = stage.tree();
		const data = stage.house.path("data");
		for (const [size, given] of [
			[MIB, MIB - 1],
			[MIB, MIB + 1],
			[2 * MIB, 1000],
		] as const) {
			fs.writeFileSync(data, Buffer.concat([Buffer.from(`${size}\n`), Buffer.alloc(given, "D")]));
			t.regex(await send(data, "admin.vm.volume.ImportWithSize"), /^2\0QubesException\0\0Data import failed: /, `${given}`);
			t.deepEqual(stage.tree(), tree);
		}
		fs.writeFileSync(data, Buffer.alloc(MIB, "E"));
		t.is(await send(data, "admin.vm.volume.Import"), "0\0");
		t.is(contentOf(fs.readFileSync(stage.file(IMPORT)).subarray(0, 8192)), "E");

		const sparse = path.join(stage.root, "sparse");
		fs.writeFileSync(sparse, `${300 * MIB}\n`);
		fs.truncateSync(sparse, 300 * MIB + `${300 * MIB}\n`.length);
		t.is(await send(sparse, "admin.vm.volume.ImportWithSize"), "0\0");
		fs.rmSync(sparse);
		const { size, blocks } = fs.statSync(stage.file(IMPORT));
		t.deepEqual([size, blocks * 512 < MIB], [300 * MIB, true], `${blocks} blocks`);

		await stage.expect(["work", "admin.vm.Start", "", ""]);
		t.regex(await send(data, "admin.vm.volume.Import"), /^2\0QubesVMNotHaltedError\0/);
	},
);

scenario(
	"49 a cleared volume is empty and of its size, all are told, and a running one is not cleared",
	"BX",
	async (t, stage) => {
		await stage.run("work", "A");
		const listener = await stage.house.listen("admin.Events+ dom0 name work\0");
		await stage.expect(["work", "admin.vm.volume.Clear+private", "", ""]);
		await listener.until(/domain-volume-import-begin\0volume\0private\0size\0(1048576)\0\0/);
		await listener.until(/domain-volume-import-end\0volume\0private\0success\0True\0\0/);
		listener.close();
		const { size, blocks } = fs.statSync(stage.file(IMPORT));
		t.deepEqual([size, blocks, await stage.revisions("work")], [MIB, 0, { "2": "A" }]);
		await stage.expect(["work", "admin.vm.Start", "", ""]);
		const tree = stage.tree();
		await stage.expect(["work", "admin.vm.volume.Clear+private", "", /^QubesVMNotHaltedError: /]);
		t.deepEqual(stage.tree(), tree);
	},
);

scenario("53 a running volume is no destination of a clone, and one that keeps nothing takes nothing", "BX", async (t, stage) => {
	await stage.run("solo", "S");
	const offer = (volume = "private"): Promise<string> => stage.call("solo", `admin.vm.volume.CloneFrom+${volume}`);
	await stage.expect(["work", "admin.vm.Start", "", ""]);
	let tree = stage.tree();
	await stage.expect(["work", "admin.vm.volume.CloneTo+private", await offer(), /^QubesVMNotHaltedError: /]);
	t.deepEqual(stage.tree(), tree);
	await stage.expect(["work", "admin.vm.Shutdown+wait", "", ""]);
	tree = stage.tree();
	fs.renameSync(stage.file("appvms/solo/private"), stage.file("appvms/solo/away"));
	await stage.expect(
		["work", "admin.vm.volume.CloneTo+volatile", await offer(), ""],
		["work", "admin.vm.volume.CloneTo+root", await offer(), ""],
	);
	fs.renameSync(stage.file("appvms/solo/away"), stage.file("appvms/solo/private"));
	t.deepEqual(stage.tree(), tree, "the source was not even opened");
});

scenario("69 a token is good for one clone, while its volume is there, and may end with a line end", "BX", async (t, stage) => {
	await stage.run("solo", "S");
	const offer = (): Promise<string> => stage.call("solo", "admin.vm.volume.CloneFrom+private");
	const method = "admin.vm.volume.CloneTo+private";
	const token = await offer();
	await stage.expect(["work", method, `${token}\n`, ""], ["work", method, token, /^QubesVolumeCopyTokenNotFoundError: /]);
	t.deepEqual([stage.read("work"), await stage.revisions("work")], ["S", { "1": "∅" }]);
	const late = await offer();
	await stage.expect(["solo", "admin.vm.Remove", "", ""], ["work", method, late, /^QubesVolumeCopyTokenNotFoundError: /]);
	t.deepEqual(await stage.revisions("work"), { "1": "∅" });
});

/** Calls the service that imports with half of its data, does something, and sends so many bytes of the rest. */
async function importAround(stage: Stage, rest: number, act: () => Promise<void>): Promise<{ status: number; reply: string }> {
	const env = { ...process.env, ...stage.house.env, QREXEC_REMOTE_DOMAIN: "dom0", QREXEC_REQUESTED_TARGET: "work" };
	const child = spawn(path.resolve("dist/bin/admin.vm.volume.Import"), ["private"], { env, stdio: ["pipe", "pipe", "inherit"] });
	const closed = once(child, "close");
	let reply = "";
	child.stdout.on("data", (chunk: Buffer) => {
		reply += chunk.toString();
	});
	child.stdin.write(Buffer.alloc(MIB / 2, "D"));
	const file = stage.file(IMPORT, "-import.img");
	while (!fs.existsSync(file) || fs.readFileSync(file)[MIB / 2 - 1] !== 0x44) await sleep(10);
	await act();
	child.stdin.end(Buffer.alloc(rest, "D"));
	const [status] = await closed;
	return { status, reply };
}

/** Calls the service that imports, as qrexec does. */
async function importBy(stage: Stage, file: string, method: string): Promise<string> {
	const env = { ...stage.house.env, QREXEC_REMOTE_DOMAIN: "dom0", QREXEC_REQUESTED_TARGET: "work" };
	const script = 'file=$1; shift; exec "$@" < "$file"';
	const { stdout } = await runToEnd(["sh", "-c", script, "sh", file, path.resolve("dist/bin", method), "private"], { env });
	return stdout;
}
