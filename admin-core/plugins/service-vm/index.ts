import type { PluginModule } from "../../host/plugin.ts";
import { providesNetwork } from "../../model/qubes/kinds.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** Lists and menus show net qubes as service qubes, which is what the feature `servicevm` says; the icon follows it (spec 1.8). */
export const handlers: NonNullable<PluginModule["handlers"]> = { markNetQube };

function markNetQube(qube: Qube): void {
	if (providesNetwork(qube)) qube.features.set("servicevm", true);
	else if (qube.features.has("servicevm")) qube.features.delete("servicevm");
	qube.fire("property-reset:icon", { name: "icon" });
}
