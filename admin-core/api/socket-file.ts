import { rmSync } from "node:fs";
import fs from "node:fs/promises";
import net from "node:net";
import { dirname } from "node:path";
import { log } from "../log.ts";

/** Longest path of a unix socket, in bytes; Node would cut a longer one off. */
const MAX_SOCKET_PATH = 107;

/** Where a server listens, and who may connect. */
export interface SocketPlace {
	readonly path: string;
	/** Name of the group that may; where it does not exist, as without Qubes, the file keeps the group it has. None if undefined. */
	readonly group?: string | undefined;
	/** 0660 if undefined. */
	readonly mode?: number | undefined;
}

/**
 * Makes a path free for a socket (spec 7.1): the file of a server that is gone is removed.
 * Throws an Error if a server listens there, or if what is there is no socket.
 */
export async function freeSocketPath(path: string): Promise<void> {
	if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw refusal(path, `longer than ${MAX_SOCKET_PATH} bytes`);
	// Node reports a folder that is missing as EACCES.
	await fs.access(dirname(path)).catch((error: unknown) => {
		throw refusal(path, `its folder: ${codeOf(error)}`);
	});
	const stat = await fs.lstat(path).catch((error: unknown) => {
		if (codeOf(error) === "ENOENT") return null;
		throw refusal(path, codeOf(error));
	});
	if (stat === null) return;
	if (!stat.isSocket()) throw refusal(path, "there is something that is no socket");
	const outcome = await probe(path);
	if (outcome === "connected" || outcome === "EAGAIN") throw refusal(path, "somebody listens there already");
	if (outcome === "ENOENT") return;
	if (outcome !== "ECONNREFUSED") throw refusal(path, outcome);
	await fs.rm(path, { force: true }).catch((error: unknown) => {
		throw refusal(path, `cannot remove the old socket: ${codeOf(error)}`);
	});
}

/** The name that a socket has before it is shown, no longer than its own. */
export function hiddenPath(path: string): string {
	return `${path.slice(0, -1)}${path.endsWith("~") ? "_" : "~"}`;
}

/**
 * Gives the file of a socket its group and mode, and then its name in place of the hidden one: who sees it can connect, as somebody listens. Throws an Error, also where
 * something has come to be there meanwhile, which is left as it is.
 */
export async function show(hidden: string, { path, group, mode = 0o660 }: SocketPlace): Promise<void> {
	try {
		const id = group === undefined ? null : await findGroup(group);
		if (id !== null) await fs.chown(hidden, process.getuid?.() ?? 0, id);
		await fs.chmod(hidden, mode);
	} catch (error) {
		throw refusal(path, `cannot give it to group "${group ?? ""}" with mode ${mode.toString(8)}: ${codeOf(error)}`);
	}
	try {
		await fs.link(hidden, path);
		await fs.unlink(hidden);
	} catch (error) {
		throw refusal(path, codeOf(error));
	}
}

/** Removes the file of a socket, at once, so that nobody connects to what is about to close. What fails is logged. */
export function removeSocket(path: string): void {
	try {
		rmSync(path, { force: true });
	} catch (error) {
		log("error", `cannot remove the socket "${path}": ${codeOf(error)}`);
	}
}

/** Why there is no server at a path. */
export function refusal(path: string, why: string): Error {
	return new Error(`cannot listen on "${path}": ${why}`);
}

/** The code of an error of the system, or its text. */
export function codeOf(error: unknown): string {
	return (error as NodeJS.ErrnoException).code ?? String(error);
}

function probe(path: string): Promise<string> {
	return new Promise((resolve) => {
		const socket = net.connect(path, () => {
			socket.destroy();
			resolve("connected");
		});
		socket.on("error", (error) => resolve(codeOf(error)));
	});
}

/** The number of a group of /etc/group, where Qubes OS has its own; Node cannot ask for others. */
async function findGroup(name: string): Promise<number | null> {
	const lines = (await fs.readFile("/etc/group", "utf8")).split("\n");
	const fields = lines.map((line) => line.split(":")).find(([first]) => first === name);
	return fields === undefined ? null : Number(fields[2]);
}
