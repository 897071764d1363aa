import { INTERNAL_SOCKET, QUBESD_SOCKET, Qubesd } from "./client.ts";
import type { Io } from "./command.ts";
import { UsageError } from "./errors.ts";
import { startDaemon } from "./own-daemon.ts";

/** The daemon that a command speaks to. */
export interface Connection {
	readonly qubesd: Qubesd;
	/** Where it listens for `internal.*`. */
	readonly internalSocket: string;
	/** To be called when the command is through; also ends a daemon that was started for it. */
	readonly close: () => Promise<void>;
}

/**
 * The daemon that runs, or with `store` one that is started for this command alone. Throws UsageError, and DaemonError if that one does
 * not start.
 */
export async function openConnection(
	io: Io,
	options: { readonly socket?: string | undefined; readonly store?: string | undefined; readonly verbose?: boolean | undefined },
): Promise<Connection> {
	const { socket, store, verbose = false } = options;
	if (store !== undefined) {
		if (socket !== undefined) throw new UsageError("--store and --socket exclude each other");
		return startDaemon(store, io, verbose);
	}
	return {
		qubesd: new Qubesd(socket ?? (io.env["QUBESD_SOCKET"] || QUBESD_SOCKET)),
		internalSocket: io.env["QUBESD_INTERNAL_SOCKET"] || INTERNAL_SOCKET,
		close: async () => undefined,
	};
}
