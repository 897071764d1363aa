import { log } from "../../log.ts";
import type { App } from "../app.ts";
import { AdminError, messageOf } from "../errors.ts";
import type { Attributes } from "./attributes.ts";
import type { DriverInfo, Pool } from "./contract.ts";
import { OpaquePool } from "./opaque.ts";
import { DEFAULT_POOLS } from "./pool-properties.ts";

/** A pool as the store describes it: its driver, and all other attributes. */
interface PoolDescription {
	readonly name: string;
	readonly driver: string;
	readonly attributes: Attributes;
}

/** A pool and how it is set, to come back to. */
export interface PoolState {
	readonly pool: Pool;
	readonly extra: Attributes;
	readonly revisionsToKeep: number;
	readonly ephemeralVolatile: boolean;
}

/** The pools of the system, in the order in which they came (spec/storage-reflink.md 2). */
export class Pools {
	private readonly app: App;
	private readonly byName = new Map<string, Pool>();
	/** Attributes of pools that their drivers do not know. */
	private readonly extra = new Map<Pool, Attributes>();
	/** Names of pools that are being set up. */
	private readonly adding = new Set<string>();

	constructor(app: App) {
		this.app = app;
	}

	list(): Pool[] {
		return [...this.byName.values()];
	}

	/** The pool of a name, null if there is none. */
	find(name: string): Pool | null {
		return this.byName.get(name) ?? null;
	}

	/** Throws a QubesException where there is no pool of this name. */
	get(name: string): Pool {
		const pool = this.find(name);
		if (pool === null) throw new AdminError("QubesException", `Unknown storage pool ${name}`);
		return pool;
	}

	/** The driver of a name, as it is described without loading it; null if there is none. */
	driver(name: string): DriverInfo | null {
		return this.app.surroundings.drivers.list().find((one) => one.name === name) ?? null;
	}

	/** Takes over a pool of the store; one that nobody can work with is opaque, with a line in the log. Its driver is loaded, the disk is not touched. */
	load({ name, driver, attributes }: PoolDescription): void {
		const known = this.driver(driver)?.options.map((option) => option.name) ?? [];
		const isKnown = ([key]: [string, string]): boolean => known.includes(key);
		try {
			const pool = this.make(driver, name, new Map([...attributes].filter(isKnown)));
			this.byName.set(name, pool);
			this.extra.set(pool, new Map([...attributes].filter((one) => !isKnown(one))));
		} catch (error) {
			const reason = messageOf(error);
			log("error", `pool ${name} cannot be used: ${reason}`);
			this.byName.set(name, new OpaquePool(name, driver, attributes, `pool ${name}: ${reason}`));
		}
	}

	/** What the store is to say of the pools. */
	describe(): PoolDescription[] {
		return this.list().map((pool) => ({
			name: pool.name,
			driver: pool.driver,
			attributes: new Map([...pool.config(), ...(this.extra.get(pool) ?? [])]),
		}));
	}

	/**
	 * Makes a pool and sets it up; then `pool-add` is fired. Throws QubesPoolInUseError where the name is taken, ProtocolError for options that the driver
	 * does not have, QubesException for a driver that is not there or options that are missing, and what the set-up throws; then there is no pool.
	 */
	async add(driver: string, name: string, options: ReadonlyMap<string, string>): Promise<Pool> {
		this.refuseUnknown(driver, options);
		if (this.byName.has(name) || this.adding.has(name))
			throw new AdminError("QubesPoolInUseError", `pool ${name} already exists`);
		const pool = this.make(driver, name, options);
		this.adding.add(name);
		try {
			await pool.setup();
			this.byName.set(name, pool);
			await this.app.fireAsync("pool-add", { pool });
		} catch (error) {
			if (this.byName.delete(name)) {
				// Another call may have saved it meanwhile.
				this.app.isUnsaved = true;
				await pool.destroy();
			}
			throw error;
		} finally {
			this.adding.delete(name);
		}
		return pool;
	}

	/** Takes a pool out; its data stay where they are. Handlers of `pool-pre-delete` can prevent it. Throws QubesPoolInUseError. */
	async remove(pool: Pool): Promise<void> {
		this.refuseUsed(pool);
		await this.app.fireAsync("pool-pre-delete", { pool }, { pre: true });
		// Somebody may have come while the handlers ran.
		this.refuseUsed(pool);
		this.byName.delete(pool.name);
		this.extra.delete(pool);
		await pool.destroy().catch((error) => log("error", `pool ${pool.name}: after it was removed: ${error}`));
		try {
			await this.app.fireAsync("pool-delete", { pool });
		} catch (error) {
			// It is gone, whatever who is told of it thinks.
			this.app.isUnsaved = true;
			throw error;
		}
	}

	/** How all pools are, for `rollBack`. */
	states(): PoolState[] {
		return this.list().map((pool) => {
			const { revisionsToKeep, ephemeralVolatile } = pool;
			return { pool, extra: this.extra.get(pool) ?? new Map(), revisionsToKeep, ephemeralVolatile };
		});
	}

	/** Makes these the pools, and sets them so, without asking anybody; what is given back tells of it, for when all else is as it was too. */
	rollBack(states: readonly PoolState[]): (() => Promise<unknown>)[] {
		const before = this.list();
		this.byName.clear();
		for (const { pool, extra } of states) {
			this.byName.set(pool.name, pool);
			this.extra.set(pool, extra);
		}
		for (const { pool, revisionsToKeep, ephemeralVolatile } of states) {
			if (pool.revisionsToKeep !== revisionsToKeep) pool.revisionsToKeep = revisionsToKeep;
			if (pool.ephemeralVolatile !== ephemeralVolatile) pool.ephemeralVolatile = ephemeralVolatile;
		}
		const gone = before.filter((pool) => this.find(pool.name) !== pool);
		const back = this.list().filter((pool) => !before.includes(pool));
		return [
			...gone.map((pool) => async () => {
				await pool.destroy();
				await this.app.fireAsync("pool-delete", { pool });
			}),
			...back.map((pool) => () => this.app.fireAsync("pool-add", { pool })),
		];
	}

	/** Resolves when nothing goes on in the background any more. */
	async settled(): Promise<void> {
		await Promise.all(this.list().map((pool) => pool.settled()));
	}

	private refuseUnknown(driver: string, options: ReadonlyMap<string, string>): void {
		const known = this.driver(driver)?.options.map((option) => option.name);
		const unexpected = [...options.keys()].filter((key) => known?.includes(key) === false);
		if (unexpected.length === 0) return;
		const wanted = known?.join(", ");
		throw new AdminError("ProtocolError", `Unexpected driver options found: ${unexpected.join(", ")}: want ${wanted}`);
	}

	private make(driver: string, name: string, options: ReadonlyMap<string, string>): Pool {
		const info = this.driver(driver);
		const makePool = info === null ? null : this.app.surroundings.drivers.load(driver);
		if (info === null || makePool === null) throw new AdminError("QubesException", `there is no storage driver '${driver}'`);
		const missing = info.options.filter((option) => option.isRequired && !options.has(option.name));
		if (missing.length > 0) {
			throw new AdminError(
				"QubesException",
				`missing required driver options: ${missing.map((option) => option.name).join(", ")}`,
			);
		}
		return makePool({ name, options }, { log });
	}

	private refuseUsed(pool: Pool): void {
		const users = [
			...DEFAULT_POOLS.filter((property) => this.app.get(property) === pool.name),
			...this.app.qubes().flatMap((qube) => {
				const volumes = qube.storage.volumes().filter((volume) => volume.pool === pool);
				return volumes.map((volume) => `${qube.name}:${volume.name}`);
			}),
		];
		if (users.length > 0)
			throw new AdminError("QubesPoolInUseError", `pool ${pool.name} is used: ${users.slice(0, 10).join(", ")}`);
	}
}
