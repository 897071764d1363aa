import path from "node:path";
import type { PluginModule } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import type { App } from "../../model/app.ts";
import { AdminError, messageOf } from "../../model/errors.ts";
import { readIfThere, removeFile, writeWhole } from "../../model/files.ts";
import { canBeStarted } from "../../model/qubes/kinds.ts";
import type { PowerState, Qube } from "../../model/qubes/qube.ts";
import { goOn, rest } from "../../model/qubes/rest.ts";
import { inTurn } from "../../model/qubes/turns.ts";

/** In the run-time directory: the qubes that rested already, a name a line, from before a suspend until after it. */
const FILE = "resting-at-suspend";

/**
 * Before and after the machine is suspended (spec 9.2). Qubes that run are suspended, and afterwards those are resumed that were not paused or
 * suspended before.
 */
export const methods: NonNullable<PluginModule["methods"]> = {
	"internal.SuspendPre": async ({ app, permit }) => {
		permit();
		await rememberResting(app);
		const running = app.qubes().filter((qube) => canBeStarted(qube) && qube.powerState === "Running");
		await notify(running, "qubes.SuspendPreAll");
		return report("suspended", await failuresOf(running, "Running", (qube) => rest(qube, "Suspended")));
	},
	"internal.SuspendPost": async ({ app, permit }) => {
		permit();
		const resting = ((await readIfThere(restingFile(app))) ?? "").toString().split("\n");
		const suspended = app.qubes().filter((qube) => qube.powerState === "Suspended" && !resting.includes(qube.name));
		const failures = await failuresOf(suspended, "Suspended", (qube) => goOn(qube, "domain-resumed"));
		await notify(suspended, "qubes.SuspendPostAll");
		await removeFile(restingFile(app));
		return report("resumed", failures);
	},
};

/** A second call without the end of the first changes nothing: what it finds resting, the first one has suspended. */
async function rememberResting(app: App): Promise<void> {
	if ((await readIfThere(restingFile(app))) !== null) return;
	const resting = app.qubes().filter(({ powerState }) => powerState === "Paused" || powerState === "Suspended");
	await writeWhole(restingFile(app), resting.map(({ name }) => `${name}\n`).join(""));
}

function restingFile(app: App): string {
	return path.join(app.surroundings.runDir, FILE);
}

/** Calls a service of all qubes that can be called, at once; one that does not answer does not keep the machine awake. */
async function notify(qubes: readonly Qube[], service: string): Promise<void> {
	const called = qubes.filter((qube) => qube.powerState === "Running" && qube.features.checkWithTemplate("qrexec", "") !== "");
	const calls = called.map(async ({ app, name }) => {
		await app.surroundings.programs.callService(name, service).catch((error: Error) => log("warning", error.message));
	});
	await Promise.all(calls);
}

/** Does it with every qube that is still in a state, also when it fails with one; what went wrong with which. */
async function failuresOf(qubes: readonly Qube[], state: PowerState, work: (qube: Qube) => Promise<void>): Promise<string[]> {
	const failures: string[] = [];
	for (const qube of qubes) {
		const turn = inTurn(qube, async () => (qube.powerState === state ? work(qube) : undefined));
		await turn.catch((error) => failures.push(`${qube.name}: ${messageOf(error)}`));
	}
	return failures;
}

/** Throws a QubesVMError that names the qubes it failed with; only now, so that it was done with all others. */
function report(done: string, failures: readonly string[]): string {
	if (failures.length > 0) throw new AdminError("QubesVMError", `not ${done}: ${failures.join("; ")}`);
	return "";
}
