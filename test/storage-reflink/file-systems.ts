// Real file systems for the tests, in files that are mounted through loop devices. Each process of the tests has a folder of its own and clears it when it
// ends; what a process left that was killed is cleared by the next one. Needs root, btrfs-progs, xfsprogs and e2fsprogs.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type Kind = "btrfs" | "xfs" | "ext4" | "tmpfs";
export const KINDS: readonly Kind[] = ["btrfs", "xfs", "ext4", "tmpfs"];

export interface Mounted {
	readonly kind: Kind;
	readonly root: string;
	/** The file that it is in; null for tmpfs. */
	readonly image: string | null;
}

const MEBIBYTE = 1024 * 1024;
/** XFS is not made smaller than 300 MiB. */
const MEGABYTES: { readonly [kind in Kind]: number } = { btrfs: 256, xfs: 300, ext4: 128, tmpfs: 128 };
const MAKE: { readonly [kind in Exclude<Kind, "tmpfs">]: readonly string[] } = {
	btrfs: ["mkfs.btrfs", "-q", "-f", "-m", "single"],
	xfs: ["mkfs.xfs", "-q", "-f", "-m", "reflink=1"],
	ext4: ["mkfs.ext4", "-q", "-F"],
};
const BASE = path.join(hasRoom("/dev/shm") ? "/dev/shm" : "/tmp", "qubes-storage-test");
const FOLDER = path.join(BASE, `${process.pid}`);
const UNMOUNT_TRIES = 250;
let count = 0;

export const isRoot = process.getuid?.() === 0;

if (isRoot) {
	clearDead();
	process.on("exit", () => clear(FOLDER));
}

/** Makes a file system and mounts it. */
export function makeFileSystem(kind: Kind, megabytes = MEGABYTES[kind]): Mounted {
	const root = makeRoot();
	if (kind === "tmpfs") {
		call("mount", "-t", "tmpfs", "-o", `size=${megabytes}M`, "tmpfs", root);
		return { kind, root, image: null };
	}
	const image = path.join(FOLDER, `${++count}.disk`);
	makeImage(kind, image, megabytes);
	mountImage(kind, image, root);
	return { kind, root, image };
}

/** Makes a file system in a file, anywhere. */
export function makeImage(kind: Exclude<Kind, "tmpfs">, image: string, megabytes = MEGABYTES[kind]): void {
	fs.closeSync(fs.openSync(image, "wx"));
	fs.truncateSync(image, megabytes * MEBIBYTE);
	const [program, ...args] = MAKE[kind];
	call(program as string, ...args, image);
}

/** Mounts a file with a file system; a copy of one that is mounted, too, if it is XFS. */
export function mountImage(kind: Kind, image: string, root: string, options: readonly string[] = []): void {
	// A copy has the identity of what it was copied from, which the kernel may still know by a device that is gone.
	if (kind === "btrfs") call("btrfs", "device", "scan", "--forget");
	call("mount", "-t", kind, "-o", ["loop", ...(kind === "xfs" ? ["nouuid"] : []), ...options].join(), image, root);
}

/** A new directory to mount something at. */
export function makeRoot(): string {
	const root = path.join(FOLDER, `${++count}`);
	fs.mkdirSync(root, { recursive: true });
	return root;
}

/** Waits for files that are being closed: what was begun in the background may still have them for a moment. */
export async function unmount(root: string): Promise<void> {
	for (let tries = 1; ; tries++) {
		try {
			call("umount", root);
			return;
		} catch (error) {
			if (tries === UNMOUNT_TRIES || !String((error as Error).message).includes("busy")) throw error;
		}
		await sleep(20);
	}
}

/** Fills a file system with files in `filler`, until not even a small one fits. */
export function fill(root: string): void {
	fs.mkdirSync(`${root}/filler`);
	for (const size of [MEBIBYTE, 4096, 1]) {
		for (let count = 0; count < 100_000; count++) {
			try {
				fs.writeFileSync(`${root}/filler/${size}-${count}`, Buffer.alloc(size, count));
				if (size === MEBIBYTE && count % 16 === 0) call("sync", "--file-system", root);
			} catch {
				break;
			}
		}
		call("sync", "--file-system", root);
	}
}

/** Runs a program; throws with what it complained of if it fails. */
export function call(program: string, ...args: readonly string[]): string {
	return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function hasRoom(directory: string): boolean {
	try {
		const { bavail, bsize } = fs.statfsSync(directory);
		return bavail * bsize > 4 * 1024 ** 3;
	} catch {
		return false;
	}
}

function clearDead(): void {
	for (const name of fs.existsSync(BASE) ? fs.readdirSync(BASE) : [])
		if (!fs.existsSync(`/proc/${name}`)) clear(path.join(BASE, name));
}

/** The innermost mounts first; what is in use somehow is taken out of the tree. */
function clear(folder: string): void {
	const points = fs
		.readFileSync("/proc/self/mounts", "utf8")
		.split("\n")
		.map((line) => line.split(" ")[1] ?? "");
	for (const point of points.filter((one) => one.startsWith(`${folder}/`)).reverse()) {
		try {
			call("umount", point);
		} catch {
			call("umount", "--lazy", point);
		}
	}
	fs.rmSync(folder, { recursive: true, force: true });
}
