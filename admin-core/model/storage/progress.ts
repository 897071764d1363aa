import { log } from "../../log.ts";
import { messageOf } from "../errors.ts";
import type { Qube } from "../qubes/qube.ts";
import type { OnProgress, Volume } from "./contract.ts";

const EVENT = "domain-volume-copy-progress";
/** Between two events, in milliseconds: with the last one, which waits for nothing, there are four in a second at the most. */
const PAUSE = 334;

/**
 * Makes what tells, by `domain-volume-copy-progress` on the qube, how far one copy into its volume is; a driver may call it as often as it likes. A
 * handler that throws is logged and ends the telling, not the copy. `now` tells the time in milliseconds.
 */
export function tellProgress(qube: Qube, volume: Volume, now: () => number = () => performance.now()): OnProgress {
	let toldAt = Number.NEGATIVE_INFINITY;
	let isOver = false;
	return (done, size) => {
		const time = now();
		if (isOver || (done < size && time - toldAt < PAUSE)) return;
		toldAt = time;
		isOver = done >= size;
		try {
			qube.fire(EVENT, { volume: volume.name, done, size });
		} catch (error) {
			isOver = true;
			log("error", `${qube.name}: a handler of ${EVENT} fails, and no more is told: ${messageOf(error)}`);
		}
	};
}
