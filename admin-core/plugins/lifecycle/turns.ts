import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { inTurn } from "../../model/qubes/turns.ts";

/** A method that has the qube that it is called at for itself. Throws QubesVMNotFoundError where the qube was removed while the call waited. */
export function inItsTurn(method: (call: Call) => Promise<string>): (call: Call) => Promise<string> {
	return (call) =>
		inTurn(call.destination, () => {
			const { app, destination } = call;
			if (app.find(destination.name) === destination) return method(call);
			throw new AdminError("QubesVMNotFoundError", `No such domain: '${destination.name}'`);
		});
}
