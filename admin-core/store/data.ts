/** A name and its text, in this order. */
export type Pair = readonly [name: string, text: string];

/**
 * What the model and the store exchange: the content of qubes.xml as plain data (spec 5.1). All values are text, as in the file; what it means
 * (`True`, the name of a qube, an unknown pool driver) is the model's business. Order is that of the file, and of what is given where spec 5.1
 * does not say another one.
 */
export interface StoreData {
	readonly labels: readonly LabelData[];
	readonly pools: readonly PoolData[];
	/** Those of the whole system; a reference is the same as text. */
	readonly properties: readonly Pair[];
	readonly domains: readonly DomainData[];
}

/** A label as it is stored. */
export interface LabelData {
	/** The number in `id="label-N"`. */
	readonly index: number;
	readonly name: string;
	/** As written, `0xRRGGBB` or `#RRGGBB`. */
	readonly color: string;
}

/** A storage pool as it is stored. */
export interface PoolData {
	readonly name: string;
	readonly driver: string;
	/** The configuration of the driver: all attributes but name and driver. */
	readonly attributes: ReadonlyMap<string, string>;
}

/** A qube as it is stored. */
export interface DomainData {
	/** The number in `id="domain-N"`; 0 is dom0. */
	readonly qid: number;
	readonly class: string;
	/** Every qube but dom0 has one that is called `name`. */
	readonly properties: readonly Pair[];
	readonly features: readonly Pair[];
	readonly tags: readonly string[];
	/** One for each class that the qube's devices were ever asked for, each class once; a group may be empty. */
	readonly devices: readonly DeviceGroup[];
	/** All attributes of each volume, `name` among them; null where the qube has no `volume-config`, as dom0. */
	readonly volumes: readonly ReadonlyMap<string, string>[] | null;
}

/** The stored assignments of one class of devices to one qube. */
export interface DeviceGroup {
	readonly devclass: string;
	readonly devices: readonly DeviceData[];
}

/** One stored assignment (spec 4.5); within a group, backend, port and identity together are unique. */
export interface DeviceData {
	/** The name of a qube; null is none, which is `*` to people. */
	readonly backend: string | null;
	/** `*` is any port. */
	readonly port: string;
	/** The device id, `*` is any device. */
	readonly identity: string;
	readonly mode: DeviceMode;
	readonly options: ReadonlyMap<string, string>;
}

/** How an assignment that outlives the qube's run is attached (spec 4.3). */
export const DEVICE_MODES = ["required", "auto-attach", "ask-to-attach"] as const;

/** One of these modes. */
export type DeviceMode = (typeof DEVICE_MODES)[number];

/** The name of a qube, which is its key everywhere; null where it has none. */
export function nameOf(domain: DomainData): string | null {
	if (domain.qid === 0) return "dom0";
	return domain.properties.find(([name]) => name === "name")?.[1] || null;
}
