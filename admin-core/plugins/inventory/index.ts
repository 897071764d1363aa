import type { PluginModule } from "../../host/plugin.ts";
import { listReply } from "../../model/list-reply.ts";
import { QUBE_CLASS_NAMES } from "../../model/qubes/name.ts";

/** Who is there (spec 8.1). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.List": ({ app, destination, permit }) => {
		const sees = permit();
		const qubes = destination.klass === "AdminVM" ? app.qubes().filter(sees) : [destination];
		return qubes.map(({ name, klass, powerState, uuid }) => `${name} class=${klass} state=${powerState} uuid=${uuid}\n`).join("");
	},
	"admin.vmclass.List": ({ permit }) => {
		const sees = permit();
		return listReply(QUBE_CLASS_NAMES, sees);
	},
	// Without a hypervisor nobody knows what a qube uses.
	"admin.vm.CurrentState": ({ destination, permit }) => {
		permit();
		return `mem=0 mem_static_max=0 cputime=0 power_state=${destination.powerState}`;
	},
};
