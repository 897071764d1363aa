import type { Qubesd } from "./client.ts";
import { RemoteError } from "./errors.ts";
import { type PropertyValue, parseValue } from "./property-value.ts";
import { listQubes } from "./qubes.ts";

const OF_THE_SYSTEM = [
	...["default_dispvm", "default_netvm", "default_guivm", "default_audiovm"],
	...["default_template", "clockvm", "updatevm", "management_dispvm"],
];
const OF_A_QUBE = ["template", "netvm", "guivm", "audiovm", "default_dispvm", "management_dispvm"];

/** Who uses a qube, a line each: properties of the system, and of other qubes those that are set (spec 11, qvm-remove). */
export async function findDependencies(qubesd: Qubesd, name: string): Promise<string[]> {
	const found: string[] = [];
	for (const property of OF_THE_SYSTEM) {
		const value = await read(qubesd, "dom0", "admin.property.Get", property);
		if (value?.text === name) found.push(`${property} of the system`);
	}
	for (const qube of await listQubes(qubesd)) {
		if (qube.name === name) continue;
		// A disposable that waits for its use goes when what it waits for goes.
		const isPreloaded = await read(qubesd, qube.name, "admin.vm.property.Get", "is_preload");
		for (const property of OF_A_QUBE) {
			const value = await read(qubesd, qube.name, "admin.vm.property.Get", property);
			if (value?.text !== name || value.isDefault || isPreloaded?.text === "True") continue;
			found.push(`${property} of ${qube.name}`);
		}
	}
	return found;
}

/** A property, undefined where there is none or we may not see it: this is a hint on top of an error that was told already. */
async function read(qubesd: Qubesd, destination: string, method: string, property: string): Promise<PropertyValue | undefined> {
	try {
		return parseValue(await qubesd.call(destination, method, property));
	} catch (error) {
		if (error instanceof RemoteError) return undefined;
		throw error;
	}
}
