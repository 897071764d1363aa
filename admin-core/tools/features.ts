import type { Qubesd } from "./client.ts";
import { unlessRemote } from "./errors.ts";

/** The value of a feature of a qube, undefined if it is unset (spec 8.3). */
export function getFeature(qubesd: Qubesd, qube: string, feature: string): Promise<string | undefined> {
	return unlessRemote(qubesd.call(qube, "admin.vm.feature.Get", feature), "QubesFeatureNotFoundError");
}

/** The features of a qube whose names start so: names without that, and values; the list first, then each of them. */
export async function getFeatures(qubesd: Qubesd, qube: string, prefix = ""): Promise<[name: string, value: string][]> {
	const found: [string, string][] = [];
	for (const name of await qubesd.list(qube, "admin.vm.feature.List")) {
		if (!name.startsWith(prefix)) continue;
		const value = await getFeature(qubesd, qube, name);
		// Somebody may have removed it since.
		if (value !== undefined) found.push([name.slice(prefix.length), value]);
	}
	return found;
}

/** Sets a feature of a qube to a text. Throws a RemoteError if the daemon refuses. */
export async function setFeature(qubesd: Qubesd, qube: string, feature: string, value: string): Promise<void> {
	await qubesd.call(qube, "admin.vm.feature.Set", feature, value);
}

/** Removes a feature; that it is unset already is fine. */
export async function removeFeature(qubesd: Qubesd, qube: string, feature: string): Promise<void> {
	await unlessRemote(qubesd.call(qube, "admin.vm.feature.Remove", feature), "QubesFeatureNotFoundError");
}
