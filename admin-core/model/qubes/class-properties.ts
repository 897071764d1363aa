import { AdminError } from "../errors.ts";
import { onClass } from "../events/emitter.ts";
import type { EventArgs } from "../events/handler-table.ts";
import { declareProperties } from "../properties/holder.ts";
import { boolProperty, computedProperty, intProperty, textProperty, type Value } from "../properties/property.ts";
import { vmProperty } from "../properties/vm-property.ts";
import { refuseWhileNamed } from "./checks.ts";
import { DISPOSABLE_TEMPLATE } from "./kinds.ts";
import { AppVM, DispVM, MAX_DISPID, type Qube, StandaloneVM, TemplateVM } from "./qube.ts";

const appOf = (qube: Qube) => qube.app;

const templateForDispvms = () =>
	boolProperty<Qube>("template_for_dispvms", { default: false, doc: "Whether disposables can be made of the qube." });

/** Properties of single classes (spec 3.8). */
declareProperties<AppVM>(AppVM, [
	vmProperty<AppVM>("template", appOf, {
		stage: 4,
		of: { name: "TemplateVM", is: (qube) => qube.klass === "TemplateVM" },
		doc: "The template that the qube is based on.",
	}),
	templateForDispvms(),
]);

declareProperties<StandaloneVM>(StandaloneVM, [templateForDispvms()]);

declareProperties<TemplateVM>(TemplateVM, [
	textProperty("appvm_default_bootmode", {
		stage: 4,
		default: "default",
		doc: "The boot mode of qubes that are based on this one.",
	}),
]);

declareProperties<DispVM>(DispVM, [
	vmProperty<DispVM>("template", appOf, {
		stage: 4,
		of: DISPOSABLE_TEMPLATE,
		doc: "The qube that the disposable is made of.",
	}),
	intProperty("dispid", { writeOnce: true, clone: false, check: acceptDispid, doc: "The number of the disposable." }),
	boolProperty("auto_cleanup", { default: false, doc: "Whether the qube is removed when it stops." }),
	computedProperty("is_preload", "bool", "Whether the qube was started before anybody asked for it.", () => false),
]);

for (const target of [AppVM, DispVM]) {
	onClass<Qube>(target, "property-pre-reset:template", refuseUnset, { bound: true });
	onClass<Qube>(target, "property-pre-set:template", refuseWhileRunning, { bound: true });
}

for (const target of [AppVM, StandaloneVM]) {
	for (const event of ["property-pre-set:template_for_dispvms", "property-pre-reset:template_for_dispvms"]) {
		onClass<Qube>(target, event, refuseWithoutDisposables, { bound: true });
	}
}

function refuseWithoutDisposables(qube: Qube, _event: string, { newvalue }: EventArgs): void {
	if (newvalue === true) return;
	refuseWhileNamed(qube, ["template", "default_dispvm", "management_dispvm"], "is what disposables are made of");
}

function acceptDispid(_qube: unknown, value: Value): Value {
	if (Number(value) >= 0 && Number(value) <= MAX_DISPID) return value;
	throw new AdminError("QubesPropertyValueError", `dispid: want 0 to ${MAX_DISPID}, not ${value}`);
}

function refuseUnset(qube: Qube): void {
	throw new AdminError("QubesValueError", `Cannot unset template of ${qube.name}`);
}

function refuseWhileRunning(qube: Qube): void {
	if (qube.powerState === "Halted") return;
	throw new AdminError("QubesVMNotHaltedError", `Cannot change template while ${qube.name} is running`);
}
