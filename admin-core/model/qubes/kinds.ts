import type { Qube } from "./qube.ts";

/** Whether disposables can be made of a qube. */
export function makesDisposables(qube: Qube): boolean {
	return qube.hasProperty("template_for_dispvms") && qube.get("template_for_dispvms") === true;
}

/** The qubes that disposables can be made of, for properties that name one. */
export const DISPOSABLE_TEMPLATE = { name: "AppVM with template_for_dispvms", is: makesDisposables } as const;

/** Whether a qube can be started, and so has volumes and a directory: all can but dom0 and RemoteVMs. */
export function canBeStarted({ klass }: Qube): boolean {
	return klass !== "AdminVM" && klass !== "RemoteVM";
}

/** The directory that those of qubes like this one are in, on the disk of the daemon and in pools. */
export function dirPrefixOf({ klass }: Qube): string {
	return klass === "TemplateVM" ? "vm-templates" : "appvms";
}

/** Whether other qubes can be connected to the network through a qube. */
export function providesNetwork(qube: Qube): boolean {
	return qube.hasProperty("provides_network") && qube.get("provides_network") === true;
}
