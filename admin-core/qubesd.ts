/**
 * qubesd: serves the Admin API on unix sockets, until SIGTERM or SIGINT, or with whoever started it (spec 5, 7).
 *
 * The way of a call: api/server.ts takes it off the socket, api/dispatch.ts finds the qubes and the method, a plugin (plugins/) does it,
 * store/ saves.
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import yargs from "yargs";
import { ManifestError } from "./host/manifest.ts";
import { log } from "./log.ts";
import { isAdminError } from "./model/errors.ts";
import { StoreError } from "./store/errors.ts";
import { Daemon } from "./system/daemon.ts";
import { endWithUsage } from "./usage-error.ts";

/** The plugins of the house: beside the bundle in dist/lib, or in the sources. */
const HERE = path.dirname(fileURLToPath(import.meta.url));
const OWN_PLUGINS = path.join(HERE, "plugins");
/** Beside the bundle, where both were built. */
const OWN_POLICY_PROGRAM = path.join(HERE, "../bin/qrexec-policy-exec");

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
		"misc-socket": { type: "string", describe: "socket for qubes.* methods [beside the first one, with .misc in its name]" },
		"base-dir": { type: "string", describe: "folder with the directories of qubes [that of the store]" },
		"run-dir": {
			type: "string",
			describe: "folder for files that the next start of the machine shall not find [qubes, beside the socket]",
		},
		"backup-profiles": { type: "string", describe: "folder with the profiles of backups" },
		plugins: { type: "string", array: true, default: [], describe: "further folders with plugins" },
		kernels: { type: "string", describe: "folder with the installed kernels" },
		"policy-program": {
			type: "string",
			default: fs.existsSync(OWN_POLICY_PROGRAM) ? OWN_POLICY_PROGRAM : "/usr/bin/qrexec-policy-exec",
			describe: "what knows the qrexec policy, which says what qubes other than dom0 see",
		},
		"policy-dir": { type: "string", array: true, default: [], describe: "policy directories instead of the system's" },
		hypervisor: { type: "string", default: "none", describe: "what boots qubes: none, or one that a plugin brings" },
		"deprecated-events": { type: "boolean", default: true, describe: "fire property-del:* beside property-reset:*" },
		"trace-plugins": { type: "boolean", default: false, describe: "print each plugin that is loaded, why, and how long it took" },
		embedded: { type: "boolean", default: false, describe: "end when standard input is closed: whoever started it is gone" },
		debug: { type: "boolean", default: false, describe: "send the stack of errors to clients" },
	})
	.alias("help", "h")
	.strict()
	.fail((message, error) => endWithUsage("qubesd", message ?? error.message))
	.parse();

// Else a plugin that forgets a promise would end the daemon of everybody.
process.on("unhandledRejection", (reason) => log("error", `nobody waited for what failed: ${inspect(reason)}`));
try {
	const daemon = await Daemon.start({
		store: options.qubesxml,
		socket: options.socket,
		internalSocket: options.internalSocket,
		miscSocket: options.miscSocket ?? options.socket.replace(/(\.sock)?$/, ".misc$1"),
		baseDir: options.baseDir,
		runDir: options.runDir,
		backupProfilesDir: options.backupProfiles,
		pluginDirs: [OWN_PLUGINS, ...options.plugins],
		kernelsDir: options.kernels,
		policyProgram: options.policyProgram,
		policyDirs: options.policyDir,
		deprecatedEvents: options.deprecatedEvents,
		hypervisor: options.hypervisor,
		trace: options.tracePlugins ? (line) => log("info", line) : undefined,
		debug: options.debug,
	});
	let isClosing = false;
	const close = (): void => {
		if (isClosing) return;
		isClosing = true;
		if (options.embedded) process.stdin.destroy();
		daemon.close().catch((error) => log("error", String(error)));
	};
	for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, close);
	if (options.embedded) process.stdin.once("close", close).resume();
} catch (error) {
	const isKnown = isAdminError(error) || error instanceof StoreError || error instanceof ManifestError;
	log("error", isKnown ? error.message : ((error as Error).stack ?? String(error)));
	process.exitCode = 1;
}
