/** The command line is wrong, or names a qube or a property that is not there: usage and message, exit status 2 (spec 10.1). */
export class UsageError extends Error {}

/** The daemon was not reached, or what it said is no reply: exit status 1. */
export class DaemonError extends Error {}

/** The daemon closed the connection without a word, which is how it tells of a defect of its own (spec 7.3). */
export class EmptyReplyError extends DaemonError {
	constructor() {
		super("Got empty response from qubesd; its journal says why");
	}
}

/** Something on this machine failed, such as a file or a program: exit status 1. */
export class LocalError extends Error {}

/** The image of an import is no longer ours: the import was cancelled, and another one has begun, whose end is not for us to tell. */
export class ForeignImageError extends Error {}

/** The daemon answered with an exception (spec 7.3): exit status 1, unless a command knows what it means. */
export class RemoteError extends Error {
	/** The name of its class, as sent: what commands may look at, the text is for people only. */
	readonly kind: string;

	constructor(kind: string, message: string) {
		super(message);
		this.kind = kind;
	}
}

/** Whether the daemon answered with one of these kinds of exception. */
export function isRemote(error: unknown, ...kinds: readonly string[]): error is RemoteError {
	return error instanceof RemoteError && kinds.includes(error.kind);
}

/** Waits for a call; undefined where the daemon answers with one of these kinds of exception. */
export async function unlessRemote<T>(call: Promise<T>, ...kinds: readonly string[]): Promise<T | undefined> {
	try {
		return await call;
	} catch (error) {
		if (isRemote(error, ...kinds)) return undefined;
		throw error;
	}
}
