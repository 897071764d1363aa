// What the storage driver is measured on: file systems in files on the disk, so that a sync costs what it costs; pools on them; images as guests make them.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Pool, Volume } from "../../admin-core/model/storage/contract.ts";
import { storageDrivers } from "../../storage-reflink/index.ts";
import { startTalking } from "../admin-core/store/stage.ts";
import { type Kind, makeImage, makeRoot, mountImage, unmount } from "../storage-reflink/file-systems.ts";

export const MIB = 1024 * 1024;
const BLOCK_BYTES = 4096;
/** The sizes of the file systems; they take what is written only. */
const MEGABYTES = 20 * 1024;
const STEPS_SOURCE = path.resolve("test/bench/storage-steps.c");

/**
 * A file system with a pool on it. btrfs is told that it is on an SSD, whatever the disk of a virtual machine says of itself: on one that rotates it makes
 * a sync wait one or two ticks of the kernel for others, if a thread has renamed and another one syncs, as Node's workers do.
 */
export class Ground {
	readonly kind: Exclude<Kind, "tmpfs">;
	readonly pool: Pool;
	readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-bench-"));
	readonly #root = makeRoot();

	constructor(kind: Exclude<Kind, "tmpfs">) {
		this.kind = kind;
		const disk = path.join(this.#folder, "disk");
		makeImage(kind, disk, MEGABYTES);
		mountImage(kind, disk, this.#root, kind === "btrfs" ? ["ssd"] : []);
		const options = { dir_path: path.join(this.#root, "pool"), setup_check: kind === "ext4" ? "no" : "yes" };
		const make = storageDrivers["file-reflink"];
		if (make === undefined) throw new Error("no driver");
		this.pool = make({ name: "bench", options: new Map(Object.entries(options)) }, { log: () => undefined });
	}

	/** The private volume of a qube of this name, with one revision. */
	async make(name: string, size: number, fill: (image: string) => void = () => undefined): Promise<Volume> {
		const config = { name: "private", rw: true, saveOnStop: true, size, revisionsToKeep: 1 };
		const volume = this.pool.initVolume({ name, dirPrefix: "appvms" }, config);
		await volume.create();
		await volume.start();
		fill(volume.path);
		await volume.stop();
		await this.pool.settled();
		return volume;
	}

	/** Removes it with all that there is of it. */
	async remove(volume: Volume): Promise<void> {
		await volume.remove();
		await this.pool.settled();
	}

	/** Starts storage-steps, which has a line of its own for each run. */
	steps(...args: readonly string[]): Floor {
		const program = path.join(this.#folder, "storage-steps");
		if (!fs.existsSync(program)) {
			const { status, stderr } = spawnSync("cc", ["-O2", STEPS_SOURCE, "-o", program], { encoding: "utf8" });
			if (status !== 0) throw new Error(`cc ${STEPS_SOURCE}: ${stderr}`);
		}
		return new Floor([program, ...args]);
	}

	async end(): Promise<void> {
		await this.pool.settled();
		await unmount(this.#root);
		fs.rmSync(this.#folder, { recursive: true });
	}
}

/** The same system calls without the driver. */
export class Floor {
	readonly #program: ReturnType<typeof startTalking>;
	#lines = 1;

	constructor(command: readonly string[]) {
		this.#program = startTalking(command);
	}

	async ready(): Promise<void> {
		await this.#program.line(this.#lines);
	}

	/** Milliseconds of what one run consists of. Returns when what follows it is done, too. */
	async run(): Promise<number[]> {
		await this.ready();
		this.#program.child.stdin?.write("\n");
		this.#lines += 2;
		await this.ready();
		return (await this.#program.line(this.#lines - 1)).split(" ").map(Number);
	}

	/** The figures that it prints at its end, if any. */
	async end(): Promise<number[]> {
		this.#program.child.stdin?.end();
		const how = await this.#program.ended;
		if (how !== 0) throw new Error(`storage-steps ended with ${how}`);
		return (this.#program.lines[this.#lines] ?? "").split(" ").map(Number);
	}
}

/** An image with data all through its first megabytes. */
export function filled(megabytes: number): (image: string) => void {
	return (image) => scatter(image, megabytes, MIB, MIB);
}

/** An image in so many pieces of 4 KiB, each followed by a hole of 4 KiB. */
export function fragmented(extents: number): (image: string) => void {
	return (image) => scatter(image, extents, BLOCK_BYTES, 2 * BLOCK_BYTES);
}

/** Writes so many pieces, one at each step. */
export function scatter(image: string, count: number, bytes: number, step: number): void {
	const piece = Buffer.alloc(bytes, "data ");
	const file = fs.openSync(image, "r+");
	for (let n = 0; n < count; n++) fs.writeSync(file, piece, 0, bytes, n * step);
	fs.closeSync(file);
}

/** Writes 4 KiB as a guest does in a run. */
export function touch(image: string): void {
	const file = fs.openSync(image, "r+");
	fs.writeSync(file, Buffer.alloc(BLOCK_BYTES, "run "), 0, BLOCK_BYTES, Math.floor(Math.random() * 1024) * 2 * BLOCK_BYTES);
	fs.closeSync(file);
}

/** How many extents the file system says that an image has. */
export function countExtents(image: string): number {
	const { stdout } = spawnSync("filefrag", ["-v", image], { encoding: "utf8", maxBuffer: 256 * MIB });
	return stdout.match(/^ *\d+:/gm)?.length ?? 0;
}
