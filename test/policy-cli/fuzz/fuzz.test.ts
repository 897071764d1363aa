import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { chooseSeed } from "../core/random.ts";
import { checkCase } from "./check.ts";
import { saveCase } from "./disk.ts";
import { makeCase } from "./mutate.ts";

const CASES = 10_000;
/** Cases before the memory is looked at first: by then all code is compiled and all tables are full. */
const WARM_UP = 1000;
const MAX_GROWTH_BYTES = 32 << 20;

test("10,000 damaged policies end in an answer or an error with its place, the same on the quick and the exact way", (t) => {
	const seed = chooseSeed();
	t.log(`seed ${seed}`);
	let before = 0;
	for (let index = 0; index < CASES; index++) {
		if (index === WARM_UP) before = usedBytes();
		const wrong = check(seed, index);
		if (wrong !== null) return t.fail(wrong);
	}
	const growth = usedBytes() - before;
	t.true(growth < MAX_GROWTH_BYTES, `the memory has grown by ${growth} bytes (seed ${seed})`);
});

/** Memory in use when all that nobody holds is gone. */
function usedBytes(): number {
	setFlagsFromString("--expose-gc");
	(runInNewContext("gc") as () => void)();
	return process.memoryUsage().heapUsed;
}

function check(seed: number, index: number): string | null {
	const made = makeCase(seed, index);
	let wrong: string | null;
	try {
		wrong = checkCase(made);
	} catch (error) {
		wrong = `thrown: ${(error as Error).stack ?? String(error)}`;
	}
	if (wrong === null) return null;
	return `seed ${seed}, case ${index}: ${wrong.slice(0, 600)}\n${saveCase(made, seed, index)}`;
}
