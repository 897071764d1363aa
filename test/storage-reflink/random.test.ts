// Random operations, compared after each with what the model says.
import test from "ava";
import { chooseSeed, Random } from "../policy-cli/core/random.ts";
import { Actors } from "./actors.ts";
import { KINDS } from "./file-systems.ts";
import { apply, BEGIN, randomOperation } from "./model.ts";
import { mountedOnce, onFileSystem } from "./scene.ts";

const STEPS = Number(process.env["QUBES_STORAGE_STEPS"] ?? 2000);

for (const kind of KINDS) {
	onFileSystem(`${STEPS} random operations leave what the model says, each (${kind})`, async (t) => {
		const seed = chooseSeed();
		t.log(`seed ${seed}`);
		const random = new Random(seed);
		const actors = new Actors(`${mountedOnce(kind).root}/pool`);
		await actors.pool.setup();
		let world = BEGIN;
		let refused = 0;
		for (let step = 0; step < STEPS; step++) {
			const operation = randomOperation(random, world);
			const next = apply(world, operation);
			const error = await actors.act(operation, world).then(
				() => null,
				(thrown: { kind?: string; message: string }) => thrown,
			);
			const name = `seed ${seed}, step ${step}, ${JSON.stringify(operation)}`;
			if (error !== null && !["StoragePoolException", "QubesNotImplementedError"].includes(error.kind ?? "")) throw error;
			if ((error === null) !== (next !== null)) return t.fail(`${name}: ${error?.message ?? "was not refused"}`);
			if (next === null) refused++;
			world = next ?? world;
			if (random.oneIn(2)) await actors.pool.settled();
			const wrong = actors.differences(world);
			if (wrong.length > 0) return t.fail(`${name}: ${wrong.join("; ")}`);
		}
		await actors.pool.settled();
		t.deepEqual(actors.unfinished(), []);
		t.deepEqual(
			actors.log.filter((line) => line.startsWith("error")),
			[],
		);
		t.true(refused < STEPS / 2);
	});
}

test("the model refuses what makes no sense and keeps what is promised", (t) => {
	const created = apply(BEGIN, { kind: "create", volume: "o" });
	t.is(apply(BEGIN, { kind: "start", volume: "o" }), null);
	t.is(created === null ? null : apply(created, { kind: "revert", volume: "o", id: 1 }), null);
});
