import { spawn } from "node:child_process";
import { asPoolError, escapeLine, poolError, quote } from "./errors.ts";
import { statOrNull } from "./stats.ts";

/** A part of a file that lies in one piece on the disk. */
export interface Extent {
	readonly bytes: number;
	/** Where it begins in the file system's own count; means nothing if it is not shared. */
	readonly physical: number;
	/** Whether another file has it too, or the same file elsewhere. */
	readonly isShared: boolean;
}

/** So many names fit into a command line. */
const BATCH = 500;
/** `  1:    40960..   61439:   63963136..  63983615:  20480:   13672448: last,shared`, in bytes. */
const EXTENT = /^ *\d+: *(\d+)\.\. *(\d+): *(\d+)\.\..*: *([a-z_,]*)$/;
/** A line of complaint for each file that it does not find. */
const GONE = /: No such file or directory$/gm;
/** In characters: more than it has to say of a batch. */
const MAX_COMPLAINT = 100_000;
/** How filefrag begins and ends what it says of a file. */
const BEGIN = /^File size of (.+) is \d+ \(\d+ blocks? of \d+ bytes\)$/;
const END = /^(.+): \d+ extents? found$/;

/**
 * Tells `take` of all extents of files, which are absolute paths; a file that has vanished has none. By `filefrag` of e2fsprogs, a child process that is
 * killed when the signal says so. Throws a StoragePoolException where that is, or where the file system does not tell.
 */
export async function readExtents(
	files: readonly string[],
	signal: AbortSignal,
	take: (file: string, extent: Extent) => void,
): Promise<void> {
	for (let done = 0; done < files.length; done += BATCH) {
		const batch = files.slice(done, done + BATCH);
		const told = new Set<string>();
		const complaint = await runFilefrag(batch, signal, lineReader(told, take));
		const untold = batch.filter((file) => !told.has(file));
		// It does not name those that it did not find, and they may be there again, as precaches come and go.
		if (untold.length === complaint.match(GONE)?.length) continue;
		for (const file of untold) {
			if ((await statOrNull(file)) === null) continue;
			throw poolError(
				`cannot find out where the data of ${quote(file)} lie: ${escapeLine(complaint.slice(0, 1000)) || "filefrag does not say"}`,
			);
		}
	}
}

/** Returns what it complained of, if it did. */
async function runFilefrag(files: readonly string[], signal: AbortSignal, takeLine: (line: string) => void): Promise<string> {
	const env = { ...process.env, LC_ALL: "C" };
	const child = spawn("filefrag", ["-v", "-b1", "--", ...files], { stdio: ["ignore", "pipe", "pipe"], env, signal });
	let [rest, complaint] = ["", ""];
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		const lines = (rest + text).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) takeLine(line);
	});
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		complaint = (complaint + text).slice(0, MAX_COMPLAINT);
	});
	await new Promise((resolve, reject) => {
		child.on("error", (error) =>
			reject(signal.aborted ? poolError("filefrag takes too long") : asPoolError("run filefrag", error)),
		);
		child.on("close", resolve);
	});
	return complaint.trim();
}

/** Takes the lines of filefrag; a file is in `told` when all has been said of it. */
function lineReader(told: Set<string>, take: (file: string, extent: Extent) => void): (line: string) => void {
	let file = "";
	return (line) => {
		const [, begin, end, physical, flags] = EXTENT.exec(line) ?? [];
		if (flags !== undefined) {
			// What is not on the disk yet has no length there.
			const bytes = Number(end) - Number(begin) + 1;
			return take(file, { bytes, physical: Number(physical), isShared: flags.split(",").includes("shared") });
		}
		file = BEGIN.exec(line)?.[1] ?? file;
		const ended = END.exec(line)?.[1];
		if (ended !== undefined) told.add(ended);
	};
}
