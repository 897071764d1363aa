// `load-and-save.mjs FILE ROUNDS` loads and saves a store so often, and prints what each took as JSON, in milliseconds.
import process from "node:process";
import { StoreFile } from "../../admin-core/store/store-file.ts";

const [file, rounds] = process.argv.slice(2) as [string, string];
const store = await StoreFile.open(file);
const times: { load: number; save: number }[] = [];
while (times.length < Number(rounds)) {
	const start = performance.now();
	const { data } = await store.load();
	const loaded = performance.now();
	await store.save(data);
	times.push({ load: loaded - start, save: performance.now() - loaded });
}
await store.close();
process.stdout.write(JSON.stringify(times));
