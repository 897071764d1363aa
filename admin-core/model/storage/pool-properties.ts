import type { App } from "../app.ts";
import { AdminError } from "../errors.ts";
import { type Property, textProperty, type Value } from "../properties/property.ts";
import type { Pool } from "./contract.ts";
import { USUAL_VOLUMES } from "./default-volumes.ts";

/** The properties that name a pool. */
export const DEFAULT_POOLS = ["default_pool", ...USUAL_VOLUMES.map((name) => `default_pool_${name}`)];

/** The pools of new volumes (spec 3.7). */
export const poolProperties: readonly Property<App>[] = DEFAULT_POOLS.map((name) =>
	textProperty<App>(name, {
		stage: 3,
		default: (app) => (name === "default_pool" ? usualPool(app) : (app.get("default_pool") ?? null)),
		check: checkPool,
		doc: name === "default_pool" ? "The pool of new volumes." : `The pool of new ${name.slice("default_pool_".length)} volumes.`,
	}),
);

/** The pool that is called `default`, else the one of files where Qubes keeps everything; none if there is neither. */
function usualPool({ pools, surroundings }: App): Value {
	const isUsual = (pool: Pool): boolean =>
		["file", "file-reflink"].includes(pool.driver) && pool.config().get("dir_path") === surroundings.baseDir;
	return (pools.find("default") ?? pools.list().find(isUsual))?.name ?? null;
}

function checkPool(app: App, value: Value): Value {
	if (app.pools.find(String(value)) !== null) return value;
	throw new AdminError("QubesPropertyValueError", `No such storage pool: '${value}'`);
}
