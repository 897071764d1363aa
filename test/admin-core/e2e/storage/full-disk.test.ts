// A pool on a full disk (issue 4, item 6; spec/storage-reflink.md 3.7): each call is done or refused, and what is refused leaves all as it was.
import fs from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { fill, makeFileSystem } from "../../../storage-reflink/file-systems.ts";
import { MIB } from "../../../storage-reflink/images.ts";
import { onFileSystem } from "../../../storage-reflink/scene.ts";
import { runToEnd } from "../../../support/run-program.ts";
import { Stage } from "./stage.ts";

const NO_SPACE = /^(StoragePoolException|QubesException): [^\n]*(ENOSPC|[Nn]o space left|no room for a copy)[^\n]*$/;
/** Small, as filling takes time; XFS is not made smaller. */
const MEGABYTES = { btrfs: 128, xfs: 300, ext4: 48 } as const;
const DATA = Buffer.alloc(8 * MIB, "D");

for (const kind of ["btrfs", "xfs", "ext4"] as const) {
	onFileSystem(
		`on a full disk qubes are created, started, cloned, imported and resized, or are as they were (${kind})`,
		async (t) => {
			const stage = Stage.prepare(t, makeFileSystem(kind, MEGABYTES[kind]).root);
			await stage.house.start();
			fs.writeFileSync(stage.house.path("data"), DATA);
			await stage.run("work", "A");
			t.is(await importData(stage, "solo"), "");
			await stage.restart();
			for (const qube of ["work", "dvm"]) fs.rmSync(stage.file(`appvms/${qube}/private`, "-precache.img"), { force: true });
			fill(stage.root);

			const done = new Map<string, boolean>();
			for (const [name, attempt] of Object.entries(attempts(t, stage))) {
				const [tree, store] = [stage.tree(), stage.house.store()];
				const reply = await attempt();
				done.set(name, reply === "");
				if (reply === "") continue;
				t.regex(reply, NO_SPACE, name);
				t.deepEqual(stage.tree(), tree, name);
				t.is(stage.house.store(), store, name);
			}
			t.log([...done].map(([name, isDone]) => `${name}: ${isDone ? "done" : "refused"}`).join(", "));
			t.false(done.get("import"), "there is no room for data");
			if (kind === "ext4") t.deepEqual([done.get("start"), done.get("clone")], [false, false], "nor for copies");
			t.deepEqual(stage.names("work", "private-"), [], "nothing half-made is left");
			t.is(stage.read("work"), "A");

			fs.rmSync(path.join(stage.root, "filler"), { recursive: true });
			for (const [name, attempt] of Object.entries(attempts(t, stage))) t.is(await attempt(), "", `${name}, with room`);
		},
	);
}

for (const kind of ["btrfs", "ext4"] as const) {
	onFileSystem(
		`what is too big for the disk is not imported, with the figures: from a file before anything is written (${kind})`,
		async (t) => {
			const stage = Stage.prepare(t, makeFileSystem(kind, MEGABYTES[kind]).root);
			await stage.house.start();
			await stage.run("work", "A");
			const file = stage.house.path("big.img");
			const size = MEGABYTES[kind] * MIB;
			fs.writeFileSync(file, Buffer.alloc(size, "D"));
			const listener = await stage.house.listen("admin.Events+ dom0 name work\0");
			const refused = await stage.house.run("qvm-volume", "import", "work:private", file);
			t.is(refused.status, 1);
			t.regex(
				refused.stderr,
				new RegExp(`error: no room for a copy of "big.img": ${size} bytes, and \\d+ are free in pool main\n$`),
			);
			fs.truncateSync(file, 0);
			fs.truncateSync(file, 10 * size);
			const { status, stderr } = await stage.house.run("qvm-volume", "import", "work:private", file);
			t.deepEqual([status, stderr, await stage.info("work", "private", "size")], [0, "", `${10 * size}`], "holes fit");
			await listener.until(/domain-volume-import-end\0volume\0private\0success\0True/);
			t.is(listener.received().split("domain-volume-import-begin").length - 1, 1, "the first one was not even begun");
			// A pipe tells nothing of what comes.
			const tree = stage.tree();
			const reply = await importData(stage, "work", Buffer.alloc(size, "D"));
			t.regex(
				reply,
				new RegExp(`^QubesException: Data import failed: ENOSPC: \\d+ of ${size} bytes are written, and \\d+ are free$`),
			);
			t.true(Number(/(\d+) of/.exec(reply)?.[1]) > 8 * MIB, reply);
			t.deepEqual(stage.tree(), tree);
			listener.close();
		},
	);
}

/** What can be tried, each from the state that it leaves when it was done. */
function attempts(t: ExecutionContext, stage: Stage): { readonly [name: string]: () => Promise<string> } {
	return {
		create: async () => {
			const reply = await stage.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red");
			if (reply === "") t.is(await stage.call("new", "admin.vm.Remove"), "");
			t.false(fs.existsSync(path.join(stage.images, "appvms/new")), "nothing is left of it");
			t.notRegex(await stage.call("dom0", "admin.vm.List"), /^new /m);
			return reply;
		},
		start: async () => {
			const reply = await stage.call("work", "admin.vm.Start");
			if (reply === "") t.is(await stage.call("work", "admin.vm.Shutdown+wait"), "", "what was started can be stopped");
			return reply;
		},
		clone: async () => {
			const token = await stage.call("solo", "admin.vm.volume.CloneFrom+private");
			const reply = await stage.call("dvm", "admin.vm.volume.CloneTo+private", token);
			if (reply === "") t.true(fs.readFileSync(stage.file("appvms/dvm/private")).equals(DATA));
			else if (/no room/.test(reply)) t.regex(reply, /: \d+ bytes, and \d+ are free$/, "with the figures");
			return reply;
		},
		import: async () => {
			const reply = await importData(stage, "base");
			if (reply === "") t.true(fs.readFileSync(stage.file("vm-templates/base/private")).equals(DATA));
			return reply;
		},
		resize: async () => {
			const reply = await stage.call("work", "admin.vm.volume.Resize+private", `${16 * MIB}`);
			if (reply === "") t.is(await stage.info("work", "private", "size"), `${16 * MIB}`);
			return reply;
		},
	};
}

/** Imports data by the service of qrexec; the content of the reply as `Stage.call` gives it. */
async function importData(stage: Stage, qube: string, data = DATA): Promise<string> {
	const env = { ...stage.house.env, QREXEC_REMOTE_DOMAIN: "dom0", QREXEC_REQUESTED_TARGET: qube };
	const program = path.resolve("dist/bin/admin.vm.volume.ImportWithSize");
	const { stdout } = await runToEnd([program, "private"], { env, input: Buffer.concat([Buffer.from(`${data.length}\n`), data]) });
	const [type, kind, , message] = stdout.split("\0");
	return type === "0" ? "" : `${kind}: ${message}`;
}
