import type { Call } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import type { Value } from "../../model/properties/property.ts";
import { canBeStarted } from "../../model/qubes/kinds.ts";
import { checkQubeName, type QubeClassName } from "../../model/qubes/name.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { USUAL_VOLUMES } from "../../model/storage/default-volumes.ts";
import { checkTag } from "../../model/tags.ts";
import { makeQube } from "./make-qube.ts";

const POOL_KEYS = ["pool", ...USUAL_VOLUMES.map((volume) => `pool:${volume}`)];

/**
 * `admin.vm.Create.CLASS`: the argument is the template, the payload `name=NAME label=LABEL`; `admin.vm.CreateInPool.CLASS` takes `pool=POOL` or
 * some of `pool:VOLUME=POOL` as well (spec 8.7).
 */
export async function create(call: Call): Promise<string> {
	const { app, source, argument, payload, permit } = call;
	const [, , family, klass] = call.method.split(".") as [string, string, string, QubeClassName];
	const { name, label, pools } = readPayload(payload.toString("latin1"), family === "CreateInPool");
	checkQubeName(name);
	if (argument !== "" && !hasTemplate(klass)) throw new AdminError("ProtocolError", `class ${klass} has no template`);
	const tag = `created-by-${source.name}`;
	// Some names of qubes are no tags; that is to be known before there is a qube.
	checkTag(tag);
	permit({ name, label, template: argument, ...Object.fromEntries(pools) });
	const template = hasTemplate(klass) ? findTemplate(call, klass) : null;
	if (template !== null) refuseWithoutVolumes(template);
	if (app.find(name) !== null) throw new AdminError("QubesVMAlreadyExistsError", `qube ${name} already exists`);
	const properties: [string, Value][] = [
		["name", name],
		["label", app.labels.find(label)],
	];
	if (template !== null) properties.push(["template", template]);
	if (klass === "DispVM") properties.push(["dispid", app.freeDispid()]);
	await makeQube(app, { klass, properties, template, tags: [tag], pools: choiceOf(pools) });
	return "";
}

interface Wanted {
	readonly name: string;
	readonly label: string;
	/** `pool` or `pool:VOLUME` → name of a pool. */
	readonly pools: ReadonlyMap<string, string>;
}

function readPayload(text: string, takesPools: boolean): Wanted {
	const keys = ["name", "label", ...(takesPools ? POOL_KEYS : [])];
	const given = new Map<string, string>();
	for (const part of text.split(" ")) {
		const equals = part.indexOf("=");
		const key = part.slice(0, Math.max(equals, 0));
		if (!keys.includes(key)) {
			const more = takesPools ? " pool=POOL or pool:VOLUME=POOL" : "";
			throw new AdminError("ProtocolError", `creation of a qube: want name=NAME label=LABEL${more}, not '${part}'`);
		}
		if (given.has(key)) throw new AdminError("ProtocolError", `duplicated argument: ${key}`);
		given.set(key, part.slice(equals + 1));
	}
	const [name, label] = [given.get("name"), given.get("label")];
	if (name === undefined || label === undefined) {
		throw new AdminError("ProtocolError", `creation of a qube: missing ${name === undefined ? "name" : "label"}=`);
	}
	const pools = new Map([...given].filter(([key]) => POOL_KEYS.includes(key)));
	if (pools.has("pool") && pools.size > 1) {
		throw new AdminError("ProtocolError", "creation of a qube: want pool=POOL or pool:VOLUME=POOL, not both");
	}
	return { name, label, pools };
}

function choiceOf(pools: ReadonlyMap<string, string>) {
	const byVolume = [...pools].filter(([key]) => key !== "pool").map(([key, pool]) => [key.slice("pool:".length), pool] as const);
	return { all: pools.get("pool"), byVolume: new Map(byVolume) };
}

function hasTemplate(klass: QubeClassName): boolean {
	return klass === "AppVM" || klass === "DispVM";
}

/** The template that the caller or the system names. */
function findTemplate({ app, argument }: Call, klass: QubeClassName): Qube {
	if (argument !== "") return app.qube(argument);
	const usual = app.get(klass === "AppVM" ? "default_template" : "default_dispvm");
	if (typeof usual === "object" && usual !== null) return app.qube(usual.wireName);
	throw new AdminError("QubesValueError", `there is no default template for class ${klass}: name one`);
}

/** What else is no template, the property refuses; these have nothing that the volumes could be planned after. */
function refuseWithoutVolumes(qube: Qube): void {
	if (canBeStarted(qube)) return;
	const { name, klass } = qube;
	throw new AdminError("QubesPropertyValueError", `template: want a qube of this machine that is started, ${name} is ${klass}`);
}
