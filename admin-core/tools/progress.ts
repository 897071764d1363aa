import { escapeControls } from "./escape.ts";

/** Where it is shown: standard error. */
interface Screen {
	readonly isTTY?: boolean;
	write(text: string): unknown;
}

/** Shows that so many bytes of `total` are done. */
export type Show = (done: number, total: number) => void;

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
				this.showBar(what, done, total);
			}
		} finally {
			this.show("");
		}
	}

	/**
	 * Does something that may take long, showing since when, or how far it is once that is told. Where there is somebody to see it, `follow` is called before:
	 * it is given how to tell, and gives back how to end that.
	 */
	async during<T>(what: string, work: () => Promise<T>, follow: (show: Show) => () => void): Promise<T> {
		let seconds = 0;
		let isTold = false;
		const leave =
			this.screen === null
				? null
				: follow((done, total) => {
						isTold = true;
						this.showBar(what, done, total);
					});
		const timer = setInterval(() => {
			seconds++;
			if (!isTold) this.show(`${what} … ${seconds} s`);
		}, 1_000);
		try {
			return await work();
		} finally {
			leave?.();
			clearInterval(timer);
			if (isTold || seconds > 0) this.show("");
		}
	}

	private showBar(what: string, done: number, total: number): void {
		this.show(`${what} ${bar(done, total)} ${size(done)} of ${size(total)}`);
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
