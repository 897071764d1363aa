// Starts that fail when volumes have been started already (spec/storage-reflink.md 1.8): however often, no earlier state is lost.
import fs from "node:fs";
import path from "node:path";
import { mountedOnce, onFileSystem } from "../../../storage-reflink/scene.ts";
import { Stage, scenario } from "./stage.ts";

const MANIFEST = { name: "broken", api: 1, module: "./index.cjs", hypervisors: ["broken"] };
/** Boots qubes as long as a file is there. */
const MODULE = `
const { existsSync } = require("node:fs");
const nothing = async () => undefined;
exports.hypervisors = {
	broken: () => ({
		name: "broken",
		start: async ({ name }) => {
			if (!existsSync(__dirname + "/works")) throw Object.assign(new Error("no room for " + name), { kind: "QubesMemoryError" });
		},
		shutdown: nothing, kill: nothing, pause: nothing, unpause: nothing, suspend: nothing, resume: nothing, console: nothing,
		usage: () => ({ memory: 0, maxMemory: 0, cpuTime: 0, cpuUsage: 0, onlineVcpus: 0 }),
		machine: () => ({ memory: 0, processors: 0 }),
	}),
};
`;

scenario("a start that fails for its volatile volume, again and again, costs no revision", "BXE", async (t, stage) => {
	await stage.run("solo", "A");
	await stage.run("solo", "B");
	t.deepEqual(await stage.revisions("solo"), { "2": "A" }, "one is kept");
	const before = stage.tree();
	const inTheWay = stage.file("appvms/solo/volatile", "-dirty.img");
	fs.mkdirSync(path.join(inTheWay, "x"), { recursive: true });
	for (let tries = 0; tries < 3; tries++) {
		await stage.expect(["solo", "admin.vm.Start", "", /^StoragePoolException: .*volatile-dirty\.img/]);
		t.deepEqual([stage.read("solo"), await stage.revisions("solo")], ["B", { "2": "A" }]);
	}
	fs.rmSync(inTheWay, { recursive: true });
	t.deepEqual(stage.tree(), before);
	await stage.run("solo", "C");
	t.deepEqual([stage.read("solo"), await stage.revisions("solo")], ["C", { "3": "B" }]);
});

onFileSystem("a start that the hypervisor refuses, again and again, costs no revision (btrfs)", async (t) => {
	const plugins = fs.mkdtempSync("/tmp/hypervisor-");
	t.teardown(() => fs.rmSync(plugins, { recursive: true }));
	const plugin = path.join(plugins, "broken");
	fs.mkdirSync(plugin);
	fs.writeFileSync(path.join(plugin, "manifest.json"), JSON.stringify(MANIFEST));
	fs.writeFileSync(path.join(plugin, "index.cjs"), MODULE);
	fs.writeFileSync(path.join(plugin, "works"), "");
	const stage = Stage.prepare(t, mountedOnce("btrfs").root, ["--plugins", plugins, "--hypervisor", "broken"]);
	await stage.house.start();
	await stage.run("work", "A");
	await stage.run("work", "B");
	const [revisions, before] = [await stage.revisions("work"), stage.tree()];
	fs.rmSync(path.join(plugin, "works"));
	for (let tries = 0; tries < 3; tries++) {
		await stage.expect(["work", "admin.vm.Start", "", "QubesMemoryError: no room for work"]);
		t.deepEqual(stage.tree(), before);
	}
	fs.writeFileSync(path.join(plugin, "works"), "");
	t.deepEqual([revisions, await stage.revisions("work"), stage.read("work")], [{ "2": "A" }, { "2": "A" }, "B"]);
	await stage.run("work", "C");
	t.deepEqual([stage.read("work"), await stage.revisions("work")], ["C", { "3": "B" }]);
});
