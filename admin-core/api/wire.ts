import { AdminError } from "../model/errors.ts";

/** One request (spec 7.2). The names are as the peer wrote them, ASCII but not checked further. */
export interface Request {
	readonly method: string;
	/** Empty if there was none. */
	readonly argument: string;
	readonly source: string;
	/** `dom0` also where the peer wrote `keyword adminvm`. */
	readonly destination: string;
	readonly payload: Buffer;
}

/** Classes whose text the client takes as it is; that of all others it formats as printf does (spec 7.3). */
const VERBATIM: readonly string[] = ["ProtocolError", "PermissionDenied"];

/**
 * Reads `METHOD[+ARG] SP SOURCE SP DESTTYPE SP DEST NUL PAYLOAD` (spec 7.2). null is a framing error: the connection is closed without a reply.
 * Throws a QubesValueError where the frame is right but not ASCII: upstream is silent then, we say why (spec 12, 2).
 */
export function parseRequest(bytes: Buffer): Request | null {
	const end = bytes.indexOf(0);
	if (end < 0) return null;
	const header = bytes.toString("latin1", 0, end);
	const [call = "", source = "", type, ...rest] = header.split(" ");
	const destination = rest.length === 0 ? null : readDestination(type, rest.join(" "));
	if (destination === null) return null;
	if (/[\u0080-\u00ff]/.test(header)) throw new AdminError("QubesValueError", "header: want ASCII characters only");
	return { ...splitCall(call), source, destination, payload: bytes.subarray(end + 1) };
}

function readDestination(type: string | undefined, name: string): string | null {
	if (type === "name") return name;
	return type === "keyword" && name === "adminvm" ? "dom0" : null;
}

/** The argument starts after the first `+`; further ones are part of it. */
function splitCall(call: string): { method: string; argument: string } {
	const plus = call.indexOf("+");
	if (plus < 0) return { method: call, argument: "" };
	return { method: call.slice(0, plus), argument: call.slice(plus + 1) };
}

/** `0 NUL CONTENT`: a success (spec 7.3). */
export function encodeReply(content: string | Buffer): Buffer {
	return Buffer.concat([Buffer.from("0\0"), typeof content === "string" ? Buffer.from(content) : content]);
}

/** `2 NUL CLASSNAME NUL TRACEBACK NUL FORMAT NUL`: an error (spec 7.3). Where the client formats the text, each `%` is doubled. */
export function encodeError({ kind, message }: AdminError, traceback = ""): Buffer {
	const format = VERBATIM.includes(kind) ? message : message.replaceAll("%", "%%");
	return encodeFields("2", kind, traceback, format);
}

/** `1 NUL SUBJECT NUL EVENT NUL (KEY NUL VALUE NUL)* NUL`: an event (spec 7.5). No key is empty, since that is what ends it. */
export function encodeEvent(subject: string, event: string, pairs: readonly (readonly [key: string, value: string])[]): Buffer {
	return encodeFields("1", subject, event, ...pairs.flat(), "");
}

/** Fields of which each ends with NUL; a NUL inside of one would forge another, so it is written out. */
function encodeFields(...fields: readonly string[]): Buffer {
	return Buffer.from(fields.map((field) => `${field.replaceAll("\0", "\\x00")}\0`).join(""));
}
