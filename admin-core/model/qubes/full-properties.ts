import { checkKernel } from "../app-properties.ts";
import { AdminError } from "../errors.ts";
import { onClass } from "../events/emitter.ts";
import type { EventArgs } from "../events/handler-table.ts";
import { declareProperties } from "../properties/holder.ts";
import { boolProperty, computedProperty, intProperty, textProperty, type Value } from "../properties/property.ts";
import { vmProperty } from "../properties/vm-property.ts";
import { checkAboveZero, checkNetvm, checkNotNegative, checkText, refuseLoop, refuseWhileNamed } from "./checks.ts";
import { DISPOSABLE_TEMPLATE } from "./kinds.ts";
import { networkProperties } from "./network-properties.ts";
import { FullQube, type Qube } from "./qube.ts";

const appOf = (qube: Qube) => qube.app;
const MAX_KERNELOPTS = 512;
const VIRT_MODES = ["hvm", "pv", "pvh"];
const ABOVE_NULL = { allowNone: true, stage: 4 } as const;

const BOOLEANS: { readonly [name: string]: string } = {
	autostart: "Whether the qube is started with the machine.",
	debug: "Whether the qube is run so that faults can be looked for.",
	installed_by_rpm: "Whether a package of dom0 brought the qube, so that only the package can remove it.",
	provides_network: "Whether other qubes can be connected to the network through this one.",
};

/** Properties of the qubes that can be started (spec 3.8). What a qube does not set comes from its template, or from the app. */
declareProperties<FullQube>(FullQube, [
	intProperty("memory", {
		default: inherited("memory", 400),
		check: checkAboveZero("memory"),
		doc: "Memory at the start, in MiB.",
	}),
	intProperty("maxmem", {
		default: inherited("maxmem", 4000),
		check: checkNotNegative("maxmem"),
		doc: "Most memory the qube may get, in MiB; 0 for always the same.",
	}),
	intProperty("vcpus", { default: inherited("vcpus", 2), check: checkAboveZero("vcpus"), doc: "Processors of the qube." }),
	intProperty("qrexec_timeout", {
		default: inherited("qrexec_timeout", (qube) => qube.app.get("default_qrexec_timeout")),
		check: checkAboveZero("qrexec_timeout"),
		doc: "Seconds that the qube may take to answer after its start.",
	}),
	intProperty("shutdown_timeout", {
		default: inherited("shutdown_timeout", (qube) => qube.app.get("default_shutdown_timeout")),
		check: checkAboveZero("shutdown_timeout"),
		doc: "Seconds that the qube may take to shut down.",
	}),
	intProperty("stubdom_mem", {
		default: null,
		check: checkAboveZero("stubdom_mem"),
		doc: "Memory of the device model, in MiB.",
	}),
	intProperty("backup_timestamp", { default: null, doc: "When the qube was backed up last, in seconds since 1970." }),
	textProperty("kernel", {
		default: inherited("kernel", (qube) => qube.app.get("default_kernel")),
		check: checkText("kernel", /^[^/]*$/, "the name of an installed kernel, or nothing"),
		doc: "The kernel of the qube; empty for the one in its root volume.",
	}),
	textProperty("kernelopts", {
		stage: 4,
		default: inherited("kernelopts", ""),
		check: checkText("kernelopts", new RegExp(`^[^]{0,${MAX_KERNELOPTS}}$`), `at most ${MAX_KERNELOPTS} characters`),
		doc: "What the kernel is started with.",
	}),
	textProperty("default_user", {
		default: inherited("default_user", "user"),
		check: checkText("default_user", /^[A-Za-z0-9_+,.-]+$/, "letters, digits and _ - + , ."),
		doc: "As whom services run that name nobody.",
	}),
	textProperty("virt_mode", {
		default: (qube) => (qube.devices.hasAssigned("pci") ? "hvm" : inherited("virt_mode", "pvh")(qube)),
		check: (_qube, value) => acceptVirtMode(value),
		doc: "How the qube is run: hvm, pv or pvh.",
	}),
	...Object.entries(BOOLEANS).map(([name, doc]) => boolProperty<FullQube>(name, { default: false, doc })),
	vmProperty<FullQube>("netvm", appOf, {
		...ABOVE_NULL,
		default: (qube) => (qube.klass === "TemplateVM" ? null : (qube.app.get("default_netvm") ?? null)),
		check: (qube, netvm) => checkNetvm(qube, netvm as Qube | null),
		doc: "The qube through which this one is connected to the network.",
	}),
	vmProperty<FullQube>("guivm", appOf, {
		...ABOVE_NULL,
		default: (qube) => qube.app.get("default_guivm") ?? null,
		doc: "The qube that shows the windows of this one.",
	}),
	vmProperty<FullQube>("audiovm", appOf, {
		...ABOVE_NULL,
		default: (qube) => qube.app.get("default_audiovm") ?? null,
		doc: "The qube that plays the sound of this one.",
	}),
	vmProperty<FullQube>("management_dispvm", appOf, {
		...ABOVE_NULL,
		of: DISPOSABLE_TEMPLATE,
		default: inherited("management_dispvm", (qube) => qube.app.get("management_dispvm")),
		doc: "What the disposable is made of that manages this qube.",
	}),
	textProperty("bootmode", { stage: 4, default: inherited("bootmode", "default"), doc: "The boot mode of the qube." }),
	...networkProperties(),
	computedProperty("start_time", "str", "When the qube was started; empty when it does not run.", () => ""),
	computedProperty("stubdom_uuid", "str", "The uuid of the device model; empty when there is none.", () => ""),
	computedProperty("xid", "int", "The number that the hypervisor knows the qube by; -1 when it does not run.", () => -1),
	computedProperty("stubdom_xid", "int", "The same for the device model.", () => -1),
]);

onClass(
	FullQube,
	"property-pre-set:kernel",
	(qube, _event, { newvalue }) => {
		if (newvalue !== "") checkKernel(qube.app, String(newvalue));
	},
	{ bound: true },
);

onClass(FullQube, "property-pre-reset:netvm", (qube) => refuseLoop(qube, (qube.getDefault("netvm") ?? null) as Qube | null), {
	bound: true,
});
for (const event of ["property-pre-set:provides_network", "property-pre-reset:provides_network"]) {
	onClass(FullQube, event, refuseWithoutNetwork, { bound: true });
}

function refuseWithoutNetwork(qube: FullQube, _event: string, { newvalue }: EventArgs): void {
	if (newvalue !== true) refuseWhileNamed(qube, ["netvm", "default_netvm"], "is the net qube of others");
}

/** The value of the template, or else `fallback`. */
function inherited(name: string, fallback: Value | ((qube: FullQube) => Value | undefined)): (qube: FullQube) => Value {
	return (qube) => {
		const template = qube.related("template");
		if (template?.hasProperty(name) === true) return template.get(name) ?? null;
		return (typeof fallback === "function" ? fallback(qube) : fallback) ?? null;
	};
}

function acceptVirtMode(value: Value): string {
	const mode = String(value).toLowerCase();
	if (VIRT_MODES.includes(mode)) return mode;
	throw new AdminError("QubesPropertyValueError", `virt_mode: want ${VIRT_MODES.join(", ")}, not '${value}'`);
}
