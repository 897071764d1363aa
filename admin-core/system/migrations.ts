import { log } from "../log.ts";
import type { App } from "../model/app.ts";
import { isAdminError } from "../model/errors.ts";
import { readBoolean } from "../model/properties/property.ts";
import { providesNetwork } from "../model/qubes/kinds.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { Pair } from "../store/data.ts";

/** How properties of qubes were called before, and what they are now (spec 5.4). */
const RENAMED: ReadonlyMap<string, (value: string) => Pair> = new Map([
	["hvm", (value: string): Pair => ["virt_mode", readBoolean(value) === true ? "hvm" : "pv"]],
	["dispvm_allowed", (value: string): Pair => ["template_for_dispvms", value]],
]);

/** The net qube of net qubes, which had a default of their own. */
export const FIREWALL_NETVM = "default_fw_netvm";
/** Whether the memory of a qube was balanced; now its `maxmem` tells. */
const MEMINFO_WRITER = "service.meminfo-writer";

/** The properties of a qube under the names of today. */
export function renameProperties(properties: readonly Pair[]): Pair[] {
	return properties.map(([name, text]) => RENAMED.get(name)?.(text) ?? [name, text]);
}

/** Gives `default_fw_netvm`, if a store has it, to the qubes that it was for (spec 5.4); returns whether it was there. All relations are loaded. */
export function migrateFirewallNetvm(app: App, properties: readonly Pair[]): boolean {
	const found = properties.find(([name]) => name === FIREWALL_NETVM);
	if (found === undefined) return false;
	for (const qube of app.qubes()) {
		if (qube.klass === "TemplateVM" || !providesNetwork(qube) || !qube.isDefault("netvm")) continue;
		setNetvm(qube, found[1]);
	}
	return true;
}

/** Not to be connected is better than to be connected otherwise. */
function setNetvm(qube: Qube, netvm: string): void {
	try {
		qube.set("netvm", netvm);
	} catch (error) {
		if (!isAdminError(error)) throw error;
		log("error", `qube ${qube.name}: ${FIREWALL_NETVM} is not taken over, it is connected to nothing: ${error.message}`);
		qube.set("netvm", null);
	}
}

/** Turns the feature `service.meminfo-writer` into `maxmem` (spec 5.4); returns whether it was there. */
export function migrateMeminfoWriter(qube: Qube): boolean {
	if (!qube.features.has(MEMINFO_WRITER) || !qube.hasProperty("maxmem") || qube.property("maxmem").isComputed) return false;
	if (qube.features.get(MEMINFO_WRITER) === "") qube.set("maxmem", 0);
	qube.features.delete(MEMINFO_WRITER);
	return true;
}
