import type { PluginModule } from "../../host/plugin.ts";
import { listReply } from "../../model/list-reply.ts";
import { attachAutomatic, attachRequired, refuseMissing } from "./at-start.ts";
import { assign, attach, detach, setAssignment, unassign } from "./changes.ts";
import { addDenied, listDenied, refuseDenied, removeDenied } from "./denied.ts";
import { listAssigned, listAttached, listAvailable } from "./lists.ts";

/** Devices of all classes (spec 8.8); what devices there are, other plugins know (docs/devices.md). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.deviceclass.List": ({ app, permit }) => {
		const sees = permit();
		return listReply(app.surroundings.deviceClasses, sees);
	},
	"admin.vm.device.{deviceClass}.Available": listAvailable,
	"admin.vm.device.{deviceClass}.Assigned": listAssigned,
	"admin.vm.device.{deviceClass}.Attached": listAttached,
	"admin.vm.device.{deviceClass}.Assign": assign,
	"admin.vm.device.{deviceClass}.Unassign": unassign,
	"admin.vm.device.{deviceClass}.Set.assignment": setAssignment,
	"admin.vm.device.{deviceClass}.Attach": attach,
	"admin.vm.device.{deviceClass}.Detach": detach,
	"admin.vm.device.denied.List": listDenied,
	"admin.vm.device.denied.Add": addDenied,
	"admin.vm.device.denied.Remove": removeDenied,
};

/** A qube gets its assigned devices when it starts, and does not start without the required ones; a denied one is not attached by hand (spec 4.3, 7.6). */
export const handlers = { refuseDenied, refuseMissing, attachRequired, attachAutomatic };
