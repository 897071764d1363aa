import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { StoreError, systemError } from "./errors.ts";

const { O_CREAT, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } = fs.constants;

/**
 * Locks a file for as long as the process lives or until `close` of the descriptor that is returned; the file is made if there is none, and never
 * replaced nor removed, as a lock on a file that has gone excludes nobody. Throws a StoreError, `locked`, at once where another one has it.
 *
 * Node has no flock(2), but a lock made by it belongs to the open file and not to the process: the program `flock` locks the descriptor that
 * it inherits from us and ends, and we keep it. So the kernel drops the lock when we die, by whatever, which a file with a process id in it cannot
 * promise; and nobody outside the directory can hold it, as anyone could the name of an abstract socket.
 */
export function lockFile(path: string): number {
	let fd: number;
	try {
		fd = openLockFile(path);
	} catch (thrown) {
		throw systemError(`cannot open the lock file ${path}`, thrown);
	}
	try {
		takeLock(fd, path);
		writeHolder(path);
		return fd;
	} catch (thrown) {
		fs.closeSync(fd);
		throw systemError(`cannot lock ${path}`, thrown);
	}
}

/** Nobody but owner and group may open it, as whoever can open it can lock it. */
function openLockFile(path: string): number {
	// Held for reading only: a file system must not stay writable because of us.
	return fs.openSync(path, O_RDONLY | O_CREAT | O_NOFOLLOW, 0o660);
}

function takeLock(fd: number, path: string): void {
	const { status, error } = spawnSync("flock", ["--exclusive", "--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
	if (status === 0) return;
	if (status === 1) throw new StoreError("locked", `${path} is held by ${readHolder(path)}: stop it first`);
	if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
		throw new StoreError("system", "there is no program flock: install util-linux");
	}
	throw new StoreError("system", `cannot lock ${path}: ${error?.message ?? `flock ended with status ${status}`}`);
}

/** For the message of the next one only: that it is missing or stale does no harm. */
function writeHolder(path: string): void {
	try {
		const fd = fs.openSync(path, O_WRONLY | O_TRUNC | O_NOFOLLOW);
		try {
			fs.writeSync(fd, `${process.pid}\n`);
		} finally {
			fs.closeSync(fd);
		}
	} catch {
		// A full disk is one for whoever saves.
	}
}

function readHolder(path: string): string {
	const pid = /^[0-9]+/.exec(fs.readFileSync(path, "latin1"))?.[0];
	return pid === undefined ? "another process" : `process ${pid}`;
}
