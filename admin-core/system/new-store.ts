import fs from "node:fs";
import path from "node:path";
import { readManifests } from "../host/manifest.ts";
import { PluginHost } from "../host/plugin-host.ts";
import type { App } from "../model/app.ts";
import { AdminError } from "../model/errors.ts";
import { Labels } from "../model/labels.ts";
import { StoreFile } from "../store/store-file.ts";
import { describeApp } from "./describe-app.ts";
import { loadApp } from "./load-app.ts";

/** The pools of a new system, by the names that they have in Qubes (spec/storage-reflink.md 2). */
const KERNEL_POOL = "linux-kernel";
const MAIN_POOL = "varlibqubes";

/** What a new store is to have. */
export interface NewStore {
	/** Where it is to be; its folder is made if it is missing. */
	readonly file: string;
	readonly pluginDirs: readonly string[];
	/** Where kernels are kept; made if it is missing. */
	readonly kernelsDir: string;
	/** The driver of the pool for the volumes of qubes, and its options; `dir_path` is the folder of the store if it is not said. Null: no such pool. */
	readonly pool: { readonly driver: string; readonly options: ReadonlyMap<string, string> } | null;
}

/**
 * Makes the store of a new system: the usual labels, a pool of kernels, the pool that was asked for, and dom0 (spec 5.6). Throws AdminError or StoreError; then there
 * is no store, but what was set up of a pool stays.
 */
export async function createStore({ file, pluginDirs, kernelsDir, pool }: NewStore): Promise<void> {
	if (fs.existsSync(file)) throw new AdminError("QubesException", `${file} is there already: it is left as it is`);
	const dir = path.dirname(path.resolve(file));
	fs.mkdirSync(dir, { recursive: true });
	fs.mkdirSync(kernelsDir, { recursive: true });
	const host = new PluginHost(pluginDirs.flatMap((plugins) => readManifests(plugins, raise)));
	const store = await StoreFile.open(file);
	try {
		const nothing = { labels: new Labels().list(), pools: [], properties: [], domains: [] };
		const loaded = loadApp(nothing, { kernelsDir, deviceClasses: host.deviceClasses(), drivers: host.drivers });
		await loaded.app.pools.add("linux-kernel", KERNEL_POOL, new Map([["dir_path", kernelsDir]]));
		loaded.app.set("default_pool_kernel", KERNEL_POOL);
		if (pool !== null) await addMainPool(loaded.app, dir, pool);
		await store.save(describeApp(loaded));
	} finally {
		await store.close();
		host.close();
	}
}

function raise(error: Error): never {
	throw error;
}

async function addMainPool(app: App, dir: string, { driver, options }: NonNullable<NewStore["pool"]>): Promise<void> {
	const wantsDir = app.pools.driver(driver)?.options.some(({ name }) => name === "dir_path") === true;
	await app.pools.add(driver, MAIN_POOL, wantsDir ? new Map([["dir_path", dir], ...options]) : options);
	app.set("default_pool", MAIN_POOL);
}
