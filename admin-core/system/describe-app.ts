import type { PropertyHolder } from "../model/properties/holder.ts";
import { formatValue } from "../model/properties/property.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { DomainData, Pair, StoreData } from "../store/data.ts";
import type { DeviceRecords } from "./device-records.ts";
import type { Loaded } from "./load-app.ts";
import type { StorageRecords } from "./storage-records.ts";

/** What the store is to say of an app (spec 5.1): what is set explicitly, and what nobody here understands as it was loaded. */
export function describeApp({ app, unknownProperties, devices, storage }: Loaded): StoreData {
	return {
		labels: app.labels.list().map(({ index, name, color }) => ({ index, name, color })),
		pools: storage.describePools(),
		properties: [...describeProperties(app), ...unknownProperties].sort(([a], [b]) => (a < b ? -1 : 1)),
		domains: app.qubes().map((qube) => describeQube(qube, devices, storage)),
	};
}

function describeQube(qube: Qube, devices: DeviceRecords, storage: StorageRecords): DomainData {
	return {
		qid: qube.qid,
		class: qube.klass,
		properties: describeProperties(qube),
		features: qube.features.entries(),
		tags: qube.tags.list(),
		devices: devices.describe(qube),
		volumes: storage.describe(qube),
	};
}

function describeProperties(holder: PropertyHolder): Pair[] {
	return holder.explicitValues().map(([name, value]) => [name, formatValue(value)]);
}
