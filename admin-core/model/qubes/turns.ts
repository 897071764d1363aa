import type { Qube } from "./qube.ts";

/** Does something with a qube when all that was begun before is done: one thing at a time, so that no state changes under another call. */
export function inTurn<T>(qube: Qube, work: () => Promise<T>): Promise<T> {
	const turn = qube.underWay.then(work);
	qube.underWay = turn.catch(() => undefined);
	return turn;
}
