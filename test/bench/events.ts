/**
 * How many events are fired in a second, with one handler that matches among many that do not: `npm run bench -- events`.
 * Beside ours a plain loop that tries the pattern of every handler. One handler alone is what the others are compared with.
 */
import { Emitter } from "../../admin-core/model/events/emitter.ts";
import { compilePattern } from "../../admin-core/model/events/pattern.ts";

const EVENT = "property-set:netvm";
const PATTERN = "property-set:*";
/** Each figure is the best of so many rounds of so many milliseconds, as a machine that does something else only makes it worse. */
const ROUNDS = 5;
const ROUND_TIME = 200;
/** What has to be reached (issue 3). */
const MOST = 3;

class Subject extends Emitter {
	override eventsEnabled = true;
}

const single = measure(indexed(1));
console.log(
	`${"handlers".padEnd(12)}${"ours, per second".padStart(18)}${"time of one".padStart(14)}${"plain loop".padStart(18)}${"time of one".padStart(14)}`,
);
for (const count of [1, 10, 100, 1000]) {
	const [ours, plain] = [measure(indexed(count)), measure(looped(count))];
	const columns = [
		String(count).padEnd(12),
		rate(ours).padStart(18),
		times(ours).padStart(14),
		rate(plain).padStart(18),
		times(plain).padStart(14),
	];
	console.log(columns.join(""));
	if (count === 1000 && single / ours > MOST) process.exitCode = 1;
}
console.log(`${process.exitCode === 1 ? "BROKEN" : "kept"}: 1,000 handlers take at most ${MOST} × the time of one`);

/** Fires on an emitter of ours with so many handlers, one of which matches. */
function indexed(count: number): () => void {
	const subject = new Subject();
	for (const pattern of patterns(count)) subject.addHandler(pattern, () => undefined);
	return () => subject.fire(EVENT, { name: "netvm" });
}

/** The same by a loop over all patterns. */
function looped(count: number): () => void {
	const handlers = patterns(count).map((pattern) => ({
		pattern: compilePattern(pattern),
		run: (_args: object): void => undefined,
	}));
	return () => {
		for (const { pattern, run } of handlers) if (pattern.matches(EVENT)) run({ name: "netvm" });
	};
}

function patterns(count: number): string[] {
	return [PATTERN, ...Array.from({ length: count - 1 }, (_, i) => `domain-feature-set:feature-${i}*`)];
}

/** Calls in a second. */
function measure(call: () => void): number {
	let best = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const start = performance.now();
		let calls = 0;
		while (performance.now() - start < ROUND_TIME) for (let i = 0; i < 100; i++, calls++) call();
		best = Math.max(best, calls / ((performance.now() - start) / 1000));
	}
	return best;
}

function rate(callsPerSecond: number): string {
	return Math.round(callsPerSecond).toLocaleString("en");
}

function times(callsPerSecond: number): string {
	return `${(single / callsPerSecond).toFixed(2)} ×`;
}
