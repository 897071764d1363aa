// A storage driver for tests of what is no driver: plain files in a directory, as short as the contract lets it be.
import fs from "node:fs";
import path from "node:path";
import type { PluginModule } from "../../../../../admin-core/host/plugin.ts";
import { AdminError } from "../../../../../admin-core/model/errors.ts";
import type {
	Pool,
	PoolConfig,
	PoolUsage,
	Volume,
	VolumeConfig,
	VolumeOwner,
} from "../../../../../admin-core/model/storage/contract.ts";
import { FilesVolume } from "./volume.ts";

export const storageDrivers: NonNullable<PluginModule["storageDrivers"]> = {
	"test-files": (config) => new FilesPool(config),
};

class FilesPool implements Pool {
	readonly name: string;
	readonly driver = "test-files";
	readonly dir: string;
	revisionsToKeep: number;
	ephemeralVolatile: boolean;
	private readonly byVid = new Map<string, Volume>();

	constructor({ name, options }: PoolConfig) {
		this.name = name;
		this.dir = options.get("dir_path") ?? "";
		this.revisionsToKeep = Number(options.get("revisions_to_keep") ?? "1");
		this.ephemeralVolatile = options.get("ephemeral_volatile") === "True";
		if (!Number.isInteger(this.revisionsToKeep)) throw new AdminError("QubesValueError", "revisions_to_keep: want a number");
	}

	config(): ReadonlyMap<string, string> {
		return new Map([
			["revisions_to_keep", String(this.revisionsToKeep)],
			["dir_path", this.dir],
			["ephemeral_volatile", this.ephemeralVolatile ? "True" : "False"],
		]);
	}

	async setup(): Promise<void> {
		try {
			fs.mkdirSync(path.join(this.dir, "appvms"), { recursive: true });
			fs.mkdirSync(path.join(this.dir, "vm-templates"), { recursive: true });
		} catch (error) {
			throw new AdminError("StoragePoolException", String(error));
		}
	}

	async destroy(): Promise<void> {}

	initVolume(owner: VolumeOwner, config: VolumeConfig): Volume {
		if (config.vid?.includes("..") === true) throw new AdminError("StoragePoolException", `bad vid ${config.vid}`);
		const vid = config.vid ?? `${owner.dirPrefix}/${owner.name}/${config.name}`;
		const volume = new FilesVolume(this, path.join(this.dir, vid), { ...config, vid }, () => this.byVid.delete(vid));
		this.byVid.set(vid, volume);
		return volume;
	}

	getVolume(vid: string): Volume {
		const volume = this.byVid.get(vid);
		if (volume === undefined) throw new AdminError("StoragePoolException", `no volume ${vid} in pool ${this.name}`);
		return volume;
	}

	volumes(): readonly Volume[] {
		return [...this.byVid.values()];
	}

	async usage(): Promise<PoolUsage> {
		if (!fs.existsSync(this.dir)) return { size: null, usage: null, details: new Map() };
		return {
			size: 1000,
			usage: 10,
			details: new Map([...(["data_usage", "data_size"] as const)].map((key) => [key, key.length])),
		};
	}

	async includedIn(others: readonly Pool[]): Promise<Pool | null> {
		return others.find((other) => this.dir.startsWith(`${other.config().get("dir_path")}/`)) ?? null;
	}

	async settled(): Promise<void> {
		fs.writeFileSync(path.join(path.dirname(this.dir), `settled-${this.name}`), "");
	}

	toString(): string {
		return this.name;
	}
}
