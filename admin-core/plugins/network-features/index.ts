import type { PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import { isConnectedThrough } from "../../model/qubes/checks.ts";
import { IPV4 } from "../../model/qubes/network-properties.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** Features about the network: `net.fake-ip` and the like are addresses, `ipv6` gives addresses to a qube and those behind it (spec 12, 15). */
export const handlers: NonNullable<PluginModule["handlers"]> = { checkFake, tellIp6 };

/** Nothing, which is no, may stand everywhere. */
function checkFake(_qube: unknown, _event: string, { feature, value }: EventArgs): void {
	if (value === "" || IPV4.fits(String(value))) return;
	throw new AdminError("QubesValueError", `${feature}: want an IPv4 address, not "${value}"`);
}

function tellIp6(netvm: Qube): void {
	for (const qube of netvm.app.qubes()) {
		if (!isConnectedThrough(qube, netvm) || !qube.isDefault("ip6")) continue;
		qube.fire("property-reset:ip6", { name: "ip6" });
	}
}
