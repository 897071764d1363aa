import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import type { Run } from "../../../admin-core/tools/command.ts";
import { FakeServer, reply } from "../../support/fake-server.ts";

/** Bytes that answer a call. */
export type Answer = { readonly bytes: string };

/** Success, with this content. */
export function ok(content = ""): Answer {
	return { bytes: `0\0${content}` };
}

/** An exception, as the daemon frames it. */
export function fail(kind: string, format: string, ...args: readonly string[]): Answer {
	return { bytes: `2\0${[kind, "", format, ...args].map((part) => `${part}\0`).join("")}` };
}

/** The connection is closed without a word. */
export const NOTHING: Answer = { bytes: "" };

/** What is answered to which call; the calls as they are written down: `DEST: METHOD+ARG <PAYLOAD>`. A text is the content of a success. */
export type Answers = { readonly [call: string]: string | Answer };

/** Six qubes, as `admin.vm.List` tells of them. */
export const LIST = `dom0 class=AdminVM state=Running uuid=00000000-0000-0000-0000-000000000000
debian class=TemplateVM state=Halted uuid=00000000-0000-0000-0000-000000000001
sys-firewall class=AppVM state=Running uuid=00000000-0000-0000-0000-000000000002
sys-net class=AppVM state=Running uuid=00000000-0000-0000-0000-000000000003
vault class=AppVM state=Halted uuid=00000000-0000-0000-0000-000000000004
work class=AppVM state=Paused uuid=00000000-0000-0000-0000-000000000005
`;

/** What came of one run of a command. */
export interface Outcome {
	readonly status: number;
	readonly out: string;
	readonly err: string;
	/** The calls in their order, as in spec 11; `L` is the list of all qubes. */
	readonly calls: readonly string[];
}

/** What is around a command besides the daemon. */
export interface Around {
	readonly env?: { readonly [name: string]: string };
	/** Whether standard error is a terminal. */
	readonly isTTY?: boolean;
}

/** Runs a command in process against a daemon that answers from a table, `L` included, on its one socket for all methods. */
export async function runTool(
	run: Run,
	argv: readonly string[],
	answers: Answers = {},
	stdin = "",
	{ env = {}, isTTY = false }: Around = {},
): Promise<Outcome> {
	const folder = await fs.mkdtemp(path.join(os.tmpdir(), "tools-"));
	const socket = path.join(folder, "qubesd.sock");
	const all: Answers = { L: LIST, ...answers };
	const server = await FakeServer.listen(
		socket,
		reply((request) => {
			const answer = all[writeDown(request)] ?? fail("ProtocolError", `not in the table: ${writeDown(request)}`);
			return typeof answer === "string" ? ok(answer).bytes : answer.bytes;
		}),
	);
	try {
		const outcome = await runWith(run, argv, { ...env, QUBESD_SOCKET: socket, QUBESD_INTERNAL_SOCKET: socket }, stdin, isTTY);
		return { ...outcome, calls: server.requests.map(writeDown) };
	} finally {
		server.close();
		await fs.rm(folder, { recursive: true });
	}
}

/** Runs a command in process with this environment. */
export async function runWith(
	run: Run,
	argv: readonly string[],
	env: { readonly [name: string]: string },
	stdin = "",
	isTTY = false,
): Promise<Omit<Outcome, "calls">> {
	let out = "";
	let err = "";
	const status = await run(argv, {
		stdout: { write: (text: string) => (out += text) },
		stderr: { write: (text: string) => (err += text), isTTY },
		stdin: Readable.from(stdin === "" ? [] : [Buffer.from(stdin)]),
		env,
		programs: path.resolve("dist/lib"),
	});
	return { status, out, err };
}

/** A request in the notation of spec 11; what is not framed as 7.2 wants it stays as it came. */
function writeDown(request: string): string {
	const [whole, method, argument, destination, payload] =
		/^([^\0+ ]+)\+([^\0 ]*) dom0 name ([^\0 ]+)\0([\s\S]*)$/.exec(request) ?? [];
	if (whole === undefined) return request;
	const call = `${destination}: ${method}${argument === "" ? "" : `+${argument}`}${payload === "" ? "" : ` <${payload}>`}`;
	return call === "dom0: admin.vm.List" ? "L" : call;
}
