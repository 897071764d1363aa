// Writing what is imported: spec/storage-reflink.md 9.4.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { ForeignImageError, LocalError } from "../../../admin-core/tools/errors.ts";
import { writeImage } from "../../../admin-core/tools/write-image.ts";
import { chooseSeed, Random } from "../../policy-cli/core/random.ts";

const BLOCK = 4096;

/** A file that is all hole, of so many bytes, or with this content. */
function image(t: ExecutionContext, content: number | Buffer): string {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-"));
	t.teardown(() => fs.rmSync(folder, { recursive: true }));
	const file = path.join(folder, "private-import.img");
	fs.writeFileSync(file, typeof content === "number" ? "" : content);
	if (typeof content === "number") fs.truncateSync(file, content);
	return file;
}

/** Bytes in pieces of so many. */
async function* pieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
	for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** Blocks of zeros (a blank) and of a letter. */
function blocks(text: string): Buffer {
	return Buffer.concat([...text].map((letter) => Buffer.alloc(BLOCK, letter === " " ? 0 : letter)));
}

for (const length of [1 << 20, BLOCK, BLOCK - 1, 1000]) {
	test(`writeImage() writes pieces of ${length} bytes and leaves zeros as holes`, async (t) => {
		const bytes = Buffer.concat([blocks(`a${" ".repeat(300)}b  c${" ".repeat(300)}`), Buffer.from("\0\0end\0")]);
		const file = image(t, bytes.length);
		await writeImage(file, bytes.length, pieces(bytes, length));
		t.true(fs.readFileSync(file).equals(bytes));
		t.true(fs.statSync(file).blocks * 512 <= 16 * BLOCK, `${fs.statSync(file).blocks} blocks`);
	});
}

test("random data come through in pieces of any size", async (t) => {
	const seed = chooseSeed();
	t.log(`QUBES_TEST_SEED=${seed}`);
	const random = new Random(seed);
	for (let round = 0; round < 30; round++) {
		const bytes = Buffer.concat(Array.from({ length: random.int(40) }, () => Buffer.alloc(random.int(3 * BLOCK), random.int(3))));
		const file = image(t, bytes.length);
		await writeImage(file, bytes.length, pieces(bytes, 1 + random.int(3 * BLOCK)));
		t.true(fs.readFileSync(file).equals(bytes), `round ${round}`);
	}
});

test("what is no hole is written over with zeros", async (t) => {
	const file = image(t, blocks("xxxx"));
	await writeImage(file, 4 * BLOCK, pieces(blocks("a  b"), BLOCK));
	t.true(fs.readFileSync(file).equals(blocks("a  b")));
});

test("nothing is fine where nothing is wanted", async (t) => {
	const file = image(t, 0);
	await writeImage(file, 0, pieces(Buffer.alloc(0), 1));
	t.is(fs.statSync(file).size, 0);
});

for (const [given, message] of [
	[3 * BLOCK - 1, `not enough data: got ${3 * BLOCK - 1} of ${3 * BLOCK} bytes`],
	[0, `not enough data: got 0 of ${3 * BLOCK} bytes`],
	[3 * BLOCK + 1, `too much data: want ${3 * BLOCK} bytes`],
	[30 * BLOCK, `too much data: want ${3 * BLOCK} bytes`],
] as const) {
	test(`${given} bytes for ${3 * BLOCK} are an error, and the file keeps its length`, async (t) => {
		const file = image(t, 3 * BLOCK);
		const bytes = Buffer.alloc(given, "x");
		await t.throwsAsync(writeImage(file, 3 * BLOCK, pieces(bytes, BLOCK)), { instanceOf: LocalError, message });
		t.is(fs.statSync(file).size, 3 * BLOCK);
	});
}

for (const [what, given] of [
	["in full", 3 * BLOCK],
	["in part", BLOCK],
] as const) {
	test(`a file that another one took the place of is not ours, written ${what}; one that is gone is gone`, async (t) => {
		const bytes = Buffer.alloc(given, "x");
		const [replaced, gone] = [image(t, 3 * BLOCK), image(t, 3 * BLOCK)];
		await t.throwsAsync(
			writeImage(
				replaced,
				3 * BLOCK,
				endedBy(bytes, () => replace(replaced, 3 * BLOCK)),
			),
			{ instanceOf: ForeignImageError, message: "the import was cancelled by a start or a removal, and another one has begun" },
		);
		t.deepEqual([fs.statSync(replaced).size, fs.statSync(replaced).blocks], [3 * BLOCK, 0]);
		await t.throwsAsync(
			writeImage(
				gone,
				3 * BLOCK,
				endedBy(bytes, () => fs.rmSync(gone)),
			),
			{ instanceOf: LocalError, message: "the image is gone: a start or a removal cancels an import" },
		);
	});
}

/** Bytes, and what is done when they have been taken. */
async function* endedBy(bytes: Buffer, act: () => void): AsyncGenerator<Buffer> {
	yield bytes;
	act();
}

/** As a cancelled import is followed by another one. */
function replace(file: string, size: number): void {
	fs.rmSync(file);
	fs.writeFileSync(file, "");
	fs.truncateSync(file, size);
}

test("a file that is not there is not made", async (t) => {
	const file = `${image(t, 0)}.other`;
	await t.throwsAsync(writeImage(file, 1, pieces(Buffer.alloc(1), 1)), { code: "ENOENT" });
	t.false(fs.existsSync(file));
});
