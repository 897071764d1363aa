import { randomInt } from "node:crypto";
import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { Value } from "../../model/properties/property.ts";
import { checkQubeName, type QubeClassName } from "../../model/qubes/name.ts";

const MAX_DISPID = 9999;

/** What the payload of a creation says; each of these once. */
const KEYS = ["name", "label"] as const;

/** `admin.vm.Create.CLASS`: the argument is the template, the payload `name=NAME label=LABEL` (spec 8.7). */
export async function create(call: Call): Promise<string> {
	const { app, source, argument, payload, permit } = call;
	const klass = call.method.slice("admin.vm.Create.".length) as QubeClassName;
	const { name, label } = readPayload(payload.toString("latin1"));
	checkQubeName(name);
	const template = findTemplate(call, klass);
	permit({ name, label, template: argument });
	if (app.find(name) !== null) throw new AdminError("QubesVMAlreadyExistsError", `qube ${name} already exists`);
	const properties: [string, Value][] = [
		["name", name],
		["label", app.labels.find(label)],
	];
	if (template !== null) properties.push(["template", app.qube(template)]);
	if (klass === "DispVM") properties.push(["dispid", freeDispid(call)]);
	const qube = app.create(klass, properties);
	qube.tags.add(`created-by-${source.name}`);
	await qube.fireAsync("domain-create-on-disk");
	return "";
}

function readPayload(text: string): { name: string; label: string } {
	const given = new Map<string, string>();
	for (const part of text.split(" ")) {
		const equals = part.indexOf("=");
		const key = part.slice(0, Math.max(equals, 0));
		if (!KEYS.some((known) => known === key)) {
			throw new AdminError("ProtocolError", `creation of a qube: want name=NAME label=LABEL, not '${part}'`);
		}
		if (given.has(key)) throw new AdminError("ProtocolError", `duplicated argument: ${key}`);
		given.set(key, part.slice(equals + 1));
	}
	const [name, label] = KEYS.map((key) => given.get(key));
	if (name === undefined || label === undefined) {
		throw new AdminError("ProtocolError", `creation of a qube: missing ${name === undefined ? "name" : "label"}=`);
	}
	return { name, label };
}

/** The name of the template that the caller or the system names; null for a class that has none. */
function findTemplate({ app, argument }: Call, klass: QubeClassName): string | null {
	if (klass !== "AppVM" && klass !== "DispVM") {
		if (argument === "") return null;
		throw new AdminError("ProtocolError", `class ${klass} has no template`);
	}
	if (argument !== "") return app.qube(argument).name;
	const usual = app.get(klass === "AppVM" ? "default_template" : "default_dispvm");
	if (typeof usual === "object" && usual !== null) return usual.wireName;
	throw new AdminError("QubesValueError", `there is no default template for class ${klass}: name one`);
}

/** A number that no disposable has; by chance, so that it tells nothing of the others. */
function freeDispid({ app }: Call): number {
	const taken = new Set(app.qubes().flatMap((qube) => (qube.klass === "DispVM" ? [qube.get("dispid")] : [])));
	if (taken.size > MAX_DISPID) throw new AdminError("QubesException", "all numbers of disposables are taken");
	for (;;) {
		const dispid = randomInt(0, MAX_DISPID + 1);
		if (!taken.has(dispid)) return dispid;
	}
}
