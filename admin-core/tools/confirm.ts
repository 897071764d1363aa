import type { Io } from "./command.ts";

/** Asks a question on standard output, and waits for a `y`; everything else, and the end of the input, is a no. */
export async function confirm(io: Io, question: string): Promise<boolean> {
	io.stdout.write(`${question} [y/N] `);
	return /^y(es)?$/i.test((await readLine(io.stdin)).trim());
}

async function readLine(stdin: Io["stdin"]): Promise<string> {
	let text = "";
	for await (const chunk of stdin) {
		text += chunk.toString();
		if (text.includes("\n")) break;
	}
	return text.split("\n", 1)[0] ?? "";
}
