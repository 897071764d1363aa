import { makesDisposables } from "./qubes/kinds.ts";
import type { Qube } from "./qubes/qube.ts";
import { shownState } from "./qubes/shown-state.ts";

/** What the qrexec policy wants to know of qubes, as JSON (spec 9.1). Nothing is cached, so nothing can be stale. */
export function describeSystem(qubes: readonly Qube[]): string {
	return JSON.stringify({ domains: Object.fromEntries(qubes.map((qube) => [qube.name, describe(qube)])) });
}

function describe(qube: Qube): object {
	const label = qube.get("label");
	const color = typeof label === "object" && label !== null ? qube.app.labels.find(label.wireName) : null;
	return {
		internal: qube.features.get("internal") ?? null,
		tags: qube.tags.list(),
		type: qube.klass,
		template_for_dispvms: makesDisposables(qube),
		default_dispvm: nameOf(qube, "default_dispvm"),
		icon: `appvm-${color?.name ?? "black"}`,
		label: color?.color ?? "0x000000",
		guivm: nameOf(qube, "guivm"),
		relayvm: nameOf(qube, "relayvm"),
		transport_rpc: qube.hasProperty("transport_rpc") ? qube.get("transport_rpc") || null : null,
		power_state: shownState(qube),
		uuid: qube.uuid,
	};
}

function nameOf(qube: Qube, property: string): string | null {
	return qube.related(property)?.name ?? null;
}
