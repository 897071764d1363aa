// How far something long is.
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { Progress, type Show } from "../../../admin-core/tools/progress.ts";

/** A terminal that keeps what is written. */
function terminal(isTTY = true) {
	const written: string[] = [];
	return { isTTY, written, write: (text: string) => written.push(text) };
}

async function* chunks(...lengths: number[]): AsyncGenerator<Uint8Array> {
	for (const length of lengths) {
		yield Buffer.alloc(length);
		await sleep(110);
	}
}

async function passOn(source: AsyncIterable<Uint8Array>): Promise<number[]> {
	const lengths: number[] = [];
	for await (const chunk of source) lengths.push(chunk.length);
	return lengths;
}

/** Nobody says how far it is. */
const untold = () => () => undefined;

const MIB = 2 ** 20;

test("count() passes chunks on and shows how many bytes came, then removes the line", async (t) => {
	const screen = terminal();
	const lengths = await passOn(new Progress(screen, false).count("importing x", 4 * MIB, chunks(MIB, MIB, 2 * MIB)));
	t.deepEqual(lengths, [MIB, MIB, 2 * MIB]);
	const line = (full: number, rest: string) => `\r\x1b[Kimporting x [${"#".repeat(full)}${"-".repeat(30 - full)}] ${rest}`;
	t.deepEqual(screen.written, [
		line(7, " 25% 1.0 MiB of 4.0 MiB"),
		line(15, " 50% 2.0 MiB of 4.0 MiB"),
		line(30, "100% 4.0 MiB of 4.0 MiB"),
		"\r\x1b[K",
	]);
});

test("more than there should be is full, nothing of nothing too", async (t) => {
	const screen = terminal();
	await passOn(new Progress(screen, false).count("x", 1, chunks(2 ** 30)));
	await passOn(new Progress(screen, false).count("x", 0, chunks(0)));
	t.true(screen.written[0]?.includes("100% 1.00 GiB of 0.0 MiB"));
	t.true(screen.written[2]?.includes("100%"));
});

test("the line is removed when the source fails", async (t) => {
	const screen = terminal();
	async function* broken(): AsyncGenerator<Uint8Array> {
		yield Buffer.alloc(1);
		throw new Error("broken");
	}
	await t.throwsAsync(passOn(new Progress(screen, false).count("x", 9, broken())), { message: "broken" });
	t.is(screen.written.at(-1), "\r\x1b[K");
});

test("during() shows the seconds, and gives back what it waited for", async (t) => {
	const screen = terminal();
	t.is(await new Progress(screen, false).during("cloning x", () => sleep(1_500, "done"), untold), "done");
	t.is(screen.written[0], "\r\x1b[Kcloning x … 1 s");
	t.is(screen.written.at(-1), "\r\x1b[K");
});

test("during() shows how far it is as soon as that is told, listens before it begins, and no longer when it has failed", async (t) => {
	const screen = terminal();
	const seen: string[] = [];
	let tell: Show = () => t.fail();
	const work = async () => {
		seen.push("begun");
		tell(MIB, 2 * MIB);
		throw new Error("broken");
	};
	const follow = (show: Show) => {
		seen.push("followed");
		tell = show;
		return () => void seen.push("left");
	};
	await t.throwsAsync(new Progress(screen, false).during("cloning x", work, follow), { message: "broken" });
	t.deepEqual(seen, ["followed", "begun", "left"]);
	t.deepEqual(screen.written, [`\r\x1b[Kcloning x [${"#".repeat(15)}${"-".repeat(15)}]  50% 1.0 MiB of 2.0 MiB`, "\r\x1b[K"]);
});

test("nobody is listened to where nothing is shown", async (t) => {
	for (const [isTTY, isQuiet] of [
		[false, false],
		[true, true],
	] as const) {
		const progress = new Progress(terminal(isTTY), isQuiet);
		t.is(
			await progress.during(
				"x",
				async () => "done",
				() => t.fail() as never,
			),
			"done",
		);
	}
});

test("nothing is shown of what is quick, without a terminal, or to who wants it quiet", async (t) => {
	const quick = terminal();
	await new Progress(quick, false).during("x", () => Promise.resolve(), untold);
	const file = terminal(false);
	await passOn(new Progress(file, false).count("x", 1, chunks(1)));
	const quiet = terminal();
	await passOn(new Progress(quiet, true).count("x", 1, chunks(1)));
	t.deepEqual([quick.written, file.written, quiet.written], [[], [], []]);
});

test("a name cannot drive the terminal", async (t) => {
	const screen = terminal();
	await passOn(new Progress(screen, false).count("a\x1b[2J\n", 1, chunks(1)));
	t.true(screen.written[0]?.startsWith("\r\x1b[Ka\\x1b[2J\\n ["));
});
