import type { PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import { listReply } from "../../model/list-reply.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { checkTag } from "../../model/tags.ts";

/** Tags that say who made a qube; only dom0 changes them (spec 4.1). */
const CREATOR = "created-by-";

/** The methods of tags (spec 8.3). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.tag.List": ({ destination, permit }) => {
		const sees = permit();
		return listReply(destination.tags.list(), sees);
	},
	"admin.vm.tag.Get": ({ destination, argument, permit }) => {
		checkTag(argument);
		permit();
		return destination.tags.has(argument) ? "1" : "0";
	},
	"admin.vm.tag.Set": ({ destination, argument, permit }) => {
		checkTag(argument);
		permit();
		destination.tags.add(argument);
		return "";
	},
	"admin.vm.tag.Remove": ({ destination, argument, permit }) => {
		checkTag(argument);
		permit();
		destination.tags.remove(argument);
		return "";
	},
};

/** Tags that say who made a qube are set and removed by dom0 alone. */
export const handlers = { refuseReserved };

function refuseReserved(source: Qube, _event: string, { arg }: EventArgs): void {
	if (source.klass === "AdminVM" || !String(arg).startsWith(CREATOR)) return;
	throw new AdminError("PermissionDenied", `only dom0 may change the tag ${arg}`);
}
