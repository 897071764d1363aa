import { parseDenied } from "../devices/interfaces.ts";
import { AdminError } from "../errors.ts";
import { declareProperties } from "../properties/holder.ts";
import {
	boolProperty,
	computedProperty,
	intProperty,
	namedProperty,
	type Property,
	textProperty,
	type Value,
} from "../properties/property.ts";
import { vmProperty } from "../properties/vm-property.ts";
import { checkNotNegative, checkText } from "./checks.ts";
import { DISPOSABLE_TEMPLATE, makesDisposables } from "./kinds.ts";
import { checkQubeName, DOM0_UUID, isUuid } from "./name.ts";
import { AdminVM, AppVM, LocalQube, MAX_QID, Qube, RemoteVM, TemplateVM } from "./qube.ts";

const appOf = (qube: Qube) => qube.app;
const LABEL = { doc: "The colour that the windows of the qube are framed with." } as const;

/** Properties of every qube, of dom0, of local qubes, and of RemoteVMs (spec 3.8). */
declareProperties<Qube>(Qube, [
	textProperty("name", { writeOnce: true, clone: false, check: acceptName, doc: "The name of the qube." }),
	intProperty("qid", { writeOnce: true, clone: false, check: acceptQid, doc: "The number of the qube." }),
	textProperty("uuid", {
		writeOnce: true,
		clone: false,
		default: null,
		form: { name: "UUID", fits: isUuid },
		doc: "What identifies the qube for ever, also when another one gets its name.",
	}),
	namedProperty<Qube>("label", "label", LABEL, findLabel),
	computedProperty<Qube>("klass", "str", "The class of the qube.", (qube) => qube.klass),
	computedProperty<Qube>("icon", "str", "The icon of the qube.", iconOf),
	boolProperty<Qube>("include_in_backups", {
		default: (qube) => qube.klass !== "RemoteVM" && (qube.klass !== "DispVM" || qube.get("auto_cleanup") === false),
		doc: "Whether a backup takes the qube when nobody says which.",
	}),
]);

declareProperties<AdminVM>(AdminVM, [
	fixed("name", "str", "dom0"),
	fixed("qid", "int", 0),
	fixed("uuid", "str", DOM0_UUID),
	namedProperty<Qube>("label", "label", { ...LABEL, default: blackLabel }, findLabel),
	computedProperty("maxmem", "int", "Memory of dom0 in MiB; 0 without a hypervisor.", () => 0),
]);

declareProperties<LocalQube>(LocalQube, [
	computedProperty<LocalQube>(
		"updateable",
		"bool",
		"Whether updates of the system are installed in this qube itself.",
		(qube) => {
			return qube.related("template") === null;
		},
	),
	textProperty("devices_denied", {
		default: "",
		check: (_qube, value) => {
			parseDenied(String(value));
			return value;
		},
		doc: "Device interfaces that may not be attached, seven characters each.",
	}),
	textProperty<LocalQube>("keyboard_layout", {
		default: layoutOfGuivm,
		check: checkText("keyboard_layout", /^[a-zA-Z0-9-]+\+[^+]*\+[^+]*$/, "LAYOUT+VARIANT+OPTIONS"),
		doc: "LAYOUT+VARIANT+OPTIONS",
	}),
	vmProperty<LocalQube>("default_dispvm", appOf, {
		stage: 4,
		allowNone: true,
		of: DISPOSABLE_TEMPLATE,
		default: (qube) => (qube.klass === "DispVM" ? qube.related("template") : (qube.app.get("default_dispvm") ?? null)),
		doc: "What a disposable is made of that this qube asks for.",
	}),
	intProperty("maxmem", {
		default: 0,
		check: checkNotNegative("maxmem"),
		doc: "Most memory the qube may get, in MiB; 0 for always the same.",
	}),
]);

declareProperties<RemoteVM>(RemoteVM, [
	vmProperty<RemoteVM>("relayvm", appOf, {
		stage: 4,
		allowNone: true,
		default: null,
		doc: "The qube here that relays calls to it.",
	}),
	textProperty("transport_rpc", { default: "", doc: "The service that the relay is called with." }),
	textProperty("remote_name", { default: "", doc: "The name that the qube has on its own machine." }),
]);

/** That of the first GUI qube on the way that has one of its own. */
function layoutOfGuivm(qube: LocalQube): Value {
	const seen = new Set<Qube>([qube]);
	for (let next = qube.related("guivm"); next !== null && !seen.has(next); next = next.related("guivm")) {
		if (next.hasProperty("keyboard_layout") && !next.isDefault("keyboard_layout")) return next.get("keyboard_layout") ?? null;
		seen.add(next);
	}
	return "us++";
}

function fixed<Holder>(name: string, type: "str" | "int", value: string | number): Property<Holder> {
	return computedProperty<Holder>(name, type, `Always ${value}.`, () => value);
}

function acceptName(_qube: unknown, value: Value): Value {
	checkQubeName(String(value));
	return value;
}

function acceptQid(_qube: unknown, value: Value): Value {
	if (Number(value) >= 0 && Number(value) <= MAX_QID) return value;
	throw new AdminError("QubesPropertyValueError", `qid: want 0 to ${MAX_QID}, not ${value}`);
}

function findLabel(qube: Qube, given: Value): Value {
	const { labels } = qube.app;
	if (typeof given === "object" && given !== null) return labels.find(given.wireName);
	return labels.find(String(given ?? "").replace(/^label-(?=\d+$)/, ""));
}

/** The label of dom0 where a store says nothing of it (spec 12, 22). */
function blackLabel({ app }: Qube): Value {
	return app.labels.list().find(({ name }) => name === "black") ?? null;
}

/** What a qube is, and its colour (spec 3.8). */
function iconOf(qube: Qube): string {
	const label = qube.get("label");
	const color = typeof label === "object" && label !== null ? label.wireName : "black";
	if (qube instanceof AdminVM) return "adminvm-black";
	return `${iconPrefix(qube)}-${color}`;
}

function iconPrefix(qube: Qube): string {
	if (qube instanceof TemplateVM || (qube instanceof AppVM && makesDisposables(qube))) return "templatevm";
	if ((qube.features.get("servicevm") ?? "") !== "") return "servicevm";
	return qube.klass.toLowerCase();
}
