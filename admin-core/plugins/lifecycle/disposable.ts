import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { makesDisposables } from "../../model/qubes/kinds.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { checkTag } from "../../model/tags.ts";
import { makeQube } from "./make-qube.ts";

/**
 * `admin.vm.CreateDisposable`: makes a disposable of the qube that is called, or of what the caller usually takes if that is dom0 (spec 8.7). It is removed
 * when it has shut down. Gives its name, or `uuid:UUID` if the payload is `uuid`.
 */
export async function createDisposable({ source, destination, argument, payload, permit }: Call): Promise<string> {
	const form = payload.toString("latin1");
	if (argument !== "" && argument !== "preload")
		throw new AdminError("ProtocolError", `disposable: want preload, not '${argument}'`);
	if (form !== "" && form !== "uuid") throw new AdminError("ProtocolError", `disposable: want uuid, not '${form}'`);
	const tags = [`created-by-${source.name}`, `disp-created-by-${source.name}`];
	for (const tag of tags) checkTag(tag);
	permit();
	if (argument === "preload")
		throw new AdminError("QubesNotImplementedError", "disposables are not made before somebody needs them");
	const qube = await makeDisposable(findTemplate(source, destination), tags);
	return form === "uuid" ? `uuid:${qube.uuid}` : qube.name;
}

function findTemplate(source: Qube, destination: Qube): Qube {
	const template = destination.klass === "AdminVM" ? source.related("default_dispvm") : destination;
	if (template === null) throw new AdminError("QubesException", `${source.name} has no default_dispvm`);
	if (makesDisposables(template) && template.klass === "AppVM") return template;
	throw new AdminError("QubesException", `${template.name} is no template for disposables: set its template_for_dispvms`);
}

function makeDisposable(template: Qube, tags: readonly string[]): Promise<Qube> {
	const { app } = template;
	let dispid = app.freeDispid();
	// Somebody may have called another qube so, or one of that name is still being removed.
	while (app.find(`disp${dispid}`) !== null || app.isTaken(`disp${dispid}`)) dispid = app.freeDispid();
	const properties = [
		["name", `disp${dispid}`],
		["label", template.get("label") ?? null],
		["template", template],
		["dispid", dispid],
		["auto_cleanup", true],
	] as const;
	return makeQube(app, { klass: "DispVM", properties, template, tags });
}
