import { notifyMoreTime } from "../api/notify.ts";
import { log } from "../log.ts";
import type { App } from "../model/app.ts";
import { messageOf } from "../model/errors.ts";
import { failuresOf } from "../model/storage/for-all.ts";

/** How often the service manager is asked for more time, and for how much, in seconds. */
const INTERVAL = 30;
const EXTENSION = 90;

/**
 * Stops the volumes of all qubes that do not run, before anybody can call (spec/storage-reflink.md 1.8): this keeps what a qube wrote that a power cut
 * ended, and throws away what was not to be kept. Never rejects: what fails is logged.
 */
export function stopVolumes(app: App): Promise<void> {
	return withMoreTime(async () => {
		for (const qube of app.qubes()) {
			if (qube.powerState !== "Halted") continue;
			await qube.storage.stop().catch((thrown) => {
				for (const error of failuresOf(thrown)) log("error", `cannot stop the volumes of ${qube.name}: ${messageOf(error)}`);
			});
		}
	});
}

/** Waits until the pools have nothing to do any more, before the daemon ends. */
export function settlePools(app: App): Promise<void> {
	return withMoreTime(() => app.pools.settled());
}

/** Does something that may take long, and keeps the service manager from taking us for dead meanwhile. */
async function withMoreTime(work: () => Promise<void>): Promise<void> {
	const timer = setInterval(() => void notifyMoreTime(EXTENSION), INTERVAL * 1000);
	try {
		await work();
	} finally {
		clearInterval(timer);
	}
}
