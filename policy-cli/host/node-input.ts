import { decode, hostError } from "./node-files.ts";

const NAME = "standard input";

/** See Host.readInput. */
export function readInput(maxBytes: number): Promise<string> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	return new Promise<Buffer>((resolve, reject) => {
		process.stdin.on("error", (thrown) => reject(hostError(thrown, "read", NAME)));
		process.stdin.on("end", () => resolve(Buffer.concat(chunks)));
		process.stdin.on("data", (chunk: Buffer) => {
			chunks.push(chunk);
			bytes += chunk.length;
			if (bytes <= maxBytes) return;
			process.stdin.destroy();
			reject({ code: "EFBIG", operation: "read", path: NAME });
		});
	}).then((text) => decode(text, NAME));
}
