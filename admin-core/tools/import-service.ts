/**
 * The services admin.vm.volume.Import and admin.vm.volume.ImportWithSize, the one part of the Admin API that is a program of its own:
 * the data do not pass through the daemon (spec 9.2, storage-reflink 9.4).
 *
 * Like every service of qrexec it is called with the argument, here the volume, and learns from QREXEC_REMOTE_DOMAIN who calls, from
 * QREXEC_REQUESTED_TARGET whose volume it is. Standard input is the data, for ImportWithSize behind a line with their size; standard
 * output is the reply as qubesd frames it.
 */
import type { Readable } from "node:stream";
import { exchange, INTERNAL_SOCKET, type Request } from "./client.ts";
import type { Run } from "./command.ts";
import { DaemonError, ForeignImageError, UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { Input } from "./input.ts";
import { writeImage } from "./write-image.ts";

/** What the first line may have in it at the most, its end included. */
const MAX_SIZE_LINE = 21;
/** What would end the service; the daemon is told first. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A reply as qubesd would frame it. */
const NO_SIZE = `2\0ProtocolError\0\0want a line with the size, at most ${MAX_SIZE_LINE} bytes long, before the data\0`;

/** The method that a service stands for: the size is that of the volume, or comes in a line before the data. */
export type ImportMethod = "admin.vm.volume.Import" | "admin.vm.volume.ImportWithSize";

/** The service as a command. Its exit status is 0 if there is a reply, be it an error, and 1 if there is none. */
export function importService(method: ImportMethod): Run {
	return async (argv, io) => {
		const stopListening = endOnSignal(io.stdin);
		try {
			const ask = connect(argv, io.env);
			const input = new Input(io.stdin);
			io.stdout.write(await importVolume(ask, input, method === "admin.vm.volume.ImportWithSize"));
			return 0;
		} catch (error) {
			io.stderr.write(`${method}: error: ${escapeControls((error as Error).message)}\n`);
			return 1;
		} finally {
			stopListening();
			// Whoever sends more than is wanted need not be heard to the end.
			io.stdin.destroy();
		}
	};
}

/** A signal ends the data, so that the import fails in the usual way. */
function endOnSignal(stdin: Readable): () => void {
	// Whoever reads it is told; but nobody may be reading just now.
	stdin.on("error", () => undefined);
	const end = (signal: NodeJS.Signals): void => {
		stdin.destroy(new Error(`ended by ${signal}`));
	};
	for (const signal of SIGNALS) process.once(signal, end);
	return () => {
		for (const signal of SIGNALS) process.off(signal, end);
	};
}

/** Asks the daemon; the bytes of its reply as text. */
type Ask = (method: string, payload: string) => Promise<string>;

function connect(argv: readonly string[], env: { readonly [name: string]: string | undefined }): Ask {
	const [argument, ...more] = argv;
	if (!argument || more.length > 0) throw new UsageError("want one argument: the volume");
	const required = (name: string): string => {
		const value = env[name];
		if (!value) throw new UsageError(`${name} is not set: this is a service of qrexec`);
		return value;
	};
	const [source, destination] = [required("QREXEC_REMOTE_DOMAIN"), required("QREXEC_REQUESTED_TARGET")];
	const socket = env["QUBESD_INTERNAL_SOCKET"] || INTERNAL_SOCKET;
	return async (method, payload) => {
		const request: Request = { source, destination, method, argument, payload };
		const reply = (await exchange(socket, request)).toString("utf8");
		if (reply === "") throw new DaemonError(`Got empty response from qubesd to ${method}; its journal says why`);
		return reply;
	};
}

/** Both halves with the data between them. The reply is that of the second one, or of the first one if it fails; without the second one it is our own. */
async function importVolume(ask: Ask, input: Input, hasSize: boolean): Promise<string> {
	const size = hasSize ? await input.line(MAX_SIZE_LINE) : "";
	// To the daemon, no size is a call of the other method, which others may be permitted.
	if (size === undefined || (hasSize && size === "")) return NO_SIZE;
	const begun = await ask("internal.vm.volume.ImportBegin", size);
	if (!begun.startsWith("0\0")) return begun;
	const outcome = await writeData(begun.slice(2), input).then(
		() => "ok",
		(error) => (error instanceof ForeignImageError ? error : `fail\n${describe(error)}`),
	);
	if (typeof outcome === "string") return ask("internal.vm.volume.ImportEnd", outcome);
	return `2\0QubesException\0\0Data import failed: ${outcome.message}\0`;
}

/** `where` is `SIZE PATH`. */
async function writeData(where: string, input: Input): Promise<void> {
	const [, size, path] = /^(\d+) (.+)$/s.exec(where) ?? [];
	if (size === undefined || path === undefined) throw new DaemonError(`qubesd answers "${where}": want SIZE PATH`);
	await writeImage(path, Number(size), input.rest());
}

/** What the caller is told: of an error of the system only its code, as a path of this machine is not its business. */
function describe(error: unknown): string {
	const { code, syscall, message } = error as NodeJS.ErrnoException;
	return escapeControls(code === undefined ? message : `${syscall ?? "input"}: ${code}`);
}
