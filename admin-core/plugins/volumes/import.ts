import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { parseNumber } from "../../model/payload.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { checkHalted } from "../../model/storage/changes.ts";
import type { Volume } from "../../model/storage/contract.ts";
import { findVolume } from "./find.ts";

/** `admin.vm.volume.Clear`: an import of nothing, so that the volume is empty and of the same size. */
export async function clear({ destination: qube, argument, permit }: Call): Promise<string> {
	permit();
	const volume = findVolume(qube, argument);
	checkHalted(qube, `volume ${argument} cannot be cleared`);
	await begin(qube, volume, volume.size);
	await end(qube, volume, true);
	return "";
}

/**
 * `internal.vm.volume.ImportBegin`: gives `SIZE PATH`, for the program that writes what somebody imports (spec 9.2). Who may do that is asked for
 * the method that this somebody called.
 */
export async function importBegin({ source, destination: qube, argument, payload }: Call): Promise<string> {
	const text = payload.toString("latin1").trimEnd();
	const size = text === "" ? null : parseNumber("Volume size", text);
	const method = size === null ? "Import" : "ImportWithSize";
	const args = { dest: qube, arg: argument, ...(size === null ? {} : { size }) };
	source.fire(`admin-permission:admin.vm.volume.${method}`, args, { pre: true });
	const volume = findVolume(qube, argument, "ProtocolError");
	checkHalted(qube, `volume ${argument} cannot be imported`);
	const wanted = size ?? volume.size;
	const path = await begin(qube, volume, wanted);
	if (!/\s/.test(path)) return `${wanted} ${path}`;
	await end(qube, volume, false);
	throw new AdminError("ProtocolError", `path with white space: '${path}': nothing can be imported into this pool`);
}

/**
 * `internal.vm.volume.ImportEnd`: the payload is `ok`, or `fail` and a line why. It ends the import that is open, whoever began it: a program looks before
 * whether the image is still its own, and one that does not look, or is overtaken just then by a cancellation and another begin, ends that.
 */
export async function importEnd({ destination: qube, argument, payload }: Call): Promise<string> {
	const [status, ...message] = payload.toString("utf8").split("\n");
	if (status !== "ok" && status !== "fail") throw new AdminError("ProtocolError", "end of import: want ok or fail");
	const volume = findVolume(qube, argument, "ProtocolError");
	await end(qube, volume, status === "ok");
	if (status === "fail") throw new AdminError("QubesException", `Data import failed: ${message.join("\n").trim()}`);
	return "";
}

async function begin(qube: Qube, volume: Volume, size: number): Promise<string> {
	const path = await volume.importData(size);
	try {
		qube.fire("domain-volume-import-begin", { volume: volume.name, size });
		return path;
	} catch (error) {
		await volume.importDataEnd(false);
		throw error;
	}
}

/** Everybody is told how it really ended. */
async function end(qube: Qube, volume: Volume, success: boolean): Promise<void> {
	let isDone = false;
	try {
		await volume.importDataEnd(success);
		isDone = success;
	} finally {
		qube.fire("domain-volume-import-end", { volume: volume.name, success: isDone });
	}
}
