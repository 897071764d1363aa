import { inspect } from "node:util";
import { log } from "../log.ts";
import { AdminError, type ErrorKind, isAdminError } from "../model/errors.ts";
import { encodeError, type Request } from "./wire.ts";

/** How much of what a client wrote gets into the log, in characters. */
const MAX_LOGGED = 400;

/** Answers to questions rather than refusals: tools ask for what may not be there, some for each qube. */
const ANSWERS: readonly ErrorKind[] = ["QubesFeatureNotFoundError", "QubesTagNotFoundError", "QubesNoSuchPropertyError"];

/**
 * The reply to a request that failed (spec 7.3, 12.2): an AdminError as it is, and for anything else, which is a defect of ours, that
 * there was one; the log has the rest. Both are logged once. `request` is null if it could not be read. `debug` sends the stack along.
 */
export function reportError(thrown: unknown, request: Request | null, debug: boolean): Buffer {
	if (isAdminError(thrown)) {
		if (!ANSWERS.includes(thrown.kind)) log("warning", `${describeRequest(request)}: ${thrown.kind}: ${cut(thrown.message)}`);
		return encodeError(thrown, debug ? thrown.stack : "");
	}
	const stack = describeThrown(thrown);
	log("error", `${describeRequest(request)}: internal error: ${stack}`);
	return encodeError(new AdminError("QubesException", "internal error, see the log of qubesd"), debug ? stack : "");
}

/** `METHOD+ARG SOURCE DEST`, for a line of the log. */
export function describeRequest(request: Request | null): string {
	if (request === null) return "request";
	const { method, argument, source, destination } = request;
	return cut(`${method}+${argument} ${source} ${destination}`);
}

/** What was thrown, with the stack if it has one. */
export function describeThrown(thrown: unknown): string {
	try {
		return thrown instanceof Error && typeof thrown.stack === "string" ? thrown.stack : inspect(thrown);
	} catch {
		// Its own methods may throw, and whoever calls this is in the middle of handling one error already.
		return "something that cannot be shown";
	}
}

function cut(text: string): string {
	return text.length <= MAX_LOGGED ? text : `${text.slice(0, MAX_LOGGED)}…`;
}
