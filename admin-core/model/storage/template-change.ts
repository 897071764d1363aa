import { log } from "../../log.ts";
import { AdminError } from "../errors.ts";
import { onClass } from "../events/emitter.ts";
import type { EventArgs } from "../events/handler-table.ts";
import { AppVM, DispVM, type Qube } from "../qubes/qube.ts";
import type { Volume } from "./contract.ts";
import { OpaqueVolume } from "./opaque.ts";
import { findSource, type VolumePlan } from "./plan.ts";
import { isRunningDisposableOf } from "./states.ts";

/** A snapshot that follows the template of a qube: that of the qube itself, or of a disposable that is made of it. */
interface Follower {
	readonly qube: Qube;
	readonly volume: Volume;
}

for (const target of [AppVM, DispVM]) {
	onClass<Qube>(target, "property-pre-set:template", (qube, _event, args) => void planFollowers(qube, args), { bound: true });
	onClass<Qube>(target, "property-set:template", follow, { bound: true });
}

/** The snapshots of a qube that gets another template begin as the volumes of that one from now on (spec/storage-reflink.md 1.4). */
function follow(qube: Qube, _event: string, args: EventArgs): void {
	for (const [{ qube: owner, volume }, plan] of planFollowers(qube, args)) {
		owner.storage.init(plan);
		if (owner.storage.find(volume.name)?.vid === volume.vid && plan.pool === volume.pool) continue;
		// There is nothing of a snapshot on the disk while it is not started: this makes its old pool forget it.
		volume.remove().catch((error) => log("error", `volume ${volume.vid} is still known to pool ${volume.pool.name}: ${error}`));
	}
}

/** What the snapshots are to be with the new template. Throws AdminError where that cannot be, so that nothing is changed. */
function planFollowers(qube: Qube, { oldvalue, newvalue }: EventArgs): [Follower, VolumePlan][] {
	const [old, template] = [oldvalue, newvalue] as [Qube | undefined, Qube];
	const followers = findFollowers(qube, old ?? null);
	const disposable = qube.app.qubes().find((other) => isRunningDisposableOf(other, qube));
	if (followers.length > 0 && disposable !== undefined) {
		throw new AdminError(
			"QubesVMNotHaltedError",
			`Cannot change template of ${qube.name} while ${disposable.name}, made of it, runs`,
		);
	}
	return followers.map((follower) => [follower, planFollower(follower.volume, template)]);
}

/** Those whose source was found by the old template, and not named by somebody. */
function findFollowers(qube: Qube, old: Qube | null): Follower[] {
	const isFollower = (volume: Volume): boolean =>
		volume.snapOnStart && (volume instanceof OpaqueVolume || volume.source === findSource(old, volume.name));
	const own = qube.storage.volumes().filter(isFollower);
	const ownNames = own.map(({ name }) => name);
	const disposables = qube.app.qubes().filter((other) => other.klass === "DispVM" && other.related("template") === qube);
	return [
		...own.map((volume) => ({ qube, volume })),
		...disposables.flatMap((other) => {
			const volumes = other.storage.volumes().filter((volume) => ownNames.includes(volume.name) && isFollower(volume));
			return volumes.map((volume) => ({ qube: other, volume }));
		}),
	];
}

function planFollower(volume: Volume, template: Qube): VolumePlan {
	const source = findSource(template, volume.name);
	const isUsable = source !== null && !(source instanceof OpaqueVolume) && !(volume instanceof OpaqueVolume);
	if (!isUsable) {
		throw new AdminError("StoragePoolException", `volume ${volume.name} cannot become a copy of that of ${template.name}`);
	}
	const { name, vid, rw, revisionsToKeep, ephemeral, pool } = volume;
	const isSamePool = source.pool === pool;
	return {
		pool: source.pool,
		config: {
			...{ name, rw, revisionsToKeep, ephemeral, source, size: source.size, snapOnStart: true, saveOnStop: false },
			vid: isSamePool ? vid : undefined,
		},
	};
}
