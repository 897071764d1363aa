import path from "node:path";
import { Dispatcher } from "../api/dispatch.ts";
import { notifyReady } from "../api/notify.ts";
import { listen, type SocketServer } from "../api/server.ts";
import type { Request } from "../api/wire.ts";
import { type Manifest, readManifests } from "../host/manifest.ts";
import { PluginHost } from "../host/plugin-host.ts";
import { log } from "../log.ts";
import type { App, Surroundings } from "../model/app.ts";
import { type Hypervisor, type HypervisorContext, NO_HYPERVISOR } from "../model/hypervisor.ts";
import { StoreFile } from "../store/store-file.ts";
import { loadApp } from "./load-app.ts";
import { PolicyProgram } from "./policy-program.ts";
import { qubesPrograms } from "./programs.ts";
import { Saver } from "./saver.ts";
import { settlePools, stopVolumes } from "./stop-volumes.ts";
import { warnOfStrays } from "./stray-images.ts";
import { cryptsetup } from "./volume-encryption.ts";

/** Where qubesd finds things, and how it talks. */
export interface DaemonOptions {
	/** qubes.xml */
	readonly store: string;
	/** Sockets for `admin.*`, for `internal.*`, and for the services of dom0 that qubes call, `qubes.*` (spec 7.1). */
	readonly socket: string;
	readonly internalSocket: string;
	readonly miscSocket: string;
	/** Folders with plugins in them. */
	readonly pluginDirs: readonly string[];
	readonly kernelsDir?: string | undefined;
	/** See Surroundings; if nothing is said, the directories of qubes are beside the store, and the other one is `qubes` beside the main socket. */
	readonly baseDir?: string | undefined;
	readonly runDir?: string | undefined;
	readonly backupProfilesDir?: string | undefined;
	/** What is asked where the qrexec policy decides; without it qubes other than dom0 see nothing where it would be. */
	readonly policyProgram?: string | undefined;
	/** Policy directories instead of the system's, if there are any. */
	readonly policyDirs?: readonly string[];
	/** See Surroundings. */
	readonly deprecatedEvents?: boolean;
	/** The name of what boots qubes; nothing does if it is `none` or not said. */
	readonly hypervisor?: string;
	/** Told of each plugin that is loaded. */
	readonly trace?: ((line: string) => void) | undefined;
	/** Whether errors are sent with their stack. */
	readonly debug?: boolean;
}

/** The group that may talk to qubesd, if there is one of this name (issue: 0660 root:qubes). */
const GROUP = "qubes";
const SOCKET_MODE = 0o660;
/** Methods that are served on a socket of their own, and nowhere else: those of trusted programs, and services of dom0. */
const INTERNAL = "internal.";
const MISC = "qubes.";

/** qubesd: a store, an app, plugins, and three sockets. */
export class Daemon {
	private readonly app: App;
	private readonly store: StoreFile;
	private readonly host: PluginHost;
	private readonly saver: Saver;
	private readonly servers: readonly SocketServer[];

	private constructor(app: App, store: StoreFile, host: PluginHost, saver: Saver, servers: readonly SocketServer[]) {
		this.app = app;
		this.store = store;
		this.host = host;
		this.saver = saver;
		this.servers = servers;
	}

	/**
	 * Starts everything, in this order: plugins are known, the store is loaded, volumes are stopped, the sockets listen. Throws StoreError, AdminError or
	 * Error, which say what is wrong; then nothing of it runs.
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
			const loaded = loadApp(data, {
				...givenPlaces(options),
				...givenPolicy(options),
				deprecatedEvents: options.deprecatedEvents ?? true,
				deviceClasses: host.deviceClasses(),
				drivers: host.drivers,
				programs: qubesPrograms(),
				encryption: cryptsetup(),
				hypervisor: makeHypervisor(host, options.hypervisor, (name) => void endQube(dispatcher, name)),
			});
			const saver = new Saver(store, loaded);
			if (loaded.isChanged) await saveOnce(saver);
			await stopVolumes(loaded.app);
			const dispatcher = new Dispatcher(loaded.app, host, () => saver.begin());
			const servers = await openSockets(dispatcher, options);
			await notifyReady(`${loaded.app.qubes().length} qubes`);
			// Nobody has to wait for what is only told.
			void warnOfStrays(loaded.app);
			return new Daemon(loaded.app, store, host, saver, servers);
		} catch (error) {
			await store.close();
			host.close();
			throw error;
		}
	}

	/** Ends calls under way, waits for the pools and for what is being saved, then lets go of the store. */
	async close(): Promise<void> {
		await Promise.all(this.servers.map((server) => server.close()));
		await settlePools(this.app);
		await this.saver.close();
		await this.store.close();
		this.host.close();
	}
}

function makeHypervisor(host: PluginHost, name = "none", ended: HypervisorContext["ended"]): Hypervisor {
	return name === "none" ? NO_HYPERVISOR : host.hypervisor(name)({ ended, log });
}

/** A qube that has ended by itself is cleaned up after as one that is killed. */
async function endQube(dispatcher: Dispatcher, destination: string): Promise<void> {
	const call = { source: "dom0", destination, method: "admin.vm.Kill", argument: "", payload: Buffer.alloc(0) };
	await dispatcher.call(call).catch((error) => log("error", `${destination} has ended: ${String(error)}`));
}

async function saveOnce(saver: Saver): Promise<void> {
	const { save, end } = saver.begin();
	await save();
	end();
}

/** Where things are; what is not said has its usual place. */
function givenPlaces({ store, socket, kernelsDir, backupProfilesDir, ...rest }: DaemonOptions): Partial<Surroundings> {
	const { baseDir = path.dirname(path.resolve(store)), runDir = path.join(path.dirname(path.resolve(socket)), "qubes") } = rest;
	const given = Object.entries({ kernelsDir, backupProfilesDir }).filter(([, dir]) => dir !== undefined);
	return { baseDir, runDir, ...Object.fromEntries(given) };
}

function givenPolicy({ policyProgram, policyDirs = [] }: DaemonOptions): Partial<Surroundings> {
	return policyProgram === undefined ? {} : { policy: new PolicyProgram({ program: policyProgram, policyDirs }) };
}

function readPlugins(dir: string): Manifest[] {
	return readManifests(dir, (error) => log("error", `a plugin is left out: ${error.message}`));
}

/** Opens the sockets; when the internal one is there, all are. */
async function openSockets(dispatcher: Dispatcher, options: DaemonOptions): Promise<SocketServer[]> {
	const { debug = false } = options;
	const serve = (prefix: string) => (request: Request) => dispatcher.call(request, (method) => prefixOf(method) === prefix);
	// Only root may give a file to a group that it is not in.
	const group = process.getuid?.() === 0 ? { group: GROUP } : {};
	const servers: SocketServer[] = [];
	try {
		for (const [prefix, path] of [
			["", options.socket],
			[MISC, options.miscSocket],
			[INTERNAL, options.internalSocket],
		] as const) {
			servers.push(await listen({ path, mode: SOCKET_MODE, ...group }, serve(prefix), { debug }));
		}
	} catch (error) {
		await Promise.all(servers.map((server) => server.close()));
		throw error;
	}
	return servers;
}

function prefixOf(method: string): string {
	return [INTERNAL, MISC].find((prefix) => method.startsWith(prefix)) ?? "";
}
