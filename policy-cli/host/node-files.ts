import { isUtf8 } from "node:buffer";
import fs from "node:fs";
import { type Rows, splitRows } from "../core/rows.ts";
import type { HostError } from "./host.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Makes a HostError of what Node threw in a step. */
export function hostError(thrown: unknown, operation: string, path: string): HostError {
	const code = (thrown as NodeJS.ErrnoException).code ?? "EIO";
	// Node refuses a NUL in a path itself; to the kernel nothing can be there.
	return { code: code === "ERR_INVALID_ARG_VALUE" ? "ENOENT" : code, operation, path };
}

/** See Host.readText. */
export function readText(path: string, maxBytes: number): string {
	return decode(readFile(path, maxBytes), path);
}

/** See Host.readRows. */
export function readRows(path: string, maxBytes: number): Rows | null {
	return splitRows(readFile(path, maxBytes).toString("latin1"));
}

/** See Host.listFiles. */
export function listFiles(path: string): string[] {
	const entries = attempt("opendir", path, () => fs.readdirSync(path, { withFileTypes: true, encoding: "buffer" }));
	const files = entries.filter((entry) =>
		entry.isSymbolicLink() ? leadsToFile(path, entry.name as unknown as Buffer) : entry.isFile(),
	);
	return files.map((entry) => showName(entry.name as unknown as Buffer));
}

function leadsToFile(dir: string, name: Buffer): boolean {
	const path = `${dir}/${showName(name)}`;
	try {
		return fs.statSync(Buffer.concat([Buffer.from(`${dir}/`), name])).isFile();
	} catch (thrown) {
		const error = hostError(thrown, "stat", path);
		// A link that leads nowhere is no file; one that cannot be followed may be one that denies.
		if (["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) return false;
		throw error;
	}
}

/** See Host.readLink. */
export function readLink(path: string): string | null {
	let link: Buffer;
	try {
		link = fs.readlinkSync(path, { encoding: "buffer" });
	} catch (thrown) {
		const error = hostError(thrown, "readlink", path);
		if (["EINVAL", "ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code)) return null;
		throw error;
	}
	return decode(link, path, "readlink");
}

/** Decodes strict UTF-8, the byte order mark kept; throws `EILSEQ`. */
export function decode(bytes: Buffer, path: string, operation = "read"): string {
	try {
		return decoder.decode(bytes);
	} catch {
		throw { code: "EILSEQ", operation, path };
	}
}

/** Runs one step of a host call; what it throws becomes a HostError. */
export function attempt<T>(operation: string, path: string, step: () => T): T {
	try {
		return step();
	} catch (thrown) {
		throw hostError(thrown, operation, path);
	}
}

function readFile(path: string, maxBytes: number): Buffer {
	const fd = attempt("open", path, () => fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
	try {
		const info = attempt("fstat", path, () => fs.fstatSync(fd));
		if (!info.isFile()) throw { code: "ENOTFILE", operation: "open", path };
		const bytes = readAll(fd, path, maxBytes);
		if (bytes.length < info.size) throw { code: "ECHANGED", operation: "read", path };
		return bytes;
	} finally {
		fs.closeSync(fd);
	}
}

function readAll(fd: number, path: string, maxBytes: number): Buffer {
	const chunks: Buffer[] = [];
	let total = 0;
	for (;;) {
		const chunk = Buffer.allocUnsafe(65536);
		const count = attempt("read", path, () => fs.readSync(fd, chunk));
		if (count === 0) return Buffer.concat(chunks);
		total += count;
		if (total > maxBytes) throw { code: "EFBIG", operation: "read", path };
		chunks.push(chunk.subarray(0, count));
	}
}

function showName(name: Buffer): string {
	if (isUtf8(name)) return name.toString("utf8");
	return [...name].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join("");
}
