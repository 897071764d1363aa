import { escapeControls } from "./escape.ts";

/** Where it is shown: standard error. */
interface Screen {
	readonly isTTY?: boolean;
	write(text: string): unknown;
}

const BAR_WIDTH = 30;
/** How often a line is written again at the most, in milliseconds. */
const PAUSE = 100;

/** Tells on one line how far something long is, and removes that line in the end; silent where there is no terminal, and with `--quiet`. */
export class Progress {
	private readonly screen: Screen | null;

	constructor(screen: Screen, isQuiet: boolean) {
		this.screen = screen.isTTY === true && !isQuiet ? screen : null;
	}

	/** Passes bytes on, showing how many of `total` came through. */
	async *count(what: string, total: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		let done = 0;
		let shownAt = 0;
		try {
			for await (const chunk of chunks) {
				yield chunk;
				done += chunk.length;
				if (Date.now() - shownAt < PAUSE) continue;
				shownAt = Date.now();
				this.show(`${what} ${bar(done, total)} ${size(done)} of ${size(total)}`);
			}
		} finally {
			this.show("");
		}
	}

	/** Waits for something of which nobody knows how far it is, showing since when. */
	async during<T>(what: string, work: Promise<T>): Promise<T> {
		let seconds = 0;
		const timer = setInterval(() => {
			seconds++;
			this.show(`${what} … ${seconds} s`);
		}, 1_000);
		try {
			return await work;
		} finally {
			clearInterval(timer);
			if (seconds > 0) this.show("");
		}
	}

	/** Writes over the line that is there. */
	private show(line: string): void {
		this.screen?.write(`\r\x1b[K${escapeControls(line)}`);
	}
}

/** `[######------]  50%`; full for more than there should be. */
function bar(done: number, total: number): string {
	const share = total === 0 ? 1 : Math.min(done / total, 1);
	const full = Math.floor(share * BAR_WIDTH);
	return `[${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
}

function size(bytes: number): string {
	return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
