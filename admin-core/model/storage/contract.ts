/**
 * What a storage driver has to do, and what it can rely on (spec/storage-reflink.md, sections 1 to 5). Drivers are plugins, bundled on their own:
 * they import nothing but these types, and their errors are known by `kind` (see `isAdminError`), nearly always `StoragePoolException`.
 *
 * Sizes are whole numbers of bytes up to 2^53-1. Names are those of qubes.xml in camel case.
 */

/** What a driver is called and what a pool of it can be told, known from its manifest without loading it. */
export interface DriverInfo {
	readonly name: string;
	/** In the order of `admin.pool.ListDrivers`. */
	readonly options: readonly { readonly name: string; readonly isRequired: boolean }[];
}

/** The drivers that there are. */
export interface DriverSource {
	readonly list: () => readonly DriverInfo[];
	/** Loads a driver; null if there is none of this name. Throws AdminError where its plugin cannot be loaded. */
	readonly load: (name: string) => MakePool | null;
}

/** Makes the object for a pool: synchronous, the disk is not touched. Throws a QubesValueError for an option that is not fit. */
export type MakePool = (config: PoolConfig, context: DriverContext) => Pool;

/** A pool as the store has it. */
export interface PoolConfig {
	readonly name: string;
	/** All attributes of the pool but its name and driver, as text; none that the driver does not know, all that it requires. */
	readonly options: ReadonlyMap<string, string>;
}

/** What a driver is given of the daemon. */
export interface DriverContext {
	/** Writes one line to the log; control characters are escaped there. */
	readonly log: (level: "info" | "warning" | "error", line: string) => void;
}

/** A named place for volumes. It knows the volumes that qubes have initialised in it, and never looks for others to have. */
export interface Pool {
	readonly name: string;
	readonly driver: string;
	/** What stands in qubes.xml besides name and driver, as text, in the order of the driver's options. */
	config(): ReadonlyMap<string, string>;
	/** For volumes that are initialised from now on, -1 or more. Setting throws QubesNotImplementedError where the driver has no revisions. */
	revisionsToKeep: number;
	/** Whether volatile volumes are encrypted with a key that is thrown away. Setting may throw QubesNotImplementedError. */
	ephemeralVolatile: boolean;
	/** Prepares the place, once, when the pool is added; when it throws there is no pool, and what it made is gone again. */
	setup(): Promise<void>;
	/** When the pool has been removed; data stay where they are. It may be taken back when the removal could not be saved, and is as before then. */
	destroy(): Promise<void>;
	/**
	 * Makes the object for a volume and registers it by its vid, in place of an older one; the disk is not touched, `config` is not changed. Throws
	 * StoragePoolException, QubesValueError or QubesNotImplementedError for a configuration that makes no sense.
	 */
	initVolume(owner: VolumeOwner, config: VolumeConfig): Volume;
	/** Throws StoragePoolException for a vid that is not registered. */
	getVolume(vid: string): Volume;
	volumes(): readonly Volume[];
	/** How full the place is; never rejects. */
	usage(): Promise<PoolUsage>;
	/**
	 * What of its data is shared. It may take a minute, but nobody waits for it: no volume is locked. Throws StoragePoolException where it is not known; a
	 * driver that never knows does not have it.
	 */
	space?(): Promise<PoolSpace>;
	/**
	 * Directories of qubes in its place that hold images like its own, but have none of its volumes. Only looks, and tells nothing where it cannot; never
	 * rejects. Whether they are of another pool, or of a qube whose volumes could not be made, is for the caller to know. A driver that can have none of
	 * them does not have it.
	 */
	strays?(): Promise<readonly Stray[]>;
	/** The one of the other pools that this one lies in, null if none or not known; never rejects. */
	includedIn(others: readonly Pool[]): Promise<Pool | null>;
	/** Resolves when nothing goes on in the background any more; never rejects. */
	settled(): Promise<void>;
	/** Its name: so it stands in events. */
	toString(): string;
}

/** Null where it is not known, as when the pool is not mounted. */
export interface PoolUsage {
	readonly size: number | null;
	readonly usage: number | null;
	/** Further figures, such as `data_size`. */
	readonly details: ReadonlyMap<string, number>;
}

/** Who has what of a pool, in bytes on the disk; what several have counts once. */
export interface PoolSpace {
	/** What one volume has and no other: the sum of theirs. */
	readonly exclusive: number;
	/** What several volumes have. */
	readonly shared: number;
	readonly volumes: readonly VolumeSpace[];
}

/** Who has what of one volume of a pool, in bytes on the disk. */
export interface VolumeSpace {
	readonly vid: string;
	/** What would be free if the volume and all its revisions were removed. */
	readonly exclusive: number;
	/** Revision → what would be free if it alone were removed; in the order of the driver. */
	readonly revisions: ReadonlyMap<string, number>;
}

/** A directory of a qube that has no volume there. */
export interface Stray {
	/** Absolute, without symbolic links; its name is that of the qube. */
	readonly directory: string;
	/** How many images are in it. */
	readonly images: number;
	/** What is allocated to them; shared bytes count in full. */
	readonly bytes: number;
}

/** What a pool has to know of a qube to find a place for its volumes. */
export interface VolumeOwner {
	readonly name: string;
	/** `vm-templates` for templates, else `appvms`. */
	readonly dirPrefix: string;
	/** The kernel that it is started with, as it is now; empty for the one in its root volume. */
	readonly kernel?: string | undefined;
}

/** How a volume is to be. What is undefined is chosen by the pool. */
export interface VolumeConfig {
	/** `root`, `private`, `volatile`, `kernel`, or another name, which is unique within the qube. */
	readonly name: string;
	readonly vid?: string | undefined;
	/** The size it begins with, in bytes; 0 if undefined. */
	readonly size?: number | undefined;
	readonly rw?: boolean | undefined;
	readonly snapOnStart?: boolean | undefined;
	readonly saveOnStop?: boolean | undefined;
	/** Required with `snapOnStart`, forbidden without; in the same pool. */
	readonly source?: Volume | undefined;
	readonly revisionsToKeep?: number | undefined;
	/** Undefined follows the pool. */
	readonly ephemeral?: boolean | undefined;
}

/** Is told how many bytes of a source of `size` bytes are copied; holes count. `done` never falls and never exceeds `size`. Does not throw. */
export type OnProgress = (done: number, size: number) => void;

/**
 * One virtual disk. The getters and `is…` are synchronous, cost a few stat calls at most, and never throw: where the disk cannot be looked at, the size is
 * that of the configuration, the usage 0, there are no revisions, `isDirty` is true and `isOutdated` null, and the log says so once. All that changes
 * something runs to its end once it has begun, one at a time for each volume; it rejects with a StoragePoolException, as do `verify` and `export`, and before
 * its commit point a failure leaves what there was. What a driver does not have throws QubesNotImplementedError, naming driver and operation.
 */
export interface Volume {
	readonly name: string;
	readonly pool: Pool;
	readonly vid: string;
	readonly size: number;
	/** Bytes that are allocated; shared ones count in full. */
	readonly usage: number;
	rw: boolean;
	readonly snapOnStart: boolean;
	readonly saveOnStop: boolean;
	readonly source: Volume | null;
	/** -1: snapshots are disabled. Setting throws QubesValueError below -1. */
	revisionsToKeep: number;
	/** What was set explicitly; undefined follows the kind of volume and the pool (1.6). The caller has checked that it may be set. */
	ephemeral: boolean | undefined;
	/** What is attached to the qube, whether it is there or not. */
	readonly path: string;
	/** Earlier states: id → time in UTC, `YYYY-MM-DDThh:mm:ss`; in the order of the driver, the last one is what `revert` without an id takes. */
	readonly revisions: ReadonlyMap<string, string>;
	/** Begun but not cleanly stopped. True where that cannot be seen: a volume that may be in use is not to be changed. */
	isDirty(): boolean;
	/** The source has changed since the start; null if the driver cannot know. */
	isOutdated(): boolean | null;

	create(): Promise<void>;
	remove(): Promise<void>;
	/** Rejects if it could not be started for want of an image. */
	verify(): Promise<void>;
	start(): Promise<void>;
	/** Commits or throws away; nothing happens if it was not started. */
	stop(): Promise<void>;
	/**
	 * Takes back the last start in place of a stop, as nobody has written to the image: no revision is made or lost. A run that this start resumed stays
	 * as it was; where the image was written to nevertheless, it is a stop. A volume that does not have it is stopped.
	 */
	undoStart?(): Promise<void>;
	/** A path from which the last committed state can be read; `exportEnd` is called with it afterwards, in all outcomes. */
	export(): Promise<string>;
	exportEnd(path: string): Promise<void>;
	/** Begins an import of `size` bytes; they are to be written to the path that it resolves to. */
	importData(size: number): Promise<string>;
	importDataEnd(isSuccess: boolean): Promise<void>;
	/**
	 * Takes over the content and size of a volume, of any driver; nothing happens if this one does not keep its state. Where data are really copied, and it is
	 * known how many, `onProgress` is called at the beginning, now and then, and when all are copied; never after the end.
	 */
	importVolume(source: Volume, onProgress?: OnProgress): Promise<void>;
	resize(size: number): Promise<void>;
	/** Without an id: to the last revision. */
	revert(revision?: string): Promise<void>;
	/** Its vid: so it stands in events. */
	toString(): string;
}
