// Real volumes for the worlds of the model: does an operation with the driver, and says how what is there differs from what must be.
import fs from "node:fs";
import path from "node:path";
import type { Pool, Volume } from "../../admin-core/model/storage/contract.ts";
import { storageDrivers } from "../../storage-reflink/index.ts";
import { read, write } from "./images.ts";
import { type Disk, type Operation, ORIGINS, type Origin, SIZES, type World } from "./model.ts";

export class Actors {
	readonly dir: string;
	pool: Pool;
	readonly log: string[] = [];
	/** Whether revisions that should have been pruned can still be there. */
	mayLinger = false;
	/** So that many can act side by side, in the same qubes. */
	readonly #suffix: string;

	/** With a suffix and others: volumes of its own in the pool of those. */
	constructor(dir: string, suffix = "", others?: Actors) {
		this.dir = dir;
		this.#suffix = suffix;
		this.pool = others?.pool ?? this.#makePool();
		this.#initVolumes({});
	}

	/** A new daemon with the settings that its qubes.xml has. */
	open(world: World): void {
		this.pool = this.#makePool();
		this.#initVolumes(world);
	}

	volume(name: string): Volume {
		return this.pool.getVolume(`${vidOf(name)}${this.#suffix}`);
	}

	/** Does an operation. Throws a StoragePoolException where the driver refuses it. */
	async act(operation: Operation, world: World): Promise<void> {
		if (operation.kind === "restart") return this.restart(world);
		const volume = this.volume(operation.volume);
		switch (operation.kind) {
			case "create":
			case "start":
			case "stop":
				return volume[operation.kind]();
			case "undo":
				return volume.undoStart?.();
			case "remove": {
				try {
					await volume.remove();
				} finally {
					this.#init(operation.volume, volume.revisionsToKeep, world.origins[operation.volume]?.nominal);
				}
				return;
			}
			case "write":
				return this.#write(volume, operation.letter);
			case "revert":
				return volume.revert(operation.id === undefined ? undefined : `${operation.id}`);
			case "resize":
				return volume.resize(operation.size);
			case "import":
				write(await volume.importData(operation.size), operation.letter);
				return volume.importDataEnd(operation.isSuccess);
			case "clone":
				return volume.importVolume(this.volume(operation.from));
			case "keep":
				// As the API does, which refuses to switch while it runs.
				if (!volume.isDirty() || (volume.revisionsToKeep === -1) === (operation.keep === -1))
					volume.revisionsToKeep = operation.keep;
		}
	}

	/** A new daemon, which stops all volumes before it does anything else. */
	async restart(world: World): Promise<void> {
		await this.pool.settled();
		this.open(world);
		for (const volume of this.pool.volumes()) await volume.stop();
	}

	/** How what is there differs from a world; empty if it does not. `anyLetter`: a guest has written without a stop, and power was lost. */
	differences(world: World, anyLetter: readonly string[] = []): string[] {
		const origins = ORIGINS.flatMap((name) => this.#differencesOf(name, world.origins[name] as Origin, anyLetter.includes(name)));
		return [...origins, ...this.#snapshotDifferences(world), ...this.#volatileDifferences(world)];
	}

	/** Names of files that should not be there when nothing is going on. */
	unfinished(): string[] {
		const names = fs.readdirSync(this.dir, { recursive: true, encoding: "utf8" });
		return names.filter((name) => name.includes("~") || name.endsWith("-import.img"));
	}

	#makePool(): Pool {
		const make = storageDrivers["file-reflink"];
		if (make === undefined) throw new Error("no driver");
		const options = new Map([
			["dir_path", this.dir],
			["setup_check", "no"],
		]);
		return make({ name: "pool", options }, { log: (level, line) => void this.log.push(`${level} ${line}`) });
	}

	#initVolumes({ origins, volatile }: Partial<World>): void {
		for (const name of ORIGINS) this.#init(name, origins?.[name]?.keep ?? 2, origins?.[name]?.nominal);
		this.pool.initVolume(
			{ name: "app", dirPrefix: "appvms" },
			{ name: `a${this.#suffix}`, rw: true, snapOnStart: true, source: this.volume("t") },
		);
		this.pool.initVolume(
			{ name: "app", dirPrefix: "appvms" },
			{ name: `v${this.#suffix}`, rw: true, size: volatile?.nominal ?? SIZES[0] },
		);
	}

	#init(name: string, revisionsToKeep: number, size = SIZES[0]): void {
		const [dirPrefix, owner] = vidOf(name).split("/") as [string, string];
		this.pool.initVolume(
			{ name: owner, dirPrefix },
			{ name: `${name}${this.#suffix}`, rw: true, saveOnStop: true, size, revisionsToKeep },
		);
	}

	async #write(volume: Volume, letter: string): Promise<void> {
		if (!fs.existsSync(volume.path)) throw Object.assign(new Error("not started"), { kind: "StoragePoolException" });
		write(volume.path, letter);
	}

	#differencesOf(name: string, origin: Origin, anyLetter: boolean): string[] {
		const volume = this.volume(name);
		const found: string[] = [];
		const compare = (what: string, actual: unknown, wanted: unknown): void => {
			if (actual !== wanted) found.push(`${name}: ${what} is ${actual}: want ${wanted}`);
		};
		const shown = (disk: Disk | null): string | null => show(disk, anyLetter);
		compare("clean", shown(this.#disk(volume, ".img")), shown(origin.clean));
		compare("dirty", shown(this.#disk(volume, "-dirty.img")), shown(origin.dirty));
		compare("isDirty", volume.isDirty(), origin.dirty !== null);
		const revisions = new Map([...volume.revisions].map(([id, time]) => [Number(id), this.#disk(volume, `.img.${id}@${time}Z`)]));
		for (const [id, disk] of origin.revisions) compare(`revision ${id}`, show(revisions.get(id) ?? null), show(disk));
		for (const [id, disk] of revisions) {
			// It was pruned while we looked.
			if (disk === null && !origin.revisions.has(id)) continue;
			if (this.mayLinger && [...origin.revisions.keys()].every((other) => id < other)) continue;
			const wanted = origin.revisions.get(id) ?? origin.lingering.get(id) ?? null;
			compare(`revision ${id}`, show(disk), show(wanted));
		}
		const precache = this.#disk(volume, "-precache.img");
		if (precache !== null && origin.clean !== null) compare("precache", show(precache), show(this.#disk(volume, ".img")));
		return found;
	}

	#snapshotDifferences({ snapshot, origins }: World): string[] {
		const volume = this.volume("a");
		const found: string[] = [];
		const actual = [show(this.#disk(volume, ".img")), show(this.#disk(volume, "-dirty.img"))].join();
		const wanted = [show(snapshot?.begin ?? null), show(snapshot?.now ?? null)].join();
		if (actual !== wanted) found.push(`a: ${actual}: want ${wanted}`);
		const source = origins["t"]?.clean ?? null;
		const isOutdated = snapshot !== null && source !== null && source.number !== snapshot.begin.number;
		// A run in which nothing is written makes another file with the same size, time and content: then both answers are right.
		const isAlike = snapshot !== null && show(source) === show(snapshot.begin);
		if (volume.isOutdated() !== isOutdated && !isAlike) found.push(`a: outdated is ${volume.isOutdated()}`);
		return found;
	}

	#volatileDifferences({ volatile: { nominal, now } }: World): string[] {
		const volume = this.volume("v");
		const actual = [show(this.#disk(volume, "-dirty.img")), volume.size].join();
		const wanted = [show(now), now?.size ?? nominal].join();
		return actual === wanted ? [] : [`v: ${actual}: want ${wanted}`];
	}

	#disk(volume: Volume, suffix: string): Disk | null {
		const file = path.join(this.dir, `${volume.vid}${suffix}`);
		try {
			return { letter: read(file), size: fs.statSync(file).size, number: 0 };
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
			return null;
		}
	}
}

function vidOf(name: string): string {
	if (name === "t") return "vm-templates/deb/t";
	return name === "p" ? "appvms/work/p" : `appvms/app/${name}`;
}

function show(disk: Disk | null, anyLetter = false): string | null {
	return disk === null ? null : `${anyLetter ? "" : disk.letter}${disk.size}`;
}
