import fs from "node:fs";
import path from "node:path";
import { AdminError } from "../../model/errors.ts";
import type { Pool, PoolConfig, PoolUsage, Volume, VolumeConfig, VolumeOwner } from "../../model/storage/contract.ts";
import { KernelVolume } from "./kernel-volume.ts";

/** A folder with a folder for each kernel, which packages fill. */
export class KernelPool implements Pool {
	readonly name: string;
	readonly driver = "linux-kernel";
	readonly dir: string;

	constructor({ name, options }: PoolConfig) {
		const dir = options.get("dir_path") ?? "";
		if (!path.isAbsolute(dir)) throw new AdminError("QubesValueError", `dir_path: want an absolute path, not '${dir}'`);
		this.name = name;
		this.dir = path.normalize(dir).replace(/(?<=.)\/$/, "");
	}

	config(): ReadonlyMap<string, string> {
		return new Map([["dir_path", this.dir]]);
	}

	get revisionsToKeep(): number {
		return 0;
	}

	set revisionsToKeep(_value: number) {
		throw new AdminError("QubesNotImplementedError", `driver ${this.driver} has no revisions_to_keep`);
	}

	get ephemeralVolatile(): boolean {
		return false;
	}

	set ephemeralVolatile(_value: boolean) {
		throw new AdminError("QubesNotImplementedError", `driver ${this.driver} has no ephemeral_volatile`);
	}

	async setup(): Promise<void> {
		if (fs.statSync(this.dir, { throwIfNoEntry: false })?.isDirectory() === true) return;
		throw new AdminError("StoragePoolException", `pool ${this.name}: there is no directory ${this.dir}`);
	}

	async destroy(): Promise<void> {}

	/** Whose kernel it is changes with the property of the qube, so it is not what the configuration says. */
	initVolume(owner: VolumeOwner, { name, rw, snapOnStart, saveOnStop }: VolumeConfig): Volume {
		if (rw !== true && snapOnStart !== true && saveOnStop !== true) return new KernelVolume(this, name, () => owner.kernel ?? "");
		throw new AdminError("StoragePoolException", `volume ${name}: pool ${this.name} has kernels only, which nobody writes`);
	}

	getVolume(vid: string): Volume {
		const volume = this.volumes().find((one) => one.vid === vid);
		if (volume !== undefined) return volume;
		throw new AdminError("StoragePoolException", `no kernel '${vid}' in pool ${this.name}`);
	}

	/** All that are installed. */
	volumes(): readonly Volume[] {
		try {
			const entries = fs.readdirSync(this.dir, { withFileTypes: true });
			const kernels = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
			return kernels.map((kernel) => new KernelVolume(this, "kernel", () => kernel));
		} catch {
			return [];
		}
	}

	/** As all of it is files of packages, there is nothing to say of it. */
	async usage(): Promise<PoolUsage> {
		return { size: null, usage: null, details: new Map() };
	}

	async includedIn(others: readonly Pool[]): Promise<Pool | null> {
		const own = realPath(this.dir);
		const isAround = (other: Pool): boolean => {
			const outer = realPath(other.config().get("dir_path"));
			return own !== null && outer !== null && `${own}/`.startsWith(outer === "/" ? outer : `${outer}/`);
		};
		return others.find(isAround) ?? null;
	}

	async settled(): Promise<void> {}

	toString(): string {
		return this.name;
	}
}

/** Null where there is no such directory. */
function realPath(dir: string | undefined): string | null {
	try {
		return dir === undefined ? null : fs.realpathSync(dir);
	} catch {
		return null;
	}
}
