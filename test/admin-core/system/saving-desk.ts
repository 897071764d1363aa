// What the tests of saving share: a desk for an app that was loaded from a store on the disk, and that is saved there.
import fs from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { Dispatcher } from "../../../admin-core/api/dispatch.ts";
import { readManifests } from "../../../admin-core/host/manifest.ts";
import { PluginHost } from "../../../admin-core/host/plugin-host.ts";
import type { App } from "../../../admin-core/model/app.ts";
import { isAdminError } from "../../../admin-core/model/errors.ts";
import { readStore } from "../../../admin-core/store/read-store.ts";
import { StoreFile } from "../../../admin-core/store/store-file.ts";
import { describeApp } from "../../../admin-core/system/describe-app.ts";
import { type Loaded, loadApp } from "../../../admin-core/system/load-app.ts";
import { Saver } from "../../../admin-core/system/saver.ts";
import { PLUGINS } from "../plugins/desk.ts";
import { makeKernel, STORE, TEST_PLUGINS } from "../storage/storage-desk.ts";
import { makeFolder } from "../store/stage.ts";

export interface SavingDesk {
	/** The folder of the store, which can be moved away: then no save works. */
	readonly folder: string;
	readonly file: string;
	readonly app: App;
	readonly loaded: Loaded;
	readonly saver: Saver;
	/** The names of all events since the last look, with their subject and what they tell. */
	readonly events: string[];
	/** A call of dom0; what is answered, or `CLASS: message`. */
	call(destination: string, method: string, payload?: string): Promise<string>;
	/** Makes saves fail, or work again. */
	hide(): void;
	show(): void;
	/** What the app is now, and what the file says. */
	inMemory(): unknown;
	inFile(): unknown;
}

/** Opens one for one test; the images of all volumes are there. */
export async function openSaving(t: ExecutionContext, { plugins = [] as readonly string[] } = {}): Promise<SavingDesk> {
	const dir = makeFolder(t);
	makeKernel(dir, "6.1");
	const folder = path.join(dir, "store");
	fs.mkdirSync(folder);
	const file = path.join(folder, "qubes.xml");
	fs.writeFileSync(file, STORE.replaceAll("DIR", dir));
	const host = new PluginHost(
		[PLUGINS, TEST_PLUGINS, ...plugins].flatMap((one) => readManifests(one, (error) => t.fail(error.message))),
	);
	t.teardown(() => host.close());
	const store = await StoreFile.open(file);
	t.teardown(() => store.close());
	const places = { baseDir: dir, runDir: path.join(dir, "run"), kernelsDir: path.join(dir, "kernels") };
	const { data } = await store.load();
	const loaded = loadApp(data, { ...places, drivers: host.drivers, deviceClasses: host.deviceClasses() });
	const { app } = loaded;
	for (const pool of app.pools.list()) await pool.setup();
	for (const volume of app.qubes().flatMap((qube) => qube.storage.volumes())) await volume.create();
	const saver = new Saver(store, loaded);
	const dispatcher = new Dispatcher(app, host, () => saver.begin());
	return {
		folder,
		file,
		app,
		loaded,
		saver,
		events: recordEvents(app),
		async call(destination, method, payload = "") {
			const [name = "", argument = ""] = method.split(/\+(.*)/s);
			const request = { method: name, argument, source: "dom0", destination, payload: Buffer.from(payload) };
			try {
				return String(await dispatcher.call(request));
			} catch (error) {
				if (!isAdminError(error)) throw error;
				return `${error.kind}: ${error.message}`;
			}
		},
		hide: () => fs.renameSync(folder, `${folder}.hidden`),
		show: () => fs.renameSync(`${folder}.hidden`, folder),
		inMemory: () => describeApp(loaded),
		inFile: () => readStore({ file, text: fs.readFileSync(file, "utf8") }).data,
	};
}

/** As a client of admin.Events sees them, without the questions. */
function recordEvents(app: App): string[] {
	const events: string[] = [];
	const record = (subject: { readonly wireName: string }, event: string, args: { readonly [name: string]: unknown }): void => {
		if (/^admin-permission:|-pre-|^device-list|^device-get/.test(event)) return;
		const told = Object.entries(args).map(
			([name, value]) => `${name}=${(value as { wireName?: string } | null)?.wireName ?? String(value)}`,
		);
		events.push([subject.wireName, event, ...told].join(" ").trim());
	};
	app.addHandler("*", record);
	app.addHandler("domain-add", (_app, _event, { vm }) => (vm as App).addHandler("*", record));
	for (const qube of app.qubes()) qube.addHandler("*", record);
	return events;
}
