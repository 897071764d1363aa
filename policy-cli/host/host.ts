import type { FileError, PolicyFiles } from "../core/files.ts";
import type { Rows } from "../core/rows.ts";

/**
 * The one door to the outside. `core` and `exec` reach files, sockets, programs and the log only through
 * a `Host`; `node.ts` and `../native/host.c` are its two implementations and must not differ in what they answer.
 *
 * All functions are synchronous. What fails throws a `HostError`, never anything else.
 */
export interface Host extends PolicyFiles {
	/** The command line without the program's own name. A byte that is not UTF-8 arrives as U+FFFD. */
	readonly args: readonly string[];

	/**
	 * The text of a regular file, strict UTF-8, byte order mark kept.
	 * Errors: `ENOTFILE` for anything that is not a regular file (nothing blocks on a fifo), `EFBIG` over `maxBytes`, `ECHANGED` if it
	 * got shorter meanwhile, `EILSEQ` for bytes that are not UTF-8, else the errno name of open, fstat or read.
	 */
	readText(path: string, maxBytes: number): string;

	/** `splitRows` of the text of a regular file, null if that is not plain; what is not UTF-8 is not plain. Other errors as of `readText`. */
	readRows(path: string, maxBytes: number): Rows | null;

	/** All of standard input, with the limits and errors of `readText` (any kind of file will do). */
	readInput(maxBytes: number): string;

	/**
	 * Names of the regular files of a directory, symbolic links followed, in no order. A name that is not
	 * UTF-8 is given with each byte over 0x7f as `\xNN`. A link that leads nowhere (`ENOENT`, `ENOTDIR`, `ELOOP`) is no file; any other
	 * failure to follow one is an error.
	 */
	listFiles(path: string): string[];

	/** What a symbolic link says, or null where there is none (also when nothing is there at all). */
	readLink(path: string): string | null;

	/** The value of a JSON text (RFC 8259) with lists and objects at most 64 deep; undefined if it is none. Never throws. */
	parseJson(text: string): unknown;

	/**
	 * Connects to a unix stream socket, sends `request`, shuts the write side down; returns a handle at once.
	 * Never throws and never waits: every failure is reported by `finishCall`.
	 */
	startCall(socketPath: string, request: string): number;

	/**
	 * What the peer of `startCall` answered until it closed, strict UTF-8. At most `seconds` from now
	 * (`ETIMEDOUT`), 0 for no limit; `EFBIG` over `maxBytes`; `EILSEQ` as above. To be called once for each handle.
	 */
	finishCall(handle: number, seconds: number, maxBytes: number): string;

	/**
	 * Runs a program (absolute path first) and waits for it. With `input` a string: it is the program's whole standard input
	 * and its output is returned, at most 64 KiB of it. With `input` null: the program has our standard input and output.
	 * Standard error is ours in both cases. After `seconds` (0: no limit) the program is killed: `ETIMEDOUT`.
	 * `status` is the exit code, 128 + N after signal N. Errors: errno name of execve when it cannot be started.
	 */
	run(argv: readonly string[], input: string | null, seconds: number): RunResult;

	/** Writes all of `text` to standard output (1) or standard error (2). */
	write(fd: 1 | 2, text: string): void;

	/** Sends one datagram (`text` and a NUL) to the log socket; waits at most a second for room (`ETIMEDOUT`). */
	sendLog(socketPath: string, text: string): void;

	/**
	 * From now on, a run that is ended by force leaves as a denial: when `seconds` are over (0: no limit of time), on SIGTERM,
	 * SIGINT or SIGHUP, and when memory runs out, `lastWords.answer` is written to standard output, `logText` + reason is sent to
	 * `logSocket` (standard error where that fails, without the first `<11>`), and the exit status is 1. An answer that was begun stays
	 * the only one. Each call replaces the one before.
	 */
	arm(seconds: number, lastWords: LastWords): void;
}

/** How a run ends that is cut off: see `Host.arm`. `logSocket` empty means that nothing is logged. */
export interface LastWords {
	readonly answer: string;
	readonly logText: string;
	readonly logSocket: string;
}

/** How a program ended, and what it wrote. */
export interface RunResult {
	readonly status: number;
	readonly output: string;
}

/** What a failed host call throws: the errno name, the step that failed, and the path (or program) it was about. */
export type HostError = FileError;
