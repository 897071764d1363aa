import type { PluginModule } from "../../host/plugin.ts";
import { log } from "../../log.ts";
import { AdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { isTag } from "../../model/tags.ts";

/** Properties that name the qube which does something for this one. */
const RELATIONS = ["guivm", "audiovm", "relayvm"] as const;

/** Keeps exactly one tag `guivm-NAME`, `audiovm-NAME` or `relayvm-NAME`, by which the policy knows whom a qube is served by (spec 1.8). */
export const handlers: NonNullable<PluginModule["handlers"]> = { refuseName, keepTag, keepTags };

/** Some names of qubes are no tags; for the app it is about `default_guivm` and `default_audiovm`. */
function refuseName(_holder: unknown, event: string, { newvalue }: EventArgs): void {
	if (newvalue === null) return;
	const tag = tagOf(event.slice(event.indexOf(":") + 1).replace("default_", ""), newvalue as Qube);
	if (!isTag(tag)) throw new AdminError("QubesValueError", `"${tag}" is no tag: want a qube with a name of A-Z a-z 0-9 _ -`);
}

function keepTag(qube: Qube, event: string): void {
	keep(qube, event.slice(event.indexOf(":") + 1));
}

function keepTags(qube: Qube): void {
	for (const relation of RELATIONS) if (qube.hasProperty(relation)) keep(qube, relation);
}

function keep(qube: Qube, relation: string): void {
	const server = qube.related(relation);
	const wanted = server === null ? null : tagOf(relation, server);
	for (const tag of qube.tags.list()) {
		if (tag.startsWith(`${relation}-`) && tag !== wanted) qube.tags.remove(tag);
	}
	if (wanted === null) return;
	if (isTag(wanted)) qube.tags.add(wanted);
	// From a store, where nobody could refuse it.
	else log("error", `qube ${qube.name}: "${wanted}" is no tag, so the policy does not know its ${relation}`);
}

function tagOf(relation: string, server: Qube): string {
	return `${relation}-${server.name}`;
}
