import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Node has no unix datagrams. Each line `ORDER PATH` of input is answered by one JSON line. */
const SCRIPT = `
import json, socket, sys
sockets = {}
def drain(path):
    found = []
    try:
        while True:
            found.append(sockets[path].recv(1 << 20).decode("latin1"))
    except BlockingIOError:
        return found
def fill(path):
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    try:
        while True:
            sender.sendto(b"full", path)
    except BlockingIOError:
        return []
def open(path):
    sockets[path] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sockets[path].bind(path)
    sockets[path].setblocking(False)
    return []
for line in sys.stdin:
    order, path = line.rstrip("\\n").split(" ", 1)
    print(json.dumps({"open": open, "drain": drain, "fill": fill}[order](path)), flush=True)
`;

/** One helper process serves all logs of a test file. */
let helper: ChildProcess | null = null;
const waiting: ((datagrams: string[]) => void)[] = [];

/** A system log: a unix datagram socket that keeps what comes. */
export class LogSocket {
	private readonly path: string;

	private constructor(path: string) {
		this.path = path;
	}

	static async open(path: string): Promise<LogSocket> {
		await order("open", path);
		return new LogSocket(path);
	}

	/** The datagrams that came since the last time, one character for each byte. What a program sent before it ended is there. */
	drain(): Promise<string[]> {
		return order("drain", this.path);
	}

	/** Leaves no room for another datagram. */
	async fill(): Promise<void> {
		await order("fill", this.path);
	}
}

/** A datagram without what only the transport adds: the header of `logger` (Node) and the NUL at the end (native). */
export function plainLine(datagram: string): string {
	return datagram.replace(/^(<\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d qrexec: /, "$1").replace(/\0$/, "");
}

function order(name: string, path: string): Promise<string[]> {
	helper ??= startHelper();
	return new Promise((resolve) => {
		waiting.push(resolve);
		helper?.stdin?.write(`${name} ${path}\n`);
	});
}

function startHelper(): ChildProcess {
	const child = spawn("python3", ["-c", SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
	createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
		waiting.shift()?.(JSON.parse(line) as string[]);
	});
	// It ends with its input, that is with us.
	child.unref();
	for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref();
	return child;
}
