import type net from "node:net";
import { log } from "../log.ts";
import type { EventArgs } from "../model/events/handler-table.ts";
import { formatEventValue } from "./event-value.ts";
import { describeThrown } from "./report-error.ts";
import { encodeEvent } from "./wire.ts";

/** How often we look whether a listener is still there, in milliseconds. */
const PROBE_INTERVAL = 1_000;

/**
 * Events on their way to one listener (spec 7.5). It is made when the request has ended, and tells the listener that it is connected.
 *
 * Nothing here throws or waits, so that it can be used by handlers of events: what cannot be sent is dropped, a listener that does not
 * read with it. That happens when more than `maxUnsent` bytes wait; what the kernel holds does not count.
 */
export class EventStream {
	private readonly socket: net.Socket;
	private readonly maxUnsent: number;
	private readonly probing: NodeJS.Timeout;
	private closeListeners: (() => void)[] = [];
	/** Whether events are sent. */
	private isOpen = true;
	private isClosed = false;

	constructor(socket: net.Socket, maxUnsent: number) {
		this.socket = socket;
		this.maxUnsent = maxUnsent;
		this.probing = setInterval(() => this.probe(), PROBE_INTERVAL).unref();
		socket.on("error", () => undefined);
		socket.on("close", () => this.closed());
		if (socket.destroyed) this.closed();
		else this.write(encodeEvent("", "connection-established", []));
	}

	/** Sends an event: the subject is the name of a qube, empty for the app; the arguments go in their order. Does nothing once it is closed. */
	send(subject: string, event: string, args: EventArgs = {}): void {
		if (!this.isOpen) return;
		try {
			const pairs = Object.entries(args).map(([key, value]) => [key, formatEventValue(value)] as const);
			this.write(encodeEvent(subject, event, pairs));
		} catch (thrown) {
			log("error", `cannot send event "${event}" of "${subject}" to a listener: ${describeThrown(thrown)}`);
		}
	}

	/** Closes the connection when all that was sent is written. */
	end(): void {
		this.isOpen = false;
		this.socket.end();
	}

	/**
	 * Calls back once when the connection is closed, by whoever it is; at once if it is already. Never while an event is being sent, so that
	 * handlers can be removed then.
	 */
	onClose(listener: () => void): void {
		if (this.isClosed) call(listener);
		else this.closeListeners.push(listener);
	}

	private write(frame: Buffer): void {
		const unsent = this.socket.writableLength + frame.length;
		if (unsent <= this.maxUnsent) {
			this.socket.write(frame);
			return;
		}
		log("warning", `a listener of events is dropped: it does not read, and ${unsent} bytes wait for it`);
		this.isOpen = false;
		this.socket.destroy();
	}

	/**
	 * The listener has shut its writing side, so that there is nothing left to read, and neither the system nor Node says when it is gone;
	 * a write of no bytes fails then, and the connection closes. A write that still waits notices by itself.
	 */
	private probe(): void {
		if (this.isOpen && this.socket.writableLength === 0) this.socket.write("");
	}

	private closed(): void {
		this.isOpen = false;
		this.isClosed = true;
		clearInterval(this.probing);
		for (const listener of this.closeListeners) call(listener);
		this.closeListeners = [];
	}
}

function call(listener: () => void): void {
	try {
		listener();
	} catch (thrown) {
		log("error", `after a listener of events was gone: ${describeThrown(thrown)}`);
	}
}
