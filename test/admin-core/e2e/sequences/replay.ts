import test, { type ExecutionContext } from "ava";
import type { House } from "../house.ts";

/**
 * A call as in spec 11, `DESTINATION: METHOD+ARGUMENT <PAYLOAD>`, and the content of its reply, or `!CLASS MESSAGE` of the error. `DIR` is the folder
 * of the house; what a group of a pattern was named for is `$NAME` in later steps.
 */
export type Step = readonly [call: string, reply: string | RegExp];

/** A reply that is an error of this class; its text is free (spec 12, decided 6). */
export function errorOf(kind: string): RegExp {
	return new RegExp(`^2\\0${kind}\\0\\0[^\\0]+\\0$`);
}

/** Plays calls one after the other, in the bytes that the Python client sends, and compares the bytes that come back. */
export async function replay(t: ExecutionContext, house: House, steps: readonly Step[]): Promise<void> {
	const known = new Map<string, string>();
	const fill = (text: string): string =>
		text.replaceAll("DIR", house.dir).replace(/\$([a-z]+)/g, (all, name) => known.get(name) ?? all);
	for (const [call, wanted] of steps) {
		const { method, request } = requestOf(fill(call));
		const socket = method.startsWith("internal.") ? "internal.sock" : "qubesd.sock";
		const got = Buffer.from(await house.call(request, socket), "latin1").toString("utf8");
		if (typeof wanted === "string") t.is(got, fill(replyOf(wanted)), call);
		else t.regex(got, wanted, call);
		const groups = wanted instanceof RegExp ? wanted.exec(got)?.groups : undefined;
		for (const [name, value] of Object.entries(groups ?? {})) known.set(name, value);
	}
}

/** A test for each sequence, by the tool whose calls these are, each on a house of its own. */
export function testSequences(
	open: (t: ExecutionContext) => Promise<House>,
	sequences: { readonly [tool: string]: readonly Step[] },
): void {
	for (const [tool, steps] of Object.entries(sequences)) {
		test(`${tool}: its calls are answered as the Python client wants them`, async (t) => {
			await replay(t, await open(t), steps);
		});
	}
}

function requestOf(call: string): { method: string; request: string } {
	const [, destination, method, payload = ""] = /^(\S+): ([^ ]+)(?: <(.*)>)?$/s.exec(call) as unknown as [string, string, string];
	// The client always writes the plus.
	const header = method.includes("+") ? method : `${method}+`;
	return { method, request: `${header} dom0 name ${destination}\0${payload}` };
}

function replyOf(wanted: string): string {
	const error = /^!(\w+) (.*)$/s.exec(wanted);
	return error === null ? `0\0${wanted}` : `2\0${error[1]}\0\0${error[2]}\0`;
}
