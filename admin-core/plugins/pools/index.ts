import type { Call, PluginModule } from "../../host/plugin.ts";
import type { App } from "../../model/app.ts";
import { AdminError } from "../../model/errors.ts";
import { listReply } from "../../model/list-reply.ts";
import { parseFlag, parseNumber } from "../../model/payload.ts";
import type { Pool } from "../../model/storage/contract.ts";
import { addPool } from "./add.ts";
import { describeSpace } from "./space.ts";

/** The methods of pools (spec 8.5, spec/storage-reflink.md 9.2). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.pool.List": ({ app, permit }) => {
		const sees = permit();
		return listReply(
			app.pools.list().map(({ name }) => name),
			sees,
		);
	},
	"admin.pool.ListDrivers": ({ app, permit }) => {
		const sees = permit();
		const drivers = app.surroundings.drivers.list().filter(({ name }) => sees(name));
		// The blank behind the name is there without options too.
		return drivers.map(({ name, options }) => `${name} ${options.map((option) => option.name).join(" ")}\n`).join("");
	},
	"admin.pool.Info": async ({ app, argument, permit }) => {
		permit();
		return describe(app, findPool(app, argument));
	},
	"admin.pool.UsageDetails": async ({ app, argument, permit }) => {
		permit();
		const { details } = await findPool(app, argument).usage();
		return lines([...details].sort(byName));
	},
	"admin.pool.SpaceDetails": ({ app, argument, permit }) => {
		const sees = permit();
		return describeSpace(findPool(app, argument), sees);
	},
	"admin.pool.Add": addPool,
	"admin.pool.Remove": async ({ app, argument, permit }) => {
		permit();
		await app.pools.remove(findPool(app, argument));
		return "";
	},
	"admin.pool.Set.revisions_to_keep": ({ app, argument, payload, permit }) => {
		const newvalue = parseNumber("Revisions to keep", payload.toString("latin1"), { negative: true });
		if (newvalue < -1) throw new AdminError("ProtocolError", "Revisions to keep: want -1 or more");
		permit({ newvalue });
		findPool(app, argument).revisionsToKeep = newvalue;
		return "";
	},
	"admin.pool.Set.ephemeral_volatile": ({ app, argument, payload, permit }) => {
		const newvalue = parseFlag(payload);
		permit({ newvalue });
		findPool(app, argument).ephemeralVolatile = newvalue;
		return "";
	},
	"admin.pool.volume.List": ({ app, argument, permit }: Call) => {
		const sees = permit();
		return listReply(
			findPool(app, argument)
				.volumes()
				.map(({ vid }) => vid),
			sees,
		);
	},
};

/** A pool that is not there looks as one that the caller may not see (spec 7.6). */
function findPool(app: App, name: string): Pool {
	const pool = app.pools.find(name);
	if (pool === null) throw new AdminError("PermissionDenied", "Argument not in 'pools'");
	return pool;
}

/** The configuration sorted by key, then what is known of its size and where it lies. */
async function describe({ pools }: App, pool: Pool): Promise<string> {
	const config = [...pool.config(), ["name", pool.name], ["driver", pool.driver]] as [string, string][];
	const { size, usage } = await pool.usage();
	const outer = await pool.includedIn(pools.list().filter((other) => other !== pool));
	const more: [string, unknown][] = [
		["size", size],
		["usage", usage],
		["included_in", outer?.name ?? null],
	];
	return lines([...config.sort(byName), ...more.filter(([, value]) => value !== null)]);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
	return a < b ? -1 : 1;
}

function lines(entries: readonly (readonly [key: string, value: unknown])[]): string {
	return entries.map(([key, value]) => `${key}=${value}\n`).join("");
}
