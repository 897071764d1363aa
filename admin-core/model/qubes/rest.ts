import type { Qube } from "./qube.ts";

/** The states in which a qube is there and does nothing. */
export type Rest = "Paused" | "Suspended";
/** What tells of the end of one. */
export type RestEnd = "domain-unpaused" | "domain-resumed";

/** Stops a running qube where it is, with the events of that (spec 1.7). Handlers of the pre-event can prevent it. */
export async function rest(qube: Qube, state: Rest): Promise<void> {
	await qube.fireAsync("domain-pre-paused", {}, { pre: true });
	const { hypervisor } = qube.app.surroundings;
	await (state === "Paused" ? hypervisor.pause(qube) : hypervisor.suspend(qube));
	qube.powerState = state;
	qube.fire("domain-paused");
}

/** Lets a qube go on that rests. Handlers of the pre-event can prevent it. */
export async function goOn(qube: Qube, event: RestEnd): Promise<void> {
	await qube.fireAsync("domain-pre-unpaused", {}, { pre: true });
	const { hypervisor } = qube.app.surroundings;
	await (event === "domain-unpaused" ? hypervisor.unpause(qube) : hypervisor.resume(qube));
	qube.powerState = "Running";
	await qube.fireAsync(event);
}
