import { isUtf8 } from "node:buffer";
import fs from "node:fs/promises";
import { placeOf, StoreError, systemError } from "./errors.ts";
import type { Stamp } from "./replace-file.ts";

/** A file as text, without a byte order mark. Throws a StoreError: `missing`, `malformed` where it is not UTF-8, `system`. */
export async function readText(file: string): Promise<string> {
	return (await readStamped(file)).text;
}

/** A file as text, and its stamp from before it was read. Throws as readText does. */
export async function readStamped(file: string): Promise<{ readonly text: string; readonly stamp: Stamp }> {
	try {
		const handle = await fs.open(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
		try {
			const stamp = await handle.stat({ bigint: true });
			if (!stamp.isFile()) throw new StoreError("system", `${file} is no regular file: want an XML file`);
			return { text: decode(file, await handle.readFile()), stamp };
		} finally {
			await handle.close();
		}
	} catch (thrown) {
		if ((thrown as NodeJS.ErrnoException).code === "ENOENT")
			throw new StoreError("missing", `${file} is missing: make it with qubes-create`);
		throw systemError(`cannot read ${file}`, thrown);
	}
}

function decode(file: string, bytes: Buffer): string {
	const text = bytes.toString("utf8");
	if (isUtf8(bytes)) return text.replace(/^\ufeff/, "");
	const again = Buffer.from(text);
	const wrong = bytes.findIndex((byte, index) => byte !== again[index]);
	const before = bytes.subarray(0, wrong).toString("utf8");
	throw new StoreError("malformed", "bytes that are no UTF-8: want UTF-8", placeOf({ file, text: before }, before.length));
}
