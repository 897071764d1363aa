// kill -9 before every change of the tree in turn: the next daemon finds what was before the operation or what is after it, and nothing committed is lost.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildProgram, startTalking } from "../admin-core/store/stage.ts";
import { firstFew, inParallel } from "../support/parallel.ts";
import { Actors } from "./actors.ts";
import { call } from "./file-systems.ts";
import type { World } from "./model.ts";
import { mountedOnce, onFileSystem } from "./scene.ts";
import { firstOf, SCRIPT, WORLDS, whatIsWrong } from "./script.ts";

const WIDTH = 3;
/** Those of a guest and of the settings: the driver changes nothing for them. */
const NOT_THE_DRIVERS = ["write", "keep"];

/** Where an operation can be killed: the tree as it was before it, or before what it needs to have done, and its index in the script. */
interface Stage {
	readonly tree: string;
	readonly index: number;
}

for (const kind of ["btrfs", "xfs"] as const) {
	onFileSystem(`killed before any change of the tree, the driver recovers and has lost nothing (${kind})`, async (t) => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-storage-"));
		t.teardown(() => fs.rmSync(folder, { recursive: true }));
		const program = buildProgram("performer.ts", folder, path.dirname(fileURLToPath(import.meta.url)));
		const stages = await rehearse(path.join(mountedOnce(kind).root, "kill"));
		const results = await inParallel(stages, WIDTH, (stage) => killEverywhere(program, stage));
		t.log(`${results.reduce((sum, { kills }) => sum + kills, 0)} kills in ${results.length} operations`);
		t.is(firstFew(results.flatMap(({ wrong }) => wrong)), "");
		t.true(results.every(({ kills }) => kills > 0));
	});
}

/** Acts the script and keeps the tree before each operation. */
async function rehearse(dir: string): Promise<Stage[]> {
	const actors = new Actors(dir);
	await actors.pool.setup();
	const stages: Stage[] = [];
	for (const [index, operation] of SCRIPT.entries()) {
		copyTree(dir, `${dir}-${index}`);
		if (!NOT_THE_DRIVERS.includes(operation.kind)) stages.push({ tree: `${dir}-${firstOf(index)}`, index });
		await actors.act(operation, WORLDS[index] as World);
		await actors.pool.settled();
	}
	return stages;
}

/** Kills an operation before its first change, then before its second, until there is none left to kill it before. */
async function killEverywhere(program: readonly string[], { tree, index }: Stage): Promise<{ kills: number; wrong: string[] }> {
	const [before, after] = [WORLDS[index], WORLDS[index + 1]] as [World, World];
	const operation = SCRIPT[index];
	const wrong: string[] = [];
	for (let at = 1; ; at++) {
		const dir = copyTree(tree, `${tree}-${index}-${at}`);
		const { lines, ended } = startTalking([...program, dir, `${index}`, `${at}`]);
		const how = await ended;
		const hasReturned = lines.length > 0;
		const found = hasReturned ? { before: after, operation: undefined, after } : { before, operation, after };
		const problem = how === "SIGKILL" || how === 0 ? await whatIsWrong(new Actors(dir), found) : `ended with ${how}`;
		if (problem !== null) wrong.push(`operation ${index}, change ${at}: ${problem}`);
		fs.rmSync(dir, { recursive: true });
		if (how !== "SIGKILL") return { kills: at - 1, wrong };
	}
}

/** Files that have several names have them in the copy, too. */
function copyTree(from: string, to: string): string {
	call("cp", "--archive", "--reflink=always", from, to);
	return to;
}
