import type { PropertyHolder } from "../model/properties/holder.ts";
import { formatValue } from "../model/properties/property.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { DomainData, Pair, StoreData } from "../store/data.ts";
import type { Loaded, QubeParts } from "./load-app.ts";

/** What the store is to say of an app (spec 5.1): what is set explicitly, and what the model has no part in as it was loaded. */
export function describeApp({ app, unknownProperties, pools, parts }: Loaded): StoreData {
	return {
		labels: app.labels.list().map(({ index, name, color }) => ({ index, name, color })),
		pools,
		properties: [...describeProperties(app), ...unknownProperties].sort(([a], [b]) => (a < b ? -1 : 1)),
		domains: app.qubes().map((qube) => describeQube(qube, parts.get(qube))),
	};
}

function describeQube(qube: Qube, part: QubeParts | undefined): DomainData {
	return {
		qid: qube.qid,
		class: qube.klass,
		properties: describeProperties(qube),
		features: qube.features.entries(),
		tags: qube.tags.list(),
		...(part ?? { devices: [], volumes: qube.klass === "AdminVM" || qube.klass === "RemoteVM" ? null : [] }),
	};
}

function describeProperties(holder: PropertyHolder): Pair[] {
	return holder.explicitValues().map(([name, value]) => [name, formatValue(value)]);
}
