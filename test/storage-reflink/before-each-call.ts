// Looks at each call to the file system that the driver makes, before it is made, but for the stats and lists that it makes at once and for closing; what the
// look throws is what the call fails with; where it gives back a promise, the call waits for that, unless it is one to open at once or to sync.
import opened from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";

type Look = (call: string, args: readonly unknown[]) => unknown;
type Calls = { [name: string]: (...args: unknown[]) => unknown };

const ON_PATHS = ["open", "rename", "link", "unlink", "mkdir", "rmdir", "copyFile"];
const ON_FILES = ["chmod", "truncate", "sync"];
/** The calls that change something or make it durable. */
export const CHANGES: readonly string[] = [...ON_PATHS, ...ON_FILES];
const READS = ["readdir", "stat", "statfs", "realpath"];

let look: Look | null = null;
let isArmed = false;

/** From now on, in place of what was looked with before; null for no more. */
export async function lookBeforeEachCall(next: Look | null): Promise<void> {
	look = next;
	if (isArmed) return;
	isArmed = true;
	const handle: FileHandle = await fs.open("/dev/null");
	await handle.close();
	wrap(fs as unknown as Calls, [...ON_PATHS, ...READS]);
	wrap(Object.getPrototypeOf(handle), ON_FILES);
	wrapOthers();
}

/** From now on, does something before the first call that is meant, which waits for it. */
export function onceBefore(
	isMeant: (call: string, args: readonly unknown[]) => boolean,
	act: () => Promise<void>,
): Promise<void> {
	let isOver = false;
	return lookBeforeEachCall((call, args) => {
		if (isOver || !isMeant(call, args)) return null;
		isOver = true;
		return act();
	});
}

/** Whether a call changes something or makes it durable. */
export function isChange(call: string): boolean {
	return CHANGES.includes(call);
}

function wrap(calls: Calls, names: readonly string[]): void {
	for (const name of names) {
		const original = calls[name] as Calls[string];
		calls[name] = async function (this: unknown, ...args) {
			await look?.(name, args);
			return original.apply(this, args);
		};
	}
}

/** What the driver does otherwise: it opens files for reading at once, and asks for a sync with a callback. */
function wrapOthers(): void {
	const { openSync, fsync } = opened;
	opened.openSync = (file, flags, mode) => {
		if (flags === "r") look?.("open", [file, flags]);
		return openSync(file, flags, mode);
	};
	opened.fsync = ((fd, done) => {
		try {
			look?.("sync", [fd]);
		} catch (thrown) {
			return void done(thrown as NodeJS.ErrnoException);
		}
		fsync(fd, done);
	}) as typeof opened.fsync;
}

/** What a call fails with whose errno is this. */
export function failure(errno: string, call: string): Error {
	return Object.assign(new Error(`${errno}: injected by the test, ${call}`), { code: errno, syscall: call });
}
