// How far a copy is, from the driver to listeners and to the terminal: docs/events.md, domain-volume-copy-progress.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MIB } from "../../../storage-reflink/images.ts";
import { mountedOnce, onFileSystem } from "../../../storage-reflink/scene.ts";
import { type Ended, runToEnd } from "../../../support/run-program.ts";
import { type SlowCopies, slowCopies } from "../../../support/slow-copies.ts";
import { Stage, scenario } from "./stage.ts";

const LISTEN = "admin.Events+ dom0 name";
const IS_CLONED = /domain-import-volume\0name\0private\0source\0appvms\/solo\/private\0\0/;
const CLEAR = "\r\x1b[K";

async function cloneSoloToWork(stage: Stage): Promise<void> {
	const token = await stage.call("solo", "admin.vm.volume.CloneFrom+private");
	await stage.expect(["work", "admin.vm.volume.CloneTo+private", token, ""]);
}

/** The figures of the events in what a listener to one volume has received. */
function progressIn(received: string, volume = "private"): string[] {
	const pattern = new RegExp(`1\0work\0domain-volume-copy-progress\0volume\0${volume}\0done\0(\\d+)\0size\0(\\d+)\0\0`, "g");
	return [...received.matchAll(pattern)].map(([, done, size]) => `${done} of ${size}`);
}

scenario(
	"a clone that is a copy is told at its qube and at dom0 from beginning to end, before it is cloned",
	"E",
	async (t, stage) => {
		await stage.expect(["solo", "admin.vm.volume.Resize+private", `${64 * MIB}`, ""]);
		await stage.run("solo", "S");
		const [work, dom0, solo] = [
			await stage.house.listen(`${LISTEN} work\0`),
			await stage.house.listen(`${LISTEN} dom0\0`),
			await stage.house.listen(`${LISTEN} solo\0`),
		];
		await cloneSoloToWork(stage);
		for (const listener of [work, dom0]) {
			await listener.until(IS_CLONED);
			const told = progressIn(listener.received().split("domain-import-volume")[0] as string);
			t.deepEqual([told[0], told.at(-1)], [`0 of ${64 * MIB}`, `${64 * MIB} of ${64 * MIB}`]);
			t.deepEqual(progressIn(listener.received()), told);
		}
		t.deepEqual(progressIn(work.received()), progressIn(dom0.received()));
		await stage.expect(["solo", "admin.vm.feature.Set+end", "1", ""]);
		await solo.until(/domain-feature-set:end/);
		t.notRegex(solo.received(), /copy-progress/);
		for (const listener of [work, dom0, solo]) listener.close();
		t.is(stage.read("work"), "S");
	},
);

scenario("of a clone that shares data nothing is told", "BX", async (t, stage) => {
	await stage.run("solo", "S");
	const listener = await stage.house.listen(`${LISTEN} work\0`);
	await cloneSoloToWork(stage);
	await listener.until(IS_CLONED);
	t.notRegex(listener.received(), /copy-progress/);
	listener.close();
});

onFileSystem("a qube hears how far a copy is if the policy lets it ask for that event", async (t) => {
	const policy = fs.mkdtempSync(path.join(os.tmpdir(), "policy-"));
	t.teardown(() => fs.rmSync(policy, { recursive: true }));
	const rules = ["solo work allow target=dom0", "@anyvm @anyvm deny"].map(
		(rule) => `admin.Events +domain-volume-copy-progress ${rule}`,
	);
	fs.writeFileSync(path.join(policy, "10-test.policy"), [...rules, "admin.Events * @anyvm @anyvm allow target=dom0"].join("\n"));
	const stage = Stage.prepare(t, mountedOnce("ext4").root, ["--policy-dir", policy]);
	await stage.house.start();
	const solo = await stage.house.listen("admin.Events solo name dom0\0");
	const dvm = await stage.house.listen("admin.Events dvm name dom0\0");
	await cloneSoloToWork(stage);
	for (const listener of [solo, dvm]) await listener.until(IS_CLONED);
	t.deepEqual(progressIn(solo.received()), [`0 of ${MIB}`, `${MIB} of ${MIB}`]);
	t.deepEqual(progressIn(dvm.received()), []);
	for (const listener of [solo, dvm]) listener.close();
});

/** A daemon on ext4 whose copies wait until they may go. */
async function startSlow(stage: Stage, copies: SlowCopies): Promise<void> {
	stage.house.wrapper = ["env", `PATH=${copies.path}`];
	await stage.house.start();
}

/** Runs a command on a terminal; `see` is called with what is on it again and again. */
function onTerminal(stage: Stage, see: (screen: string) => void, command: string, ...args: readonly string[]): Promise<Ended> {
	let screen = "";
	const line = [path.resolve("dist/bin", command), ...args].join(" ");
	return runToEnd(["script", "--quiet", "--return", "--command", line, "/dev/null"], {
		env: stage.house.env,
		started: ({ stdout }) =>
			stdout?.on("data", (chunk) => {
				screen += chunk;
				see(screen);
			}),
	});
}

for (const [command, args, what] of [
	["qvm-volume", ["clone", "--force", "solo:private", "work:private"], "cloning solo:private"],
	["qvm-clone", ["--class", "StandaloneVM", "solo", "copy"], "copying the volume root"],
] as const) {
	scenario(
		`${command} draws a bar on a terminal while the daemon copies, and removes it`,
		"E",
		async (t, stage) => {
			const copies = slowCopies(t);
			await startSlow(stage, copies);
			const begin = `${CLEAR}${what} [${"-".repeat(30)}]   0% 0.0 MiB of 1.0 MiB`;
			const go = (screen: string): void => {
				if (screen.includes(begin)) copies.go();
			};
			const { status, stdout } = await onTerminal(stage, go, command, ...args);
			t.is(status, 0, stdout);
			t.true(stdout.includes(begin), stdout);
			t.true(stdout.endsWith(CLEAR), stdout);
		},
		{ isStarted: false },
	);
}

scenario(
	"without a terminal a clone that copies shows nothing",
	"E",
	async (t, stage) => {
		const copies = slowCopies(t);
		await startSlow(stage, copies);
		const clone = stage.house.run("qvm-volume", "clone", "--force", "solo:private", "work:private");
		while (!stage.house.logged.includes(": copying ")) await sleep(10);
		copies.go();
		const { status, stdout, stderr } = await clone;
		t.deepEqual([status, stdout, stderr], [0, "", ""]);
		t.notRegex(stage.house.logged, /loaded for admin\.Events/, "it does not even listen");
	},
	{ isStarted: false },
);
