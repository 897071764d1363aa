import { log } from "../../log.ts";
import { AdminError, messageOf } from "../errors.ts";
import { dirPrefixOf } from "../qubes/kinds.ts";
import type { Qube } from "../qubes/qube.ts";
import { type Attributes, extraAttributes, writeVolume } from "./attributes.ts";
import type { Volume, VolumeOwner } from "./contract.ts";
import { isEphemeral, mapperName } from "./ephemeral.ts";
import { forAll } from "./for-all.ts";
import { OpaqueVolume } from "./opaque.ts";
import type { VolumePlan } from "./plan.ts";
import { tellProgress } from "./progress.ts";
import { markRunning, unmarkRunning } from "./running-markers.ts";
import { hasNoSnapshots, isInUseWithoutSnapshots, isRunningDisposableOf } from "./states.ts";

/** A volume, with the attributes that nobody understood, and what the store was last told of it; null if nothing. */
interface Present {
	readonly volume: Volume;
	readonly extra: Attributes;
	described: Attributes | null;
}

/** The place of a volume in the order of all lists: it, or why it is not there. */
type Slot = Present | { readonly missing: string };

const NOTHING: Attributes = new Map();

/**
 * The volumes of one qube, and what is done with all of them (spec/storage-reflink.md 1.8): at once, waiting for all, and throwing the first failure
 * in their order. Whoever calls sees to it that nothing else starts or stops the qube meanwhile.
 */
export class Storage {
	private readonly qube: Qube;
	private readonly slots = new Map<string, Slot>();

	constructor(qube: Qube) {
		this.qube = qube;
	}

	/** In the order of all lists: those of the class, then others. */
	volumes(): Volume[] {
		return [...this.slots.values()].flatMap((slot) => ("volume" in slot ? [slot.volume] : []));
	}

	/** The volume of a name, null if there is none. */
	find(name: string): Volume | null {
		const slot = this.slots.get(name);
		return slot !== undefined && "volume" in slot ? slot.volume : null;
	}

	/** Keeps the place of a volume that is to be, or says why it is not there; as long as it is missing, the qube cannot be started. */
	miss(name: string, reason: string): void {
		this.slots.set(name, { missing: reason });
	}

	/** Takes in a volume that nobody can work with. */
	adopt(volume: OpaqueVolume): void {
		this.slots.set(volume.name, { volume, extra: NOTHING, described: volume.attributes });
	}

	/**
	 * Has a volume made an object of by its pool, in place of an older one of its name; the disk is not touched. `stored` is what the store says of it, null
	 * if nothing. Throws AdminError.
	 */
	init({ pool, config }: VolumePlan, stored: Attributes | null = null): void {
		const volume = pool.initVolume(ownerOf(this.qube), config);
		const extra = stored === null ? this.extraOf(config.name) : extraAttributes(stored);
		this.slots.set(volume.name, { volume, extra, described: stored });
	}

	/** What the store is to say of the volumes. Never throws. */
	describe(): Attributes[] {
		return [...this.slots].flatMap(([name, slot]) => ("volume" in slot ? (this.describeVolume(name, slot) ?? []) : []));
	}

	/** Makes the volumes of a new qube, also on the disk; when one fails, none is left. */
	async create(plans: readonly VolumePlan[]): Promise<void> {
		try {
			for (const plan of plans) this.init(plan);
			await forAll(this.volumes(), (volume) => volume.create());
		} catch (error) {
			await this.remove().catch((failure) => log("error", `${this.qube.name}: after a failed creation: ${failure}`));
			throw error;
		}
	}

	/** Makes the volumes of a new qube, and takes over what those of another one keep; when something fails, none is left. */
	async cloneFrom(source: Qube, plans: readonly VolumePlan[]): Promise<void> {
		await this.create(plans);
		try {
			await forAll(this.volumes(), async (volume) => {
				const original = source.storage.find(volume.name);
				if (original !== null) await volume.importVolume(original, tellProgress(this.qube, volume));
			});
			await this.qube.fireAsync("domain-clone-files", { src: source });
		} catch (error) {
			await this.remove().catch((failure) => log("error", `${this.qube.name}: after a failed clone: ${failure}`));
			throw error;
		}
	}

	/** Removes all volumes from the disk; those that can be, even if others cannot. */
	async remove(): Promise<void> {
		// Ends encryption too, which would hold on to what is to be removed.
		await this.stop().catch((error) => log("error", `${this.qube.name}: before its volumes are removed: ${error}`));
		await forAll(this.volumes(), (volume) => volume.remove());
	}

	/** Throws a StoragePoolException where the qube could not be started for want of a volume; handlers of `domain-verify-files` may complain too. */
	async verify(): Promise<void> {
		for (const [name, slot] of this.slots) {
			if ("missing" in slot)
				throw new AdminError("StoragePoolException", `volume ${name} of ${this.qube.name} is not there: ${slot.missing}`);
		}
		await forAll(this.volumes(), (volume) => volume.verify());
		this.qube.fire("domain-verify-files");
	}

	/** Starts all volumes and marks them as running; when something fails, the start of those that did start is taken back. */
	async start(): Promise<void> {
		this.refuseWithoutSnapshots();
		const started: Volume[] = [];
		try {
			await forAll(this.volumes(), async (volume) => {
				await this.startVolume(volume);
				started.push(volume);
			});
			await forAll(started, (volume) => markRunning(this.runDir, volume));
		} catch (error) {
			await this.undo(started);
			throw error;
		}
	}

	/** In place of a stop where the qube has never run with its volumes: as if they had not been started, no earlier state is lost. */
	undoStart(): Promise<void> {
		return this.endVolumes(this.volumes(), undoStart);
	}

	/** Stops all volumes, whether they were started or not; each that did stop is no longer marked as running. */
	stop(): Promise<void> {
		return this.endVolumes(this.volumes(), (volume) => volume.stop());
	}

	/** The volumes of a running qube whose source has changed since it was started. */
	outdated(): Volume[] {
		return this.qube.powerState === "Halted" ? [] : this.volumes().filter((volume) => volume.isOutdated() === true);
	}

	/** Where a driver breaks its promise and throws, the store keeps what it says: all others are to be saved nevertheless. */
	private describeVolume(name: string, slot: Present): Attributes | null {
		if (slot.volume instanceof OpaqueVolume) return slot.described;
		try {
			slot.described = writeVolume(slot.volume, slot.extra);
		} catch (error) {
			const title = `volume ${name} of ${this.qube.name}`;
			log("warning", `what the store says of ${title} stays, as its driver fails: ${messageOf(error)}`);
		}
		return slot.described;
	}

	private get runDir(): string {
		return this.qube.app.surroundings.runDir;
	}

	private extraOf(name: string): Attributes {
		const slot = this.slots.get(name);
		return slot !== undefined && "volume" in slot ? slot.extra : NOTHING;
	}

	/** What is in use and has no snapshots has no state that somebody else could start as. */
	private refuseWithoutSnapshots(): void {
		const { app, name } = this.qube;
		const busy = this.volumes().find(({ source }) => source !== null && isInUseWithoutSnapshots(source));
		if (busy !== undefined) {
			throw new AdminError(
				"QubesVMError",
				`volume ${busy.name} of ${name}: its source ${busy.source?.vid} is in use, and has no snapshots`,
			);
		}
		if (this.qube.klass !== "AppVM" || !this.volumes().some(hasNoSnapshots)) return;
		const disposable = app.qubes().find((other) => isRunningDisposableOf(other, this.qube));
		if (disposable === undefined) return;
		throw new AdminError(
			"QubesVMNotHaltedError",
			`${name} has a volume without snapshots, and ${disposable.name}, made of it, runs`,
		);
	}

	private async startVolume(volume: Volume): Promise<void> {
		const mapper = mapperName(this.qube.name, volume.name);
		const { encryption } = this.qube.app.surroundings;
		if (!isEphemeral(volume)) return volume.start();
		await encryption.close(mapper);
		await volume.start();
		try {
			await encryption.open(volume.path, mapper);
		} catch (error) {
			await this.undo([volume]);
			throw error;
		}
	}

	/** Never rejects: why the start failed is what is told. */
	private async undo(volumes: readonly Volume[]): Promise<void> {
		await this.endVolumes(volumes, undoStart).catch((failure) =>
			log("error", `${this.qube.name}: after a failed start: ${failure}`),
		);
	}

	/** The encrypted view is closed whatever the volume is now: it may have been another kind when it was started. */
	private async endVolumes(volumes: readonly Volume[], end: (volume: Volume) => Promise<void>): Promise<void> {
		await forAll(volumes, async (volume) => {
			await this.qube.app.surroundings.encryption.close(mapperName(this.qube.name, volume.name));
			await end(volume);
			if (!this.isUsedByOthers(volume)) await unmarkRunning(this.runDir, volume);
		});
	}

	/** Several qubes run with the same kernel. */
	private isUsedByOthers({ pool, vid }: Volume): boolean {
		const running = this.qube.app.qubes().filter((other) => other !== this.qube && other.powerState !== "Halted");
		return running.some((other) => other.storage.volumes().some((one) => one.pool === pool && one.vid === vid));
	}
}

function undoStart(volume: Volume): Promise<void> {
	return volume.undoStart === undefined ? volume.stop() : volume.undoStart();
}

/** What a driver is told of a qube; its kernel may change later. */
function ownerOf(qube: Qube): VolumeOwner {
	return {
		name: qube.name,
		dirPrefix: dirPrefixOf(qube),
		get kernel(): string {
			return String(qube.get("kernel") ?? "");
		},
	};
}
