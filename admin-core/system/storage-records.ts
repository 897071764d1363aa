import type { App } from "../model/app.ts";
import { canBeStarted } from "../model/qubes/kinds.ts";
import type { Qube } from "../model/qubes/qube.ts";
import { loadVolumes } from "../model/storage/load-volumes.ts";
import type { DomainData, PoolData } from "../store/data.ts";

/** Pools and volumes, between model and store (spec 5.1). */
export class StorageRecords {
	private readonly app: App;
	/** What the store says of volumes of qubes that have none, to be written back as it was; by the qube itself, as numbers and names are used again. */
	private readonly strange = new Map<Qube, DomainData["volumes"]>();

	/** Takes over the pools; their drivers are loaded. */
	constructor(app: App, pools: readonly PoolData[]) {
		this.app = app;
		for (const pool of pools) app.pools.load(pool);
	}

	/** Takes over what the store says of the volumes of all qubes; the qubes are there, with their relations. */
	load(records: readonly (readonly [qube: Qube, volumes: DomainData["volumes"]])[]): void {
		const own = records.filter(([qube]) => canBeStarted(qube)).map(([qube, volumes]) => [qube, volumes ?? []] as const);
		loadVolumes(new Map(own));
		for (const [qube, volumes] of records) if (!canBeStarted(qube)) this.strange.set(qube, volumes);
	}

	/** What the store is to say of the pools. */
	describePools(): readonly PoolData[] {
		return this.app.pools.describe();
	}

	/** What the store is to say of the volumes of a qube. */
	describe(qube: Qube): DomainData["volumes"] {
		return canBeStarted(qube) ? qube.storage.describe() : (this.strange.get(qube) ?? null);
	}
}
