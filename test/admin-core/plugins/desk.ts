import path from "node:path";
import type { ExecutionContext } from "ava";
import { Dispatcher } from "../../../admin-core/api/dispatch.ts";
import { readManifests } from "../../../admin-core/host/manifest.ts";
import { PluginHost } from "../../../admin-core/host/plugin-host.ts";
import type { App } from "../../../admin-core/model/app.ts";
import { isAdminError } from "../../../admin-core/model/errors.ts";
import type { DriverSource } from "../../../admin-core/model/storage/contract.ts";
import { makeHouse } from "../model/house.ts";

/** Where the plugins of the house are. */
export const PLUGINS = path.resolve(import.meta.dirname, "../../../admin-core/plugins");

/** An app with all plugins, and somebody who takes calls for it. */
export interface Desk {
	readonly app: App;
	/** What `--trace-plugins` would print. */
	readonly traced: string[];
	/** How often the store was saved. */
	saved: number;
	/** A call; `destination` may have the source in front, as `work>dom0`. The reply, or `CLASS: message` of an error. */
	call(destination: string, method: string, payload?: string | Buffer): Promise<string>;
}

/** A call and what is answered. */
export type Exchange = readonly [where: string, method: string, payload: string | Buffer, reply: string | RegExp];

/** Makes calls in their order. */
export async function expectAnswers(t: ExecutionContext, desk: Desk, calls: readonly Exchange[]): Promise<void> {
	for (const [where, method, payload, reply] of calls) {
		const given = await desk.call(where, method, payload);
		if (typeof reply === "string") t.is(given, reply, `${where}: ${method}`);
		else t.regex(given, reply, `${where}: ${method}`);
	}
}

/** Opens a desk for one test; an app with pools is made when the drivers are known. */
export function openDesk(
	t: ExecutionContext,
	given: App | ((drivers: DriverSource) => App) = makeHouse(),
	pluginDirs: readonly string[] = [PLUGINS],
): Desk {
	const traced: string[] = [];
	const manifests = pluginDirs.flatMap((dir) => readManifests(dir, (error) => t.fail(error.message)));
	const host = new PluginHost(manifests, { trace: (line) => traced.push(line) });
	t.teardown(() => host.close());
	const app = typeof given === "function" ? given(host.drivers) : given;
	const desk: Desk = {
		app,
		traced,
		saved: 0,
		async call(where, method, payload = "") {
			const [destination = "", source = "dom0"] = where.split(">").reverse();
			const plus = method.indexOf("+");
			const [name, argument] = plus < 0 ? [method, ""] : [method.slice(0, plus), method.slice(plus + 1)];
			try {
				const answer = await dispatcher.call({ method: name, argument, source, destination, payload: Buffer.from(payload) });
				return typeof answer === "string" ? answer : "a stream";
			} catch (error) {
				if (!isAdminError(error)) throw error;
				return `${error.kind}: ${error.message}`;
			}
		},
	};
	const save = async (): Promise<void> => {
		desk.saved++;
	};
	const dispatcher = new Dispatcher(app, host, () => ({ save, end: () => undefined }));
	return desk;
}
