import type { Call } from "../../host/plugin.ts";
import { inTurnIfThere } from "../../model/qubes/turns.ts";

/** A method that has the qube that it is called at for itself. Throws QubesVMNotFoundError where the qube was removed while the call waited. */
export function inItsTurn(method: (call: Call) => Promise<string>): (call: Call) => Promise<string> {
	return (call) => inTurnIfThere(call.destination, () => method(call));
}
