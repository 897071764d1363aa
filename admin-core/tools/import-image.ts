/** Puts the content of a file into a volume, by running the service that does it (spec 11, qvm-volume; storage-reflink 9.4). */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseReply, type Qubesd } from "./client.ts";
import type { Setting } from "./command.ts";
import { DaemonError, EmptyReplyError, LocalError, RemoteError, UsageError } from "./errors.ts";
import type { ImportMethod } from "./import-service.ts";
import { poolInfo } from "./pools.ts";
import { type Volume, volumeInfo } from "./volumes.ts";

/** What is to be put into a volume. */
export interface Image {
	/** For people. */
	readonly name: string;
	readonly bytes: Readable;
	/** How many bytes there are. */
	readonly size: number;
	/** How many of them are data and no holes; null if that is not known. */
	readonly data: number | null;
	/** Whether the volume gets that size; else it has to have it already. */
	readonly isResizing: boolean;
}

/** How much is read at once, in bytes. */
const READ_SIZE = 1 << 20;
/** In which `stat` counts what a file occupies. */
const BLOCK_BYTES = 512;

/** A file as image, of which `size` bytes are taken: all if undefined. Throws UsageError where that is not possible. */
export function openImage(file: string, size?: number): Image {
	try {
		const stat = fs.statSync(file);
		if (!stat.isFile() && size === undefined) throw new UsageError(`"${file}" is no regular file: say its size`);
		const bytes = fs.createReadStream(file, { fd: fs.openSync(file, "r"), highWaterMark: READ_SIZE });
		const data = stat.isFile() ? Math.min(stat.blocks * BLOCK_BYTES, stat.size) : null;
		return { name: path.basename(file), bytes, size: size ?? stat.size, data, isResizing: true };
	} catch (error) {
		if (error instanceof UsageError) throw error;
		throw new UsageError(`cannot read "${file}": ${(error as NodeJS.ErrnoException).code}`);
	}
}

/** Imports an image. Throws RemoteError for what the daemon refuses, DaemonError, and LocalError where the image cannot be read or fit. */
export async function importImage(setting: Setting, volume: Volume, image: Image): Promise<void> {
	await checkRoom(setting.qubesd, volume, image);
	const method: ImportMethod = image.isResizing ? "admin.vm.volume.ImportWithSize" : "admin.vm.volume.Import";
	const child = startService(setting, method, volume);
	// Of input that comes slowly, or never, no more is waited for.
	child.on("close", () => image.bytes.destroy());
	const ended = collect(child);
	const readError = await feed(setting, image, child);
	const { reply, complaint } = await ended;
	if (readError !== undefined) throw new LocalError(`cannot read "${image.name}": ${readError}`);
	if (reply.length === 0) throw new DaemonError(`cannot run ${method}: ${complaint.trim() || "it ended without a word"}`);
	parseReply(reply);
}

/** Nothing is begun that is known not to fit. */
async function checkRoom(qubesd: Qubesd, volume: Volume, { name, data }: Image): Promise<void> {
	const room = data === null ? null : await findRoom(qubesd, volume);
	if (data === null || room === null || data <= room.free) return;
	throw new LocalError(`no room for a copy of "${name}": ${data} bytes, and ${room.free} are free in pool ${room.pool}`);
}

/** The pool of a volume, and how many bytes are free in it; null where the daemon does not know or tell. */
async function findRoom(qubesd: Qubesd, volume: Volume): Promise<{ pool: string; free: number } | null> {
	try {
		const pool = (await volumeInfo(qubesd, volume)).get("pool");
		if (pool === undefined) return null;
		const known = await poolInfo(qubesd, pool);
		const free = Number(known.get("size")) - Number(known.get("usage"));
		return Number.isNaN(free) ? null : { pool, free };
	} catch (error) {
		if (error instanceof RemoteError || error instanceof EmptyReplyError) return null;
		throw error;
	}
}

/** Runs it as whoever owns the images, which is whoever runs the daemon. */
function startService({ io, internalSocket }: Setting, method: ImportMethod, { qube, volume }: Volume): ChildProcess {
	const variables = {
		QREXEC_REMOTE_DOMAIN: "dom0",
		QREXEC_REQUESTED_TARGET: qube,
		QUBESD_INTERNAL_SOCKET: internalSocket,
	};
	const service = [process.execPath, path.join(io.programs, `${method}.mjs`), volume];
	const isOurs = process.getuid?.() === 0 || ownerOf(internalSocket) === process.getuid?.();
	// sudo passes no environment on.
	const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
	const [program = "", ...args] = isOurs ? service : ["sudo", "--", "env", ...assignments, ...service];
	return spawn(program, args, { env: { ...io.env, ...variables } });
}

function ownerOf(file: string): number | undefined {
	try {
		return fs.statSync(file).uid;
	} catch {
		// Behind a folder that we may not look into; or it is not there, as the service will say.
		return undefined;
	}
}

/** What it wrote, when it has ended; an error to start it is a complaint. */
function collect(child: ChildProcess): Promise<{ reply: Buffer; complaint: string }> {
	return new Promise((resolve) => {
		const out: Buffer[] = [];
		let complaint = "";
		child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
		child.stderr?.on("data", (chunk: Buffer) => {
			complaint += chunk.toString();
		});
		child.on("error", (error) => {
			complaint += error.message;
		});
		child.on("close", () => resolve({ reply: Buffer.concat(out), complaint }));
	});
}

/** Sends the size and the bytes; returns why they could not be read. A service that does not want them all has its reasons in the reply. */
async function feed({ progress }: Setting, image: Image, child: ChildProcess): Promise<string | undefined> {
	let readError: string | undefined;
	async function* bytes(): AsyncGenerator<Uint8Array> {
		if (image.isResizing) yield Buffer.from(`${image.size}\n`);
		try {
			yield* progress.count(`importing ${image.name}`, image.size, image.bytes);
		} catch (error) {
			if (child.exitCode === null && child.signalCode === null)
				readError = (error as NodeJS.ErrnoException).code ?? String(error);
		}
	}
	if (child.stdin !== null) await pipeline(bytes, child.stdin).catch(() => undefined);
	return readError;
}
