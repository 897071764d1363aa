/** qubes-create: makes the store of a new system, for qubesd to serve (spec 5.6); the work is done in system/new-store.ts. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import yargs from "yargs";
import { ManifestError } from "./host/manifest.ts";
import { log } from "./log.ts";
import { AdminError, isAdminError } from "./model/errors.ts";
import { StoreError } from "./store/errors.ts";
import { createStore } from "./system/new-store.ts";
import { endWithUsage } from "./usage-error.ts";

/** The plugins of the house: beside the bundle in dist/lib. */
const OWN_PLUGINS = path.join(path.dirname(fileURLToPath(import.meta.url)), "plugins");

const options = await yargs(process.argv.slice(2))
	.scriptName("qubes-create")
	.usage(
		"$0 [options]\n\nMakes the store of a new system: labels, a pool of kernels, dom0, and a pool for qubes if its driver is named.",
	)
	.options({
		store: {
			type: "string",
			alias: "qubesxml",
			default: process.env["QUBES_XML_PATH"] ?? "/var/lib/qubes/qubes.xml",
			describe: "the store",
		},
		kernels: { type: "string", describe: "folder with the installed kernels [vm-kernels beside the store]" },
		driver: { type: "string", describe: "storage driver of the pool for qubes, such as file-reflink" },
		option: {
			type: "string",
			alias: "o",
			array: true,
			nargs: 1,
			describe: "KEY=VALUE for that pool, such as dir_path=DIR",
		},
		plugins: { type: "string", array: true, default: [], describe: "further folders with plugins" },
		// Nothing needs it: for scripts that say it to every command (spec 10.1).
		"force-root": { type: "boolean", hidden: true },
	})
	.implies("option", "driver")
	.alias("help", "h")
	.strict()
	.fail((message, error) => endWithUsage("qubes-create", message ?? error.message))
	.parse();

try {
	const { store, driver, kernels = path.join(path.dirname(path.resolve(store)), "vm-kernels"), plugins } = options;
	const pool = driver === undefined ? null : { driver, options: new Map((options.option ?? []).map(readOption)) };
	await createStore({ file: store, pluginDirs: [OWN_PLUGINS, ...plugins], kernelsDir: path.resolve(kernels), pool });
} catch (error) {
	const isKnown = isAdminError(error) || error instanceof StoreError || error instanceof ManifestError;
	log("error", isKnown ? error.message : ((error as Error).stack ?? String(error)));
	process.exitCode = 1;
}

function readOption(text: string): readonly [key: string, value: string] {
	const equals = text.indexOf("=");
	if (equals <= 0) throw new AdminError("QubesException", `-o ${text}: want KEY=VALUE`);
	return [text.slice(0, equals), text.slice(equals + 1)];
}
