import type { Call } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import type { App } from "../../model/app.ts";
import { AdminError } from "../../model/errors.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { clearDisk } from "../../model/storage/clear-disk.ts";

/** Throws QubesVMInUseError for dom0, for what a package brought, and for what others name; QubesVMNotHaltedError. */
export async function remove({ app, destination: qube, permit, save }: Call): Promise<string> {
	permit();
	if (qube.klass === "AdminVM") throw new AdminError("QubesVMInUseError", "dom0 cannot be removed");
	if (qube.hasProperty("installed_by_rpm") && qube.get("installed_by_rpm") === true) {
		throw new AdminError("QubesVMInUseError", `${qube.name} is installed by a package: remove that`);
	}
	if (qube.powerState !== "Halted") throw new AdminError("QubesVMNotHaltedError", `${qube.name} is not halted`);
	const users = app.usersOf(qube);
	if (users.length > 0) throw new AdminError("QubesVMInUseError", `${qube.name} is used: ${users.join(", ")}`);
	// What is gone from the disk does not come back when the removal cannot be saved.
	await removeQube(app, qube, save);
	return "";
}

/** Removes a qube that was to be there for one run only, unless somebody has come to depend on it. Never rejects. */
export async function removeDisposable(app: App, qube: Qube): Promise<void> {
	const users = app.usersOf(qube);
	if (users.length > 0) {
		log("warning", `${qube.name} is not removed after its run: it is used: ${users.join(", ")}`);
		return;
	}
	app.isUnsaved = true;
	await removeQube(app, qube).catch((error) => log("error", `removal of ${qube.name} after its run: ${error}`));
}

/** Its name stays taken until its disk is gone: a new qube of that name would get the same files. */
async function removeQube(app: App, qube: Qube, save = async (): Promise<void> => undefined): Promise<void> {
	await app.whileTaken(qube.name, async () => {
		const failure = takeOut(app, qube);
		await save();
		await clearDisk(qube);
		if (failure !== null) throw failure;
	});
}

/** What a handler throws that is told of it does not keep the qube, nor its disk; it is given back. One that is asked before can prevent it, by throwing. */
function takeOut(app: App, qube: Qube): Error | null {
	try {
		app.remove(qube);
		return null;
	} catch (error) {
		if (app.find(qube.name) === qube) throw error;
		return error as Error;
	}
}
