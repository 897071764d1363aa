/** The classes of errors that this driver has, by their names in the Admin API. */
export type ErrorKind = "StoragePoolException" | "QubesValueError" | "QubesNotImplementedError";

/** What admin-core tells the client as it is: it knows such errors by their `kind`. */
class StorageError extends Error {
	readonly kind: ErrorKind;

	constructor(kind: ErrorKind, message: string, cause?: unknown) {
		super(message, { cause });
		this.kind = kind;
	}
}

export function poolError(message: string): StorageError {
	return new StorageError("StoragePoolException", message);
}

export function valueError(message: string): StorageError {
	return new StorageError("QubesValueError", message);
}

/** For what a kind of volume does not have; names driver and operation (spec 1.2). */
export function notImplemented(operation: string, why: string): StorageError {
	return new StorageError("QubesNotImplementedError", `file-reflink has no ${operation} of ${why}`);
}

/** The name of the errno of a system call or child process that failed, such as `ENOSPC`; null for everything else that was thrown. */
export function errnoOf(thrown: unknown): string | null {
	if (!(thrown instanceof Error) || !("syscall" in thrown)) return null;
	const { code } = thrown as NodeJS.ErrnoException;
	return code ?? null;
}

/** What failed system calls become for the client: `cannot DOING: ENOSPC: …`. Other things that were thrown stay what they are. */
export function asPoolError(doing: string, thrown: unknown): unknown {
	if (errnoOf(thrown) === null) return thrown;
	return new StorageError("StoragePoolException", `cannot ${doing}: ${(thrown as Error).message}`, thrown);
}

/** Adds the path to the message of a failed call on an open file, which does not have it. */
export function withPath(thrown: unknown, path: string): unknown {
	if (errnoOf(thrown) === null) return thrown;
	const error = thrown as NodeJS.ErrnoException;
	if (error.path !== undefined) return error;
	error.path = path;
	error.message += ` '${path}'`;
	return error;
}

export function quote(text: string): string {
	return JSON.stringify(text);
}

/** Makes one line of what another program has written. */
export function escapeLine(text: string): string {
	return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
}
