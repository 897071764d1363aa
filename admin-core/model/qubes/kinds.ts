import type { Qube } from "./qube.ts";

/** Whether disposables can be made of a qube. */
export function makesDisposables(qube: Qube): boolean {
	return qube.hasProperty("template_for_dispvms") && qube.get("template_for_dispvms") === true;
}

/** Whether other qubes can be connected to the network through a qube. */
export function providesNetwork(qube: Qube): boolean {
	return qube.hasProperty("provides_network") && qube.get("provides_network") === true;
}
