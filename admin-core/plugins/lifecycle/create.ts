import { randomInt } from "node:crypto";
import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { Value } from "../../model/properties/property.ts";
import { checkQubeName, type QubeClassName } from "../../model/qubes/name.ts";
import { checkTag } from "../../model/tags.ts";

const MAX_DISPID = 9999;

/** What the payload of a creation says; each of these once. */
const KEYS = ["name", "label"] as const;

/** `admin.vm.Create.CLASS`: the argument is the template, the payload `name=NAME label=LABEL` (spec 8.7). */
export async function create(call: Call): Promise<string> {
	const { app, source, argument, payload, permit } = call;
	const klass = call.method.slice("admin.vm.Create.".length) as QubeClassName;
	const { name, label } = readPayload(payload.toString("latin1"));
	checkQubeName(name);
	if (argument !== "" && !hasTemplate(klass)) throw new AdminError("ProtocolError", `class ${klass} has no template`);
	const tag = `created-by-${source.name}`;
	// Some names of qubes are no tags; that is to be known before there is a qube.
	checkTag(tag);
	permit({ name, label, template: argument });
	const template = hasTemplate(klass) ? findTemplate(call, klass) : null;
	if (app.find(name) !== null) throw new AdminError("QubesVMAlreadyExistsError", `qube ${name} already exists`);
	const properties: [string, Value][] = [
		["name", name],
		["label", app.labels.find(label)],
	];
	if (template !== null) properties.push(["template", template]);
	if (klass === "DispVM") properties.push(["dispid", freeDispid(call)]);
	const qube = app.create(klass, properties);
	try {
		qube.tags.add(tag);
		await qube.fireAsync("domain-create-on-disk");
	} catch (error) {
		app.forget(qube);
		throw error;
	}
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

function hasTemplate(klass: QubeClassName): boolean {
	return klass === "AppVM" || klass === "DispVM";
}

/** The template that the caller or the system names. */
function findTemplate({ app, argument }: Call, klass: QubeClassName): Value {
	if (argument !== "") return app.qube(argument);
	const usual = app.get(klass === "AppVM" ? "default_template" : "default_dispvm");
	if (typeof usual === "object" && usual !== null) return usual;
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
