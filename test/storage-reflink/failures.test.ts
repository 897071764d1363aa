// Scenario 59 of spec section 11: any call to the file system can fail.
import fs from "node:fs";
import { Actors } from "./actors.ts";
import { failure, isChange, lookBeforeEachCall } from "./before-each-call.ts";
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
				let failures = 0;
				let before = BEGIN;
				for (const operation of OPERATIONS) {
					const after = apply(before, operation) ?? before;
					failures += await failEverywhere(actors, errno, { before, after, operation });
					const wrong = actors.differences(after);
					if (wrong.length > 0) return t.fail(`${JSON.stringify(operation)}: ${wrong.join("; ")}`);
					before = after;
				}
				t.log(`${failures} failures`);
				t.true(failures > 150);
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

/** Does an operation again and again, until it fails nowhere any more; returns how often it did. */
async function failEverywhere(actors: Actors, errno: string, { before, after, operation }: Step): Promise<number> {
	// These two are no operations of a volume.
	if (operation.kind === "restart" || operation.kind === "keep") {
		await actors.act(operation, before);
		return 0;
	}
	for (let at = 1; ; at++) {
		const place = `${JSON.stringify(operation)}, call ${at}`;
		const failed = { call: "" };
		let calls = 0;
		await lookBeforeEachCall((call) => {
			// One that reads is never out of space.
			if ((errno !== "ENOSPC" && errno !== "EDQUOT") || isChange(call)) calls++;
			else return;
			if (calls !== at) return;
			failed.call = call;
			throw failure(errno, call);
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
		if (failed.call === "" || (isAfter && !isBefore)) return at;
		if (isBefore && error !== null) continue;
		// What is made or removed anew is done to the end by the next try.
		const isRepeatable = ["create", "remove"].includes(operation.kind) || ["a", "v"].includes(operation.volume);
		if (!isBefore && !isRepeatable)
			throw new Error(
				`${place} (${failed.call}): not before: ${actors.differences(before).join("; ")}, and not after: ${actors.differences(after).join("; ")}`,
			);
		if (isBefore && isAfter) return at;
	}
}
