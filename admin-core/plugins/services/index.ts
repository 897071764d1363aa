import type { PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";

const PREFIX = "service.";
const MAX_BYTES = 48;

/** What a feature `service.NAME` is about: inside of the qube it becomes a file NAME (spec 1.8). */
export const handlers: NonNullable<PluginModule["handlers"]> = { checkName };

function checkName(_qube: unknown, _event: string, { feature }: EventArgs): void {
	const name = String(feature).slice(PREFIX.length);
	if (name === "" || name === "." || name === ".." || name.includes("/")) {
		throw new AdminError("QubesValueError", `"${name}" is no name of a service: want one of a file`);
	}
	if (Buffer.byteLength(name) > MAX_BYTES) {
		throw new AdminError("QubesValueError", `name of a service: want at most ${MAX_BYTES} bytes`);
	}
}
