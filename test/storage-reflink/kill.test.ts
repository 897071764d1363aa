// kill -9 before every change of the tree in turn: the next daemon finds what was before the operation or what is after it, and nothing committed is lost.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildProgram, startTalking } from "../admin-core/store/stage.ts";
import { firstFew, inParallel } from "../support/parallel.ts";
import { Actors } from "./actors.ts";
import type { World } from "./model.ts";
import { mountedOnce, onFileSystem } from "./scene.ts";
import { SCRIPT, WORLDS, whatIsWrong } from "./script.ts";

const WIDTH = 3;

onFileSystem("killed before any change of the tree, the driver recovers and has lost nothing (btrfs)", async (t) => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-storage-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true }));
	const program = buildProgram("performer.ts", folder, path.dirname(fileURLToPath(import.meta.url)));
	const { root } = mountedOnce("btrfs");
	let isOver = false;
	let kills = 0;
	const wrong: string[] = [];
	const killAt = async (at: number): Promise<void> => {
		const dir = path.join(root, `kill-${at}`);
		const { lines, ended } = startTalking([...program, dir], { KILL_AT: `${at}` });
		const how = await ended;
		const done = lines.length;
		if (how === 0) isOver = true;
		else if (how !== "SIGKILL") wrong.push(`change ${at}: ended with ${how}`);
		else kills++;
		const actors = new Actors(dir);
		const before = WORLDS[done] as World;
		const problem = await whatIsWrong(actors, { before, operation: SCRIPT[done], after: WORLDS[done + 1] ?? before });
		if (problem !== null) wrong.push(`change ${at}: ${problem}`);
		fs.rmSync(dir, { recursive: true });
	};
	for (let first = 1; !isOver; first += 30) {
		await inParallel(
			Array.from({ length: 30 }, (_, index) => first + index),
			WIDTH,
			killAt,
		);
	}
	t.log(`${kills} kills`);
	t.is(firstFew(wrong), "");
	t.true(kills > 200);
});
