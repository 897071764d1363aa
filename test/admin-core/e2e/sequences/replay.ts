import type { ExecutionContext } from "ava";
import type { House } from "../house.ts";

/** A call as in spec 11, `DESTINATION: METHOD+ARGUMENT <PAYLOAD>`, and the content of its reply, or `!CLASS MESSAGE` of the error. */
export type Step = readonly [call: string, reply: string | RegExp];

/** Plays calls one after the other, in the bytes that the Python client sends, and compares the bytes that come back. */
export async function replay(t: ExecutionContext, house: House, steps: readonly Step[], socket?: string): Promise<void> {
	for (const [call, wanted] of steps) {
		const got = Buffer.from(await house.call(requestOf(call), socket), "latin1").toString("utf8");
		if (typeof wanted === "string") t.is(got, replyOf(wanted), call);
		else t.regex(got, wanted, call);
	}
}

function requestOf(call: string): string {
	const [, destination, method, payload = ""] = /^([^:]+): ([^ ]+)(?: <(.*)>)?$/s.exec(call) as unknown as string[];
	// The client always writes the plus.
	const header = (method as string).includes("+") ? method : `${method}+`;
	return `${header} dom0 name ${destination}\0${payload}`;
}

function replyOf(wanted: string): string {
	const error = /^!(\w+) (.*)$/s.exec(wanted);
	return error === null ? `0\0${wanted}` : `2\0${error[1]}\0\0${error[2]}\0`;
}
