import type { PluginModule } from "../../host/plugin.ts";
import type { App } from "../../model/app.ts";
import type { Emitter } from "../../model/events/emitter.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { describeSystem } from "../../model/system-info.ts";

/** What qubes other than dom0 see: what the qrexec policy would let them call these methods for, without asking anybody (spec 7.6). */
export const handlers: NonNullable<PluginModule["handlers"]> = { filterQubes, filterEvents };

/** One qube that is called tells of itself only, which the policy has allowed already. */
function filterQubes(source: Qube, _event: string, { dest }: EventArgs): ((qube: Qube) => boolean)[] {
	if (source.klass === "AdminVM" || (dest as Qube).klass !== "AdminVM") return [];
	// A list is made at once, so nothing changes on the way.
	const systemInfo = describeSystem(source.app.qubes());
	return [(qube) => isAllowed("admin.vm.List", "", source, qube, systemInfo)];
}

function filterEvents(source: Qube): ((item: [Emitter, string, EventArgs]) => boolean)[] {
	if (source.klass === "AdminVM") return [];
	const { app } = source;
	return [([subject, event, { vm }]) => mayHear(source, event, qubeOf(app, subject, vm))];
}

/** Whom an event is about; what is about the whole system is about dom0. */
function qubeOf(app: App, subject: Emitter, vm: unknown): Qube {
	if (subject !== app) return subject as Qube;
	return (vm as Qube | undefined) ?? app.qube("dom0");
}

function mayHear(source: Qube, event: string, target: Qube): boolean {
	const { app } = source;
	// Another qube may have the name by now.
	if (app.find(source.name) !== source) return false;
	// Whom the policy does not know it takes for @default: one that was removed is described as it was.
	const others = app.qubes().filter(({ name }) => name !== target.name);
	return isAllowed("admin.Events", event.replaceAll(":", "_"), source, target, describeSystem([...others, target]));
}

function isAllowed(service: string, argument: string, source: Qube, { klass, name }: Qube, systemInfo: string): boolean {
	const target = klass === "AdminVM" ? "@adminvm" : name;
	return source.app.surroundings.policy.allows({ service, argument, source: source.name, target, systemInfo });
}
