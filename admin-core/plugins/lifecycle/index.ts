import type { Call, PluginModule } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import { AdminError } from "../../model/errors.ts";
import { create } from "./create.ts";
import { inTurn, kill, pause, shutdown, start, unpause } from "./power.ts";

/** How qubes come, run and go (spec 8.7). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.Create.AppVM": create,
	"admin.vm.Create.TemplateVM": create,
	"admin.vm.Create.StandaloneVM": create,
	"admin.vm.Create.DispVM": create,
	"admin.vm.Create.RemoteVM": create,
	"admin.vm.Remove": inItsTurn(remove),
	"admin.vm.Start": inItsTurn(start),
	"admin.vm.Shutdown": inItsTurn(shutdown),
	"admin.vm.Kill": inItsTurn(kill),
	"admin.vm.Pause": inItsTurn(pause),
	"admin.vm.Unpause": inItsTurn(unpause),
};

function inItsTurn(method: (call: Call) => Promise<string>): (call: Call) => Promise<string> {
	return (call) =>
		inTurn(call.destination, () => {
			const { app, destination } = call;
			if (app.find(destination.name) === destination) return method(call);
			throw new AdminError("QubesVMNotFoundError", `No such domain: '${destination.name}'`);
		});
}

/** Throws QubesVMInUseError for dom0, for what a package brought, and for what others name; QubesVMNotHaltedError. */
async function remove({ app, destination: qube, permit }: Call): Promise<string> {
	permit();
	if (qube.klass === "AdminVM") throw new AdminError("QubesVMInUseError", "dom0 cannot be removed");
	if (qube.hasProperty("installed_by_rpm") && qube.get("installed_by_rpm") === true) {
		throw new AdminError("QubesVMInUseError", `${qube.name} is installed by a package: remove that`);
	}
	if (qube.powerState !== "Halted") throw new AdminError("QubesVMNotHaltedError", `${qube.name} is not halted`);
	const users = app.usersOf(qube);
	if (users.length > 0) throw new AdminError("QubesVMInUseError", `${qube.name} is used: ${users.join(", ")}`);
	app.remove(qube);
	try {
		await qube.fireAsync("domain-remove-from-disk");
	} catch (error) {
		// The qube is gone; what is left of it on the disk is to be looked for by hand.
		log("error", `something of ${qube.name} is left on the disk: ${String(error)}`);
	}
	qube.eventsEnabled = false;
	return "";
}
