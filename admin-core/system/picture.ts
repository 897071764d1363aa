import type { Assignment, StoredMode } from "../model/devices/assignment.ts";
import type { DeviceCollection } from "../model/devices/collection.ts";
import type { NamedLabel } from "../model/labels.ts";
import type { Value } from "../model/properties/property.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { Volume } from "../model/storage/contract.ts";
import type { PoolState } from "../model/storage/pools.ts";
import type { DomainData, StoreData } from "../store/data.ts";
import { describeApp } from "./describe-app.ts";
import type { Loaded } from "./load-app.ts";

/** What was set explicitly, by name. */
type Values = readonly (readonly [name: string, value: Value])[];

/** How an app was at a time: what the store was to say of it, and what to come back to. */
export interface Picture {
	readonly data: StoreData;
	readonly labels: readonly NamedLabel[];
	readonly pools: readonly PoolState[];
	readonly values: Values;
	readonly qubes: readonly QubePicture[];
}

/** How a qube was at that time. */
export interface QubePicture {
	readonly qube: Qube;
	readonly data: DomainData;
	readonly values: Values;
	readonly devices: readonly DevicesPicture[];
	readonly volumes: readonly VolumePicture[];
}

interface DevicesPicture {
	readonly collection: DeviceCollection;
	readonly assigned: readonly Assignment<StoredMode>[];
	readonly wasUsed: boolean;
}

/** What can be set of a volume; the rest is on the disk. */
export interface VolumePicture extends Pick<Volume, "name" | "rw" | "revisionsToKeep" | "ephemeral"> {}

/** Takes a picture of an app as it is. */
export function takePicture(loaded: Loaded): Picture {
	const { app } = loaded;
	const data = describeApp(loaded);
	return {
		data,
		labels: app.labels.list(),
		pools: app.pools.states(),
		values: app.explicitValues(),
		qubes: app.qubes().map((qube, index) => pictureQube(qube, data.domains[index] as DomainData)),
	};
}

function pictureQube(qube: Qube, data: DomainData): QubePicture {
	const collections = qube.devices?.all() ?? [];
	return {
		qube,
		data,
		values: qube.explicitValues(),
		devices: collections.map((collection) => ({
			collection,
			assigned: collection.assigned(),
			wasUsed: collection.wasUsed,
		})),
		volumes: qube.storage.volumes().flatMap(pictureVolume),
	};
}

/** Nothing of one whose driver fails, which is told when it is described: there is nothing to come back to. */
function pictureVolume(volume: Volume): VolumePicture[] {
	try {
		const { name, rw, revisionsToKeep, ephemeral } = volume;
		return [{ name, rw, revisionsToKeep, ephemeral }];
	} catch {
		return [];
	}
}
