import fs from "node:fs";
import path from "node:path";
import type { Call, PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";

/**
 * Backups by profile (spec 8.9). Profiles are found, but no backup is made: that is said, with a QubesNotImplementedError, and so nothing is
 * ever under way that could be cancelled.
 */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.backup.Execute": (call) => refuse(call, "QubesNotImplementedError", "backups are not made by this qubesd"),
	"admin.backup.Info": (call) => refuse(call, "QubesNotImplementedError", "profiles of backups are not read by this qubesd"),
	"admin.backup.Cancel": (call) => refuse(call, "QubesException", `no backup with the profile ${call.argument} is under way`),
};

/** Throws a QubesBackupProfileNotFoundError, or what it is told. */
function refuse({ app, argument, permit }: Call, kind: AdminError["kind"], message: string): never {
	if (argument.includes("/")) throw new AdminError("ProtocolError", "name of a backup profile: want no /");
	permit();
	if (!fs.existsSync(path.join(app.surroundings.backupProfilesDir, `${argument}.conf`))) {
		throw new AdminError("QubesBackupProfileNotFoundError", `there is no backup profile ${argument}`);
	}
	throw new AdminError(kind, message);
}
