import type { PluginModule } from "../../host/plugin.ts";
import { listReply } from "../../model/list-reply.ts";
import { QUBE_CLASS_NAMES } from "../../model/qubes/name.ts";
import { shownState } from "../../model/qubes/shown-state.ts";

/** Who is there (spec 8.1). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.List": ({ app, destination, permit }) => {
		const sees = permit();
		const qubes = destination.klass === "AdminVM" ? app.qubes().filter(sees) : [destination];
		return qubes.map((qube) => `${qube.name} class=${qube.klass} state=${shownState(qube)} uuid=${qube.uuid}\n`).join("");
	},
	"admin.vmclass.List": ({ permit }) => {
		const sees = permit();
		return listReply(QUBE_CLASS_NAMES, sees);
	},
	"admin.vm.CurrentState": ({ app, destination, permit }) => {
		permit();
		const { memory, maxMemory, cpuTime } = app.surroundings.hypervisor.usage(destination);
		return `mem=${memory} mem_static_max=${maxMemory} cputime=${cpuTime} power_state=${shownState(destination)}`;
	},
};
