import { AdminError } from "../errors.ts";
import type { Qube } from "./qube.ts";

/** Does something with a qube when all that was begun before is done: one thing at a time, so that no state changes under another call. */
export function inTurn<T>(qube: Qube, work: () => Promise<T>): Promise<T> {
	const turn = qube.underWay.then(work);
	qube.underWay = turn.catch(() => undefined);
	return turn;
}

/** The same, if the qube is still there then. Throws QubesVMNotFoundError where it is not. */
export function inTurnIfThere<T>(qube: Qube, work: () => Promise<T>): Promise<T> {
	return inTurn(qube, () => {
		if (qube.app.find(qube.name) === qube) return work();
		throw new AdminError("QubesVMNotFoundError", `No such domain: '${qube.name}'`);
	});
}
