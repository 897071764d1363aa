import { Dispatcher } from "../api/dispatch.ts";
import { notifyReady } from "../api/notify.ts";
import { listen, type SocketServer } from "../api/server.ts";
import type { Request } from "../api/wire.ts";
import { type Manifest, readManifests } from "../host/manifest.ts";
import { PluginHost } from "../host/plugin-host.ts";
import { log } from "../log.ts";
import { AdminError } from "../model/errors.ts";
import { StoreError } from "../store/errors.ts";
import { StoreFile } from "../store/store-file.ts";
import { describeApp } from "./describe-app.ts";
import { type Loaded, loadApp } from "./load-app.ts";

/** Where qubesd finds things, and how it talks. */
export interface DaemonOptions {
	/** qubes.xml */
	readonly store: string;
	/** Sockets for `admin.*` and for `internal.*` (spec 7.1). */
	readonly socket: string;
	readonly internalSocket: string;
	/** Folders with plugins in them. */
	readonly pluginDirs: readonly string[];
	readonly kernelsDir?: string | undefined;
	/** Told of each plugin that is loaded. */
	readonly trace?: ((line: string) => void) | undefined;
	/** Whether errors are sent with their stack. */
	readonly debug?: boolean;
}

/** The group that may talk to qubesd, if there is one of this name (issue: 0660 root:qubes). */
const GROUP = "qubes";
const SOCKET_MODE = 0o660;
/** Methods of trusted programs only; they are served on a socket of their own. */
const INTERNAL = "internal.";

/** qubesd: a store, an app, plugins, and two sockets. */
export class Daemon {
	private readonly store: StoreFile;
	private readonly host: PluginHost;
	private readonly saver: Saver;
	private readonly servers: readonly SocketServer[];

	private constructor(store: StoreFile, host: PluginHost, saver: Saver, servers: readonly SocketServer[]) {
		this.store = store;
		this.host = host;
		this.saver = saver;
		this.servers = servers;
	}

	/**
	 * Starts everything, in this order: plugins are known, the store is loaded, the sockets listen. Throws StoreError, AdminError or Error, which say
	 * what is wrong; then nothing of it runs.
	 */
	static async start(options: DaemonOptions): Promise<Daemon> {
		const host = new PluginHost(
			options.pluginDirs.flatMap(readPlugins),
			options.trace === undefined ? {} : { trace: options.trace },
		);
		const store = await StoreFile.open(options.store);
		try {
			const { data, warnings } = await store.load();
			for (const warning of warnings) log("warning", warning);
			const loaded = loadApp(data, { ...givenKernels(options), deviceClasses: host.deviceClasses(), drivers: host.drivers });
			const saver = new Saver(store, loaded);
			if (loaded.isChanged) await saver.save();
			const servers = await openSockets(new Dispatcher(loaded.app, host, () => saver.save()), options);
			await notifyReady(`${loaded.app.qubes().length} qubes`);
			return new Daemon(store, host, saver, servers);
		} catch (error) {
			await store.close();
			host.close();
			throw error;
		}
	}

	/** Ends calls under way, saves what could not be saved before, then lets go of the store. */
	async close(): Promise<void> {
		await Promise.all(this.servers.map((server) => server.close()));
		await this.saver.saveRest();
		await this.store.close();
		this.host.close();
	}
}

function givenKernels({ kernelsDir }: DaemonOptions) {
	return kernelsDir === undefined ? {} : { kernelsDir };
}

function readPlugins(dir: string): Manifest[] {
	return readManifests(dir, (error) => log("error", `a plugin is left out: ${error.message}`));
}

/** Saves the app. A change that could not be saved stands in memory, and goes into the file with the next one that can, or at the end. */
class Saver {
	private readonly store: StoreFile;
	private readonly loaded: Loaded;
	private isBehind = false;

	constructor(store: StoreFile, loaded: Loaded) {
		this.store = store;
		this.loaded = loaded;
	}

	/** Throws an AdminError for the client whose change it was. */
	async save(): Promise<void> {
		try {
			await this.store.save(describeApp(this.loaded));
			this.isBehind = false;
		} catch (error) {
			if (!(error instanceof StoreError)) throw error;
			this.isBehind = true;
			log("error", error.message);
			throw new AdminError("QubesException", `changed, but not saved: ${error.message}`);
		}
	}

	/** Never rejects: what cannot be saved now is lost, and logged. */
	async saveRest(): Promise<void> {
		if (this.isBehind) await this.save().catch((error) => log("error", String(error)));
	}
}

async function openSockets(
	dispatcher: Dispatcher,
	{ socket, internalSocket, debug = false }: DaemonOptions,
): Promise<SocketServer[]> {
	const serve = (isInternal: boolean) => (request: Request) => {
		if (request.method.startsWith(INTERNAL) === isInternal) return dispatcher.call(request);
		throw new AdminError("ProtocolError", `no such method: '${request.method}'`);
	};
	// Only root may give a file to a group that it is not in.
	const group = process.getuid?.() === 0 ? { group: GROUP } : {};
	const place = (path: string) => ({ path, mode: SOCKET_MODE, ...group });
	const main = await listen(place(socket), serve(false), { debug });
	try {
		return [main, await listen(place(internalSocket), serve(true), { debug })];
	} catch (error) {
		await main.close();
		throw error;
	}
}
