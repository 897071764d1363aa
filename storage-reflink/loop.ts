import fs from "node:fs/promises";
import type { Journal } from "./journal.ts";
import { run } from "./run.ts";

const DEVICES = "/sys/block";

/**
 * Tells every loop device that is attached to an image how big it is now (spec section 5). Devices that vanish meanwhile are fine; throws a
 * StoragePoolException where one that stays keeps the old size.
 */
export async function refreshLoopDevices(journal: Journal, image: string): Promise<void> {
	const file = await fs.realpath(image);
	for (const name of await fs.readdir(DEVICES)) {
		if (!name.startsWith("loop") || !(await isAttached(name, file))) continue;
		try {
			await run("losetup", ["--set-capacity", `/dev/${name}`]);
			journal.setCapacity(`/dev/${name}`);
		} catch (thrown) {
			if (await isAttached(name, file)) throw thrown;
		}
	}
}

async function isAttached(name: string, file: string): Promise<boolean> {
	const attached = await fs.readFile(`${DEVICES}/${name}/loop/backing_file`, "utf8").catch(() => null);
	return attached === `${file}\n`;
}
