import type { App } from "../model/app.ts";
import type { Qube } from "../model/qubes/qube.ts";
import type { DomainData, PoolData } from "../store/data.ts";

/** Pools and volumes, between model and store (spec 5.1). */
export class StorageRecords {
	private readonly pools: readonly PoolData[];
	/** By the qube itself: numbers and names are used again. */
	private readonly volumes = new Map<Qube, DomainData["volumes"]>();

	constructor(_app: App, pools: readonly PoolData[]) {
		this.pools = pools;
	}

	/** Takes over what the store says of a qube; all qubes are there. */
	load(qube: Qube, volumes: DomainData["volumes"]): void {
		this.volumes.set(qube, volumes);
	}

	/** What the store is to say of the pools. */
	describePools(): readonly PoolData[] {
		return this.pools;
	}

	/** What the store is to say of the volumes of a qube. */
	describe(qube: Qube): DomainData["volumes"] {
		return this.volumes.get(qube) ?? (qube.klass === "AdminVM" || qube.klass === "RemoteVM" ? null : []);
	}
}
