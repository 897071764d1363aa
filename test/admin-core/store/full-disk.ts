// Fills the small file system that it is given, for a test: `full-disk.mjs FOLDER` prints as JSON what became of the store.
import fs from "node:fs";
import path from "node:path";
import { StoreError } from "../../../admin-core/store/errors.ts";
import { StoreFile } from "../../../admin-core/store/store-file.ts";
import { numbered, numberOf } from "./numbered.ts";

const folder = process.argv[2] as string;
const file = path.join(folder, "qubes.xml");
const store = await StoreFile.open(file);
await store.save(numbered(1));
await store.close();

const session = await StoreFile.open(file);
await session.load();
const together = [session.save(numbered(2, "x".repeat(200_000))), session.save(numbered(3))];
const refused = (await Promise.allSettled(together)).map((one) => (one.status === "rejected" ? nameOf(one.reason) : "saved"));
const namesAfter = fs.readdirSync(folder).sort();
const textAfter = fs.readFileSync(file, "utf8");
await session.save(numbered(5));
const saved = numberOf((await session.load()).data);
process.stdout.write(JSON.stringify({ refused, namesAfter, textAfter, saved }));
await session.close();

function nameOf(error: unknown): string {
	return error instanceof StoreError ? `${error.kind}: ${error.message}` : String(error);
}
