import fs from "node:fs";
import path from "node:path";
import { App } from "./app.ts";
import { AdminError } from "./errors.ts";
import { onClass } from "./events/emitter.ts";
import type { EventArgs } from "./events/handler-table.ts";
import { declareProperties } from "./properties/holder.ts";
import { boolProperty, computedProperty, intProperty, textProperty } from "./properties/property.ts";
import { vmProperty } from "./properties/vm-property.ts";
import { checkAboveZero, checkProvidesNetwork } from "./qubes/checks.ts";
import { DISPOSABLE_TEMPLATE } from "./qubes/kinds.ts";
import type { Qube } from "./qubes/qube.ts";
import { poolProperties } from "./storage/pool-properties.ts";

const self = (app: App): App => app;
const STAGE = { stage: 3 } as const;
const NO_LIMIT = { ...STAGE, allowNone: true, default: null } as const;

/** The global properties (spec 3.7). */
declareProperties<App>(App, [
	boolProperty("check_updates_vm", { ...STAGE, default: true, doc: "Whether qubes look for updates." }),
	vmProperty("clockvm", self, { ...NO_LIMIT, doc: "The qube that the time is taken from." }),
	vmProperty("default_audiovm", self, { ...NO_LIMIT, default: dom0, doc: "The audio qube of qubes that name none." }),
	vmProperty("default_guivm", self, { ...NO_LIMIT, default: dom0, doc: "The GUI qube of qubes that name none." }),
	vmProperty("default_dispvm", self, {
		...NO_LIMIT,
		of: DISPOSABLE_TEMPLATE,
		doc: "The template of disposables for qubes that name none.",
	}),
	vmProperty("management_dispvm", self, {
		...NO_LIMIT,
		of: DISPOSABLE_TEMPLATE,
		doc: "The template of the disposables that manage other qubes.",
	}),
	textProperty("default_kernel", { ...STAGE, doc: "The kernel of qubes that name none." }),
	vmProperty("default_netvm", self, {
		...NO_LIMIT,
		check: (_app, qube) => checkProvidesNetwork("default_netvm", qube as Qube | null),
		doc: "The net qube of qubes that name none.",
	}),
	intProperty("default_qrexec_timeout", {
		...STAGE,
		default: 60,
		check: checkAboveZero("default_qrexec_timeout"),
		doc: "Seconds that a qube may take to answer after its start.",
	}),
	intProperty("default_shutdown_timeout", {
		...STAGE,
		default: 60,
		check: checkAboveZero("default_shutdown_timeout"),
		doc: "Seconds that a qube may take to shut down.",
	}),
	vmProperty("default_template", self, {
		...STAGE,
		allowNone: true,
		of: { name: "TemplateVM", is: (qube) => qube.klass === "TemplateVM" },
		doc: "The template of new qubes that name none.",
	}),
	intProperty("stats_interval", {
		...STAGE,
		default: 3,
		check: checkAboveZero("stats_interval"),
		doc: "Seconds between two statistics of admin.vm.Stats.",
	}),
	...poolProperties,
	vmProperty("updatevm", self, { ...NO_LIMIT, doc: "The qube through which dom0 is updated." }),
	{
		...computedProperty(
			"maxmem",
			"int",
			"Memory of the machine, in MiB; 0 without a hypervisor.",
			(app: App) => app.surroundings.hypervisor.machine().memory,
		),
		...STAGE,
	},
	{
		...computedProperty(
			"no_cpus",
			"int",
			"Processors of the machine; 0 without a hypervisor.",
			(app: App) => app.surroundings.hypervisor.machine().processors,
		),
		...STAGE,
	},
]);

onClass(App, "property-pre-set:default_kernel", (app, _event, { newvalue }) => checkKernel(app, String(newvalue)), {
	bound: true,
});
for (const event of ["property-set:clockvm", "property-reset:clockvm"]) onClass(App, event, moveClocksync, { bound: true });
onClass(App, "property-pre-set:default_netvm", (_app, _event, { newvalue }) => refuseDefaultLoop(newvalue as Qube | null), {
	bound: true,
});

/** A qube that takes the default cannot be the default, nor one that is connected through such a qube. */
function refuseDefaultLoop(netvm: Qube | null): void {
	for (let next = netvm; next !== null; next = next.related("netvm")) {
		if (next.klass !== "TemplateVM" && next.hasProperty("netvm") && next.isDefault("netvm")) {
			throw new AdminError("QubesValueError", `Loops in network are unsupported: set the netvm of ${next.name} first`);
		}
	}
}

/** Throws a QubesPropertyValueError for a kernel that is not there, whole (spec 3.7). */
export function checkKernel(app: App, kernel: string): void {
	const dir = path.join(app.surroundings.kernelsDir, kernel);
	if (kernel.includes("/") || !fs.existsSync(dir)) {
		throw new AdminError("QubesPropertyValueError", `Kernel '${kernel}' not installed`);
	}
	if (fs.existsSync(path.join(dir, "vmlinuz"))) return;
	throw new AdminError("QubesPropertyValueError", `Kernel '${kernel}' not properly installed: missing 'vmlinuz' file`);
}

function dom0(app: App): Qube | null {
	return app.find("dom0");
}

/** The qube of the clock has a feature that says so (spec 3.7). */
function moveClocksync(_app: App, _event: string, args: EventArgs): void {
	// A reset has no new value: then there is no clock.
	const [old, now = null] = [args["oldvalue"], args["newvalue"]] as [Qube | null, Qube | null | undefined];
	if (old === now) return;
	if (old?.features.has("service.clocksync") === true) old.features.delete("service.clocksync");
	now?.features.set("service.clocksync", true);
}
