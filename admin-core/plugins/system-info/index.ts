import type { PluginModule } from "../../host/plugin.ts";
import { describeSystem } from "../../model/system-info.ts";

/** Who the qubes are, for the qrexec policy (spec 9.1). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"internal.GetSystemInfo": ({ app }) => describeSystem(app.qubes()),
};
