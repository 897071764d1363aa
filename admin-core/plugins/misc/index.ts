import type { Call, PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/**
 * What qubes tell dom0 of themselves, on the misc socket (spec 2.4, 9.3). All of it is their own word: the plugin supported-features says what of it is taken
 * over, and by which qubes.
 */
export const methods: NonNullable<PluginModule["methods"]> = {
	"qubes.FeaturesRequest": (call) => request(call, "/features-request/", /^[A-Za-z0-9.,_= -]*$/),
	"qubes.NotifyTools": (call) => request(call, "/qubes-tools/", /^[A-Za-z0-9]*$/),
	"qubes.NotifyUpdates": notifyUpdates,
};

/** Reads what the calling qube has in its QubesDB and tells of it; one value that is not allowed, and nobody is told of any. */
async function request({ app, source, permit }: Call, prefix: string, allowed: RegExp): Promise<string> {
	permit();
	refuseForeign(source);
	if (source.klass === "AdminVM") throw new AdminError("QubesVMError", "dom0 asks itself for no features");
	const requested = await app.surroundings.programs.readQubesDb(source.name, prefix);
	for (const [name, value] of requested) {
		if (allowed.test(value)) continue;
		throw new AdminError("ProtocolError", `value of ${JSON.stringify(name)} in QubesDB: characters that are not allowed`);
	}
	try {
		await source.fireAsync("features-request", { untrusted_features: requested });
	} catch (error) {
		// What other handlers have taken over stands.
		app.isUnsaved = true;
		throw error;
	}
	return "";
}

/** Takes the number of updates that wait in a qube as a hint for whoever shows it: the feature `updates-available`. */
function notifyUpdates({ source, payload, permit }: Call): string {
	const text = payload.toString("latin1").replace(/\n$/, "");
	if (!/^(0|[1-9]\d{0,18})$/.test(text)) throw new AdminError("ProtocolError", "number of updates: want a decimal number");
	permit({ update_count: text });
	refuseForeign(source);
	const isWaiting = text !== "0";
	const template = rootTemplate(source);
	// What is installed in a template, its qubes know from their last start: that nothing waits is news only from itself, and while it runs it tells.
	if (template === source) source.features.set("updates-available", isWaiting);
	else if (isWaiting && template.powerState === "Halted") template.features.set("updates-available", true);
	return "";
}

/** RemoteVMs have no QubesDB here, and are not updated from here (spec 12, 16). */
function refuseForeign({ klass, name }: Qube): void {
	if (klass === "RemoteVM") throw new AdminError("QubesVMError", `${name}: a qube of class ${klass} has no features to tell of`);
}

/** The qube at the end of the templates, which is the qube itself if it has none. */
function rootTemplate(qube: Qube): Qube {
	const template = qube.related("template");
	return template === null ? qube : rootTemplate(template);
}
