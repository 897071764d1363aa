/**
 * qubesd: serves the Admin API on unix sockets, until SIGTERM or SIGINT (spec 5, 7).
 *
 * The way of a call: api/server.ts takes it off the socket, api/dispatch.ts finds the qubes and the method, a plugin (plugins/) does it,
 * store/ saves.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import yargs from "yargs";
import { ManifestError } from "./host/manifest.ts";
import { log } from "./log.ts";
import { isAdminError } from "./model/errors.ts";
import { StoreError } from "./store/errors.ts";
import { Daemon } from "./system/daemon.ts";

/** The plugins of the house: beside the bundle in dist/lib, or in the sources. */
const OWN_PLUGINS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "plugins");

const options = await yargs(process.argv.slice(2))
	.scriptName("qubesd")
	.usage("$0 [options]\n\nServes the Admin API of the qubes in a store.")
	.options({
		qubesxml: {
			type: "string",
			alias: "store",
			default: process.env["QUBES_XML_PATH"] ?? "/var/lib/qubes/qubes.xml",
			describe: "the store",
		},
		socket: { type: "string", default: "/var/run/qubesd.sock", describe: "socket for admin.* methods" },
		"internal-socket": { type: "string", default: "/var/run/qubesd.internal.sock", describe: "socket for internal.* methods" },
		plugins: { type: "string", array: true, default: [], describe: "further folders with plugins" },
		kernels: { type: "string", describe: "folder with the installed kernels" },
		"trace-plugins": { type: "boolean", default: false, describe: "print each plugin that is loaded, why, and how long it took" },
		debug: { type: "boolean", default: false, describe: "send the stack of errors to clients" },
	})
	.strict()
	.parse();

try {
	const daemon = await Daemon.start({
		store: options.qubesxml,
		socket: options.socket,
		internalSocket: options.internalSocket,
		pluginDirs: [OWN_PLUGINS, ...options.plugins],
		kernelsDir: options.kernels,
		trace: options.tracePlugins ? (line) => log("info", line) : undefined,
		debug: options.debug,
	});
	for (const signal of ["SIGTERM", "SIGINT"] as const) {
		process.once(signal, () => {
			daemon.close().catch((error) => log("error", String(error)));
		});
	}
} catch (error) {
	const isKnown = isAdminError(error) || error instanceof StoreError || error instanceof ManifestError;
	log("error", isKnown ? error.message : ((error as Error).stack ?? String(error)));
	process.exitCode = 1;
}
