import { log } from "../../log.ts";
import type { PowerState, Qube } from "./qube.ts";

/**
 * The power state that others are told of: a qube that runs is in between until all handlers of `domain-is-fully-usable` say that it can be used
 * (spec 1.7, 8.1). One that fails has not said so.
 */
export function shownState(qube: Qube): PowerState {
	if (qube.powerState !== "Running") return qube.powerState;
	try {
		return qube.fire("domain-is-fully-usable").every((isUsable) => isUsable === true) ? "Running" : "Transient";
	} catch (error) {
		log("error", `${qube.name}: a handler of domain-is-fully-usable fails: ${String(error)}`);
		return "Transient";
	}
}
