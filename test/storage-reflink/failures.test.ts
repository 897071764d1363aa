// Scenario 59 of spec section 11: any call to the file system can fail.
import fs from "node:fs";
import { Actors } from "./actors.ts";
import { CHANGES, failure, isChange, lookBeforeEachCall } from "./before-each-call.ts";
import { call } from "./file-systems.ts";
import { apply, BEGIN, type Operation, type World } from "./model.ts";
import { mountedOnce, onFileSystem } from "./scene.ts";
import { LAST_KEEP, SCRIPT } from "./script.ts";

const ERRNOS = ["EIO", "ENOSPC", "EDQUOT", "EMFILE"];

/** Not the end of the script: revisions whose removal was made to fail are counted there. */
const OPERATIONS: readonly Operation[] = [...SCRIPT.slice(0, LAST_KEEP), { kind: "remove", volume: "o" }];

for (const kind of ["btrfs", "ext4"] as const) {
	for (const errno of ERRNOS) {
		onFileSystem(
			`59 when any call fails with ${errno} the volume is as before or as after, and nothing unfinished is left (${kind})`,
			async (t) => {
				const dir = `${mountedOnce(kind).root}/${errno}`;
				const actors = new Actors(dir);
				actors.mayLinger = true;
				await actors.pool.setup();
				await actors.pool.getVolume("appvms/app/o").stop();
				await actors.pool.settled();
				const failed = new Set<string>();
				let before = BEGIN;
				for (const operation of OPERATIONS) {
					const after = apply(before, operation) ?? before;
					for (const call of await failEverywhere(actors, errno, { before, after, operation })) failed.add(call);
					const wrong = actors.differences(after);
					if (wrong.length > 0) return t.fail(`${JSON.stringify(operation)}: ${wrong.join("; ")}`);
					before = after;
				}
				t.deepEqual(
					CHANGES.filter((call) => !failed.has(call)),
					[],
					"calls that never failed",
				);
				fs.rmSync(dir, { recursive: true });
			},
		);
	}
}

interface Step {
	readonly before: World;
	readonly after: World;
	readonly operation: Operation;
}

/** Does an operation again and again, from the same tree, until no call has failed in it; returns the calls that have. */
async function failEverywhere(actors: Actors, errno: string, { before, after, operation }: Step): Promise<readonly string[]> {
	// These two are no operations of a volume.
	if (operation.kind === "restart" || operation.kind === "keep") {
		await actors.act(operation, before);
		return [];
	}
	const calls: string[] = [];
	const saved = `${actors.dir}.saved`;
	// An undo is of what the same daemon has started: it is tried again from before that.
	const isUndo = operation.kind === "undo";
	if (!isUndo) copyTree(actors.dir, saved);
	for (let at = 1; ; at++) {
		const place = `${JSON.stringify(operation)}, call ${at}`;
		const failed = { call: "" };
		let count = 0;
		await lookBeforeEachCall((name) => {
			// One that reads is never out of space.
			if ((errno !== "ENOSPC" && errno !== "EDQUOT") || isChange(name)) count++;
			else return;
			if (count !== at) return;
			failed.call = name;
			calls.push(name);
			throw failure(errno, name);
		});
		const error = await actors.act(operation, before).then(
			() => null,
			(thrown: { kind?: string; message: string }) => thrown,
		);
		await actors.pool.settled();
		await lookBeforeEachCall(null);
		if (error !== null && (error.kind !== "StoragePoolException" || !error.message.includes(errno)))
			throw new Error(`${place}: ${error.message}`);
		const unfinished = actors.unfinished();
		if (unfinished.length > 0) throw new Error(`${place} (${failed.call}): left ${unfinished}`);
		const isBefore = actors.differences(before).length === 0;
		const isAfter = actors.differences(after).length === 0;
		if (error === null && !isAfter) throw new Error(`${place} (${failed.call}): ${actors.differences(after).join("; ")}`);
		if (failed.call === "") return calls;
		if (isAfter && !isBefore) {
			copyTree(saved, actors.dir);
			actors.open(before);
			if (isUndo) await actors.act({ ...operation, kind: "start" }, before);
			await actors.pool.settled();
			continue;
		}
		// What is made or removed anew is done to the end by the next try.
		const isRepeatable = ["create", "remove"].includes(operation.kind) || ["a", "v"].includes(operation.volume);
		if (!isBefore && !isRepeatable)
			throw new Error(
				`${place} (${failed.call}): not before: ${actors.differences(before).join("; ")}, and not after: ${actors.differences(after).join("; ")}`,
			);
	}
}

/** Hard links and times are as they were. */
function copyTree(from: string, to: string): void {
	fs.rmSync(to, { recursive: true, force: true });
	call("cp", "--archive", "--sparse=always", from, to);
}
