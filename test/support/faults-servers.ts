import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import { createInterface } from "node:readline";

/** What a server answers to a whole request; null just closes. */
export type Respond = (request: string) => string | null;

/** A server on a unix socket: reads until the other side has said all, answers, closes. */
export function serve(socketPath: string, respond: Respond): Promise<net.Server> {
	const server = net.createServer({ allowHalfOpen: true }, (socket) => {
		let request = "";
		socket.on("data", (chunk) => {
			request += chunk.toString("latin1");
		});
		socket.on("end", () => {
			socket.end(respond(request) ?? "");
		});
		// The program may be gone already.
		socket.on("error", () => undefined);
	});
	return new Promise((resolve, reject) => {
		server.on("error", reject);
		server.listen(socketPath, () => resolve(server.unref()));
	});
}

/** Node has no datagram sockets of this kind. A line of input is a number: what came at that socket is printed. */
const LOG_SCRIPT = `
import json, socket, sys
sockets = []
for path in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.setblocking(False)
    sockets.append(s)
print("ready", flush=True)
for line in sys.stdin:
    found = []
    try:
        while True:
            found.append(sockets[int(line)].recv(1 << 20).decode("latin1"))
    except BlockingIOError:
        pass
    print(json.dumps(found), flush=True)
`;

/** System logs on several sockets. */
export class LogSockets {
	private readonly child: ChildProcess;
	private readonly waiting: ((line: string) => void)[] = [];

	private constructor(paths: readonly string[]) {
		this.child = spawn("python3", ["-c", LOG_SCRIPT, ...paths], { stdio: ["pipe", "pipe", "inherit"] });
		createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => this.waiting.shift()?.(line));
	}

	static async open(paths: readonly string[]): Promise<LogSockets> {
		const logs = new LogSockets(paths);
		await new Promise<string>((resolve) => logs.waiting.push(resolve));
		return logs;
	}

	/** What came to a socket since the last time, each without its NUL at the end. */
	async drain(index: number): Promise<string[]> {
		const line = await new Promise<string>((resolve) => {
			this.waiting.push(resolve);
			this.child.stdin?.write(`${index}\n`);
		});
		return (JSON.parse(line) as string[]).map((text) => text.replace(/\0$/, ""));
	}

	close(): void {
		this.child.stdin?.end();
	}
}
