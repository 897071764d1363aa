import type { Rows } from "./rows.ts";

/** What the loader needs of a file system. Contracts and errors: `../host/host.ts`, which implements it. */
export interface PolicyFiles {
	readText(path: string, maxBytes: number): string;
	readRows(path: string, maxBytes: number): Rows | null;
	listFiles(path: string): string[];
	readLink(path: string): string | null;
}

/** What a failed file system call throws: the errno name, the step that failed, and the path it was about. */
export interface FileError {
	readonly code: string;
	readonly operation: string;
	readonly path: string;
}

/** Tells a failed file system call from every other exception. */
export function isFileError(thrown: unknown): thrown is FileError {
	return (
		typeof thrown === "object" &&
		thrown !== null &&
		typeof (thrown as Partial<FileError>).code === "string" &&
		typeof (thrown as Partial<FileError>).operation === "string" &&
		typeof (thrown as Partial<FileError>).path === "string"
	);
}

const MEANINGS: { readonly [code: string]: string | undefined } = {
	EACCES: "permission denied",
	ECHANGED: "somebody wrote to it meanwhile",
	ECONNREFUSED: "nobody listens there",
	ECONNRESET: "the other side broke off",
	EFBIG: "too large",
	EILSEQ: "not valid UTF-8",
	EIO: "input/output error",
	EISDIR: "is a directory",
	ELOOP: "too many symbolic links",
	EMFILE: "too many open files",
	ENAMETOOLONG: "name too long",
	ENOENT: "no such file or directory",
	ENOSPC: "no space left",
	ENOTDIR: "not a directory",
	ENOTFILE: "not a regular file",
	EPIPE: "nobody reads it any more",
	ETIMEDOUT: "no answer within the time limit",
};

/** One line about a failed call, the same on every host: `read /etc/x: permission denied (EACCES)`. */
export function describeFileError(error: FileError): string {
	return `${error.operation} ${error.path}: ${MEANINGS[error.code] ?? "failed"} (${error.code})`;
}
