// The clients of the measurement of qubesd: good ones, a slow one, one with garbage, and one that listens.
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../policy-cli/core/random.ts";

/** How many qubes there are, besides dom0 and a template. */
export const QUBES = 500;
/** Those of each qube, sorted. */
export const TAGS = ["audiovm-dom0", "created-by-dom0", "guivm-dom0", "work"];

/** The name of a qube, from 1 on. */
export function nameOf(index: number): string {
	return `qube-${index}`;
}

/** One call; what came back until the daemon closed the connection. */
export async function call(path: string, request: string | Buffer): Promise<string> {
	const socket = net.connect({ path, allowHalfOpen: true });
	const chunks: Buffer[] = [];
	socket.on("data", (chunk) => chunks.push(chunk));
	socket.on("error", () => undefined);
	socket.on("end", () => socket.end());
	socket.end(request);
	await once(socket, "close");
	return Buffer.concat(chunks).toString("latin1");
}

/** One that works with a qube of its own, so that it knows what the answers have to be. */
export class Client {
	/** What a listener has to be told of, in this order. */
	readonly changes: string[] = [];
	private readonly path: string;
	private readonly qube: string;
	private readonly random: Random;
	private memory = "400";
	private readonly features = new Map<string, string>();

	constructor(path: string, index: number) {
		this.path = path;
		this.qube = nameOf(index);
		this.random = new Random(index);
	}

	/** Makes a call; whether the answer is right. */
	async next(): Promise<boolean> {
		const kind = this.random.int(10);
		if (kind === 0) return this.list();
		if (kind <= 2) return this.setFeature();
		if (kind === 3) return this.setMemory();
		if (kind <= 5) return this.getFeature();
		if (kind <= 7) return this.ask("admin.vm.property.Get+memory", "", `default=False type=int ${this.memory}`);
		return this.ask("admin.vm.tag.List", "", TAGS.map((tag) => `${tag}\n`).join(""));
	}

	private async list(): Promise<boolean> {
		const reply = await call(this.path, "admin.vm.List+ dom0 name dom0\0");
		// Each qube is in it, dom0 and the template too, and nothing else.
		return reply.startsWith("0\0dom0 class=AdminVM ") && reply.split("\n").length === QUBES + 3;
	}

	private async setFeature(): Promise<boolean> {
		const [name, value] = [`f${this.random.int(5)}`, String(this.random.int(1_000_000))];
		const old = this.features.get(name);
		this.features.set(name, value);
		this.changes.push(`${this.qube} domain-feature-set:${name} ${value} ${old ?? ""}`.trim());
		return this.ask(`admin.vm.feature.Set+${name}`, value, "");
	}

	private async setMemory(): Promise<boolean> {
		const [old, value] = [this.memory, String(400 + this.random.int(1_000))];
		this.memory = value;
		this.changes.push(`${this.qube} property-set:memory ${value} ${old}`);
		return this.ask("admin.vm.property.Set+memory", value, "");
	}

	private getFeature(): Promise<boolean> {
		const [name, value] = this.random.pick([...this.features, ["service.feature-0", ""], ["service.feature-1", "1"]] as const);
		return this.ask(`admin.vm.feature.Get+${name}`, "", value);
	}

	private async ask(method: string, payload: string, wanted: string): Promise<boolean> {
		return (await call(this.path, `${method} dom0 name ${this.qube}\0${payload}`)) === `0\0${wanted}`;
	}
}

/** Sends a request one byte at a time, and the rest when it is asked to end; where the daemon has lost patience, it begins again. */
export class SlowClient {
	private readonly path: string;
	private readonly request: string;
	private readonly dripping: NodeJS.Timeout;
	private socket: net.Socket;
	private sent = 0;
	private received = "";

	constructor(path: string, request: string) {
		this.path = path;
		this.request = request;
		this.socket = this.connect();
		this.dripping = setInterval(() => this.drip(), 200);
	}

	/** The reply. */
	async end(): Promise<string> {
		clearInterval(this.dripping);
		this.socket.removeAllListeners("close");
		this.socket.end(this.request.slice(this.sent));
		await once(this.socket, "close");
		return this.received;
	}

	private connect(): net.Socket {
		const socket = net.connect({ path: this.path, allowHalfOpen: true });
		this.sent = 0;
		socket.on("data", (chunk) => {
			this.received += chunk.toString("latin1");
		});
		socket.on("error", () => undefined);
		socket.on("close", () => {
			this.socket = this.connect();
		});
		return socket;
	}

	private drip(): void {
		// The last byte is for the end.
		if (this.sent + 1 < this.request.length) this.socket.write(this.request.charAt(this.sent++));
	}
}

/** Connects over and over and sends what is no request, or too long for one; `end` gives how often. */
export function sendGarbage(path: string, random: Random): { end(): Promise<number> } {
	let isEnding = false;
	let count = 0;
	const sending = (async () => {
		while (!isEnding) {
			const bytes = Buffer.from(Array.from({ length: random.int(2_000) }, () => random.int(256)));
			await call(path, random.oneIn(10) ? Buffer.alloc(100_000, bytes) : bytes);
			count++;
		}
		return count;
	})();
	return {
		end() {
			isEnding = true;
			return sending;
		},
	};
}

/** One that is told of all events, and knows of which it has to be. */
export class Listener {
	/** How many changes it has to be told of. */
	expected = 0;
	private readonly socket: net.Socket;
	/** By the qube, `QUBE EVENT NEW [OLD]` in the order of their coming. */
	private readonly told = new Map<string, string[]>();
	private readonly wanted: (readonly string[])[] = [];
	private unread = "";

	private constructor(path: string) {
		this.socket = net.connect({ path, allowHalfOpen: true });
		this.socket.on("data", (chunk) => this.read(chunk.toString("latin1")));
	}

	static async open(path: string): Promise<Listener> {
		const listener = new Listener(path);
		listener.socket.end("admin.Events+ dom0 name dom0\0");
		while (!listener.told.has("")) await sleep(5);
		return listener;
	}

	/** Says what changed of one qube, in this order. */
	expect(changes: readonly string[]): void {
		this.wanted.push(changes);
		this.expected += changes.length;
	}

	/** How many of the changes are missing, there too often, or not in their place. */
	async end(): Promise<number> {
		const isAllThere = (): boolean => this.wanted.every((changes) => this.of(changes).length >= changes.length);
		for (let waited = 0; !isAllThere() && waited < 5_000; waited += 50) await sleep(50);
		this.socket.destroy();
		const faults = this.wanted.map((changes) => {
			const told = this.of(changes);
			const most = Math.max(told.length, changes.length);
			return Array.from({ length: most }, (_, index) => Number(told[index] !== changes[index])).reduce((a, b) => a + b, 0);
		});
		return faults.reduce((a, b) => a + b, 0);
	}

	private of([first = ""]: readonly string[]): readonly string[] {
		return this.told.get(first.split(" ")[0] as string) ?? [];
	}

	/** Frames are `1 SUBJECT EVENT (KEY VALUE)*` with an empty field at the end, all ended by NUL. */
	private read(text: string): void {
		const fields = `${this.unread}${text}`.split("\0");
		let start = 0;
		for (let end = frameEnd(fields, start); end !== null; end = frameEnd(fields, start)) {
			this.take(fields.slice(start + 1, end));
			start = end + 1;
		}
		this.unread = fields.slice(start).join("\0");
	}

	private take([subject = "", event = "", ...pairs]: readonly string[]): void {
		const args = new Map(Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[2 * i], pairs[2 * i + 1]]));
		const isChange = event.startsWith("domain-feature-set:") || event.startsWith("property-set:");
		const text = [subject, event, args.get("newvalue") ?? args.get("value"), args.get("oldvalue")].filter(
			(one) => one !== undefined,
		);
		const list = this.told.get(subject) ?? [];
		this.told.set(subject, list);
		if (isChange) list.push(text.join(" "));
	}
}

/** The index of the empty field that ends a frame, null if it has not come. */
function frameEnd(fields: readonly string[], start: number): number | null {
	for (let at = start + 3; at < fields.length - 1; at += 2) if (fields[at] === "") return at;
	return null;
}
