import type { PluginModule } from "../../host/plugin.ts";
import type { App } from "../../model/app.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import type { PropertyHolder } from "../../model/properties/holder.ts";
import type { Value } from "../../model/properties/property.ts";
import type { Qube } from "../../model/qubes/qube.ts";

/** A property of qubes whose default is a property of the app. */
interface Follower {
	readonly property: string;
	/** What a qube is told when its default has changed. */
	readonly told: "property-set" | "property-reset";
	/** The class whose default is another one. */
	readonly except?: string;
}

const NETVM: Follower = { property: "netvm", told: "property-reset", except: "TemplateVM" };
const FOLLOWERS: { readonly [property: string]: Follower } = {
	default_netvm: NETVM,
	default_guivm: { property: "guivm", told: "property-set" },
	default_audiovm: { property: "audiovm", told: "property-set" },
	default_dispvm: { property: "default_dispvm", told: "property-reset", except: "DispVM" },
};

/** Tells the qubes that do not set a property themselves that their default is another one (spec 1.8). */
export const handlers: NonNullable<PluginModule["handlers"]> = { askUsersOfNetvm, tellUsers, tellChildren };

/** Each qube that would be connected otherwise may prevent it. */
function askUsersOfNetvm(app: App, _event: string, args: EventArgs): void {
	const { newvalue = app.getDefault("default_netvm"), oldvalue } = args;
	if (newvalue === oldvalue) return;
	for (const qube of usersOf(app, NETVM)) {
		qube.fire("property-pre-set:netvm", { name: "netvm", newvalue, oldvalue }, { pre: true });
	}
}

function tellUsers(app: App, event: string, args: EventArgs): void {
	const name = propertyOf(event);
	const follower = FOLLOWERS[name] as Follower;
	if (!hasChanged(app, name, args)) return;
	for (const qube of usersOf(app, follower)) tell(qube, follower.property, follower.told, args);
}

/** A child tells its own children in turn. */
function tellChildren(template: Qube, event: string, args: EventArgs): void {
	const name = propertyOf(event);
	if (!hasChanged(template, name, args)) return;
	for (const qube of template.app.qubes()) {
		if (qube.related("template") === template && isUser(qube, name)) tell(qube, name, "property-reset", args);
	}
}

function propertyOf(event: string): string {
	return event.slice(event.indexOf(":") + 1);
}

function hasChanged(holder: PropertyHolder, name: string, { oldvalue }: EventArgs): boolean {
	return holder.get(name) !== oldvalue;
}

function usersOf(app: App, { property, except }: Follower): Qube[] {
	return app.qubes().filter((qube) => qube.klass !== except && isUser(qube, property));
}

function isUser(qube: Qube, property: string): boolean {
	return qube.hasProperty(property) && qube.isDefault(property);
}

function tell(qube: Qube, name: string, told: Follower["told"], { oldvalue }: EventArgs): void {
	const newvalue: { newvalue?: Value } = told === "property-set" ? { newvalue: qube.get(name) ?? null } : {};
	qube.fire(`${told}:${name}`, { name, ...newvalue, ...(oldvalue === undefined ? {} : { oldvalue }) });
}
