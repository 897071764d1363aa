import type { PluginModule } from "../../host/plugin.ts";
import { KernelPool } from "./kernel-pool.ts";

/** The kernels that are installed in dom0, as volumes (spec/storage-reflink.md 1.3). */
export const storageDrivers: NonNullable<PluginModule["storageDrivers"]> = {
	"linux-kernel": (config) => new KernelPool(config),
};
