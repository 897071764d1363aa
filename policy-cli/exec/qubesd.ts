import { describeFileError, isFileError } from "../core/files.ts";
import type { Host } from "../host/host.ts";

/** More than this is no honest answer, in bytes. */
const MAX_ANSWER_BYTES = 16 << 20;

/** What qubesd answered (spec 4.1), or that it did not: then `type` is null. */
export type QubesdAnswer =
	| { readonly ok: true; readonly data: string }
	| { readonly ok: false; readonly type: string | null; readonly message: string };

/** Starts a call of the qubesd protocol; `destination` is dom0, a qube's name or `uuid:UUID`. Returns a handle. */
export function startQubesdCall(host: Host, socket: string, method: string, destination: string, payload = ""): number {
	return host.startCall(socket, `${method}+ dom0 name ${destination}\0${payload}`);
}

/** Waits for the answer; never throws for what qubesd or the socket does. */
export function finishQubesdCall(host: Host, handle: number, seconds: number): QubesdAnswer {
	let answer: string;
	try {
		answer = host.finishCall(handle, seconds, MAX_ANSWER_BYTES);
	} catch (error) {
		if (!isFileError(error)) throw error;
		return { ok: false, type: null, message: `qubesd: ${describeFileError(error)}` };
	}
	if (answer.startsWith("0\0")) return { ok: true, data: answer.slice(2) };
	const [status, type, , format, ...rest] = answer.split("\0");
	// TYPE, TRACEBACK and FORMAT each end with a NUL, and so does the status.
	if (status !== "2" || type === undefined || format === undefined || rest.length === 0) {
		return { ok: false, type: null, message: "qubesd: the answer is not one of the protocol" };
	}
	return { ok: false, type, message: `qubesd refused: ${type}` };
}
