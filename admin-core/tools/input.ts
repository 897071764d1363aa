/** A stream of bytes, of which the first line can be read on its own. */
export class Input {
	private readonly chunks: AsyncIterator<Uint8Array>;
	/** What was read and not given out. */
	private left: Uint8Array = Buffer.alloc(0);

	constructor(stream: AsyncIterable<Uint8Array>) {
		this.chunks = stream[Symbol.asyncIterator]();
	}

	/** The first line without its end; undefined if that is not among the first `max` bytes. */
	async line(max: number): Promise<string | undefined> {
		for (;;) {
			const end = this.left.indexOf(0x0a);
			if (end >= max || (end < 0 && this.left.length >= max)) return undefined;
			if (end >= 0) {
				const line = Buffer.from(this.left.subarray(0, end)).toString("latin1");
				this.left = this.left.subarray(end + 1);
				return line;
			}
			const next = await this.chunks.next();
			if (next.done === true) return undefined;
			this.left = Buffer.concat([this.left, next.value]);
		}
	}

	/** All that follows. */
	async *rest(): AsyncGenerator<Uint8Array> {
		if (this.left.length > 0) yield this.left;
		for (;;) {
			const next = await this.chunks.next();
			if (next.done === true) return;
			yield next.value;
		}
	}
}
