import type { Call, PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import { type Features, featureProblem } from "../../model/features.ts";
import { listReply } from "../../model/list-reply.ts";

/** Features that the daemon keeps for itself, so that nobody sets them, dom0 included (spec 2.3). */
const RESERVED = ["deferred-netvm-original", "preload-dispvm", "preload-dispvm-completed", "preload-dispvm-in-progress"];

type LookUp = "checkWithTemplate" | "checkWithNetvm" | "checkWithAdminvm" | "checkWithTemplateAndAdminvm";

/** The methods of features (spec 8.3). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.feature.List": ({ destination, permit }) => {
		const sees = permit();
		return listReply(
			destination.features.entries().map(([name]) => name),
			sees,
		);
	},
	"admin.vm.feature.Get": (call) => {
		call.permit();
		const value = call.destination.features.get(call.argument);
		if (value !== undefined) return value;
		throw new AdminError("QubesFeatureNotFoundError", `Feature not set for domain ${call.destination.name}: ${call.argument}`);
	},
	"admin.vm.feature.CheckWithTemplate": (call) => lookUp(call, "checkWithTemplate"),
	"admin.vm.feature.CheckWithNetvm": (call) => lookUp(call, "checkWithNetvm"),
	"admin.vm.feature.CheckWithAdminVM": (call) => lookUp(call, "checkWithAdminvm"),
	"admin.vm.feature.CheckWithTemplateAndAdminVM": (call) => lookUp(call, "checkWithTemplateAndAdminvm"),
	"admin.vm.feature.Set": ({ destination, argument, payload, permit }) => {
		const value = payload.toString("latin1");
		const problem = featureProblem(argument, value);
		if (problem !== null) throw new AdminError("ProtocolError", problem);
		permit({ value });
		destination.features.set(argument, value);
		return "";
	},
	"admin.vm.feature.Remove": ({ destination, argument, permit }) => {
		permit();
		destination.features.delete(argument);
		return "";
	},
};

/** Features that are reserved for the system are not set or removed by a call (spec 2.3). */
export const handlers = { refuseReserved };

function lookUp({ destination, argument, permit }: Call, how: LookUp & keyof Features): string {
	permit();
	return destination.features[how](argument);
}

function refuseReserved(_source: unknown, _event: string, { arg }: EventArgs): void {
	if (RESERVED.includes(String(arg))) throw new AdminError("PermissionDenied", `feature ${arg} is reserved for the system`);
}
