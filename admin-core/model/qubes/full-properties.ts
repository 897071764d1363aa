import { isIPv6 } from "node:net";
import { checkKernel } from "../app-properties.ts";
import { AdminError } from "../errors.ts";
import { onClass } from "../events/emitter.ts";
import type { EventArgs } from "../events/handler-table.ts";
import { declareProperties } from "../properties/holder.ts";
import { boolProperty, computedProperty, intProperty, type Property, textProperty, type Value } from "../properties/property.ts";
import { vmProperty } from "../properties/vm-property.ts";
import { checkAboveZero, checkNetvm, checkNotNegative, checkText, refuseLoop, refuseWhileNamed } from "./checks.ts";
import { makesDisposables } from "./kinds.ts";
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
	intProperty("stubdom_mem", { check: checkAboveZero("stubdom_mem"), doc: "Memory of the device model, in MiB." }),
	intProperty("backup_timestamp", { doc: "When the qube was backed up last, in seconds since 1970." }),
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
		default: inherited("virt_mode", "pvh"),
		check: (_qube, value) => acceptVirtMode(value),
		doc: "How the qube is run: hvm, pv or pvh.",
	}),
	...["autostart", "debug", "installed_by_rpm", "provides_network"].map((name) =>
		boolProperty<FullQube>(name, { default: false, doc: BOOLEANS[name] ?? "" }),
	),
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
		of: { name: "AppVM with template_for_dispvms", is: makesDisposables },
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

/** Addresses; those of the connection are empty for a qube without net qube. */
function networkProperties(): Property<FullQube>[] {
	const isConnected = (qube: FullQube): boolean => qube.related("netvm") !== null;
	const connected = (name: string, doc: string, read: (qube: FullQube) => string): Property<FullQube> =>
		computedProperty<FullQube>(name, "str", doc, (qube) => (isConnected(qube) ? read(qube) : ""));
	const gateway = (qube: FullQube): string => addressOf(qube.related("netvm") as Qube);
	return [
		textProperty<FullQube>("mac", {
			default: "00:16:3e:5e:6c:00",
			check: checkText("mac", /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, "six pairs of lower-case hexadecimal digits"),
			doc: "The address of the network card.",
		}),
		textProperty<FullQube>("ip", {
			default: (qube) => (isConnected(qube) || qube.get("provides_network") === true ? defaultAddress(qube) : null),
			check: checkText("ip", /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/, "an IPv4 address"),
			doc: "The IPv4 address of the qube.",
		}),
		textProperty<FullQube>("ip6", { default: null, check: acceptIp6, doc: "The IPv6 address of the qube." }),
		connected("visible_ip", "The address that the qube itself sees.", addressOf),
		connected("visible_gateway", "The gateway that the qube itself sees.", gateway),
		connected("visible_netmask", "The netmask of the qube.", () => "255.255.255.255"),
		connected("gateway", "The address of the net qube.", gateway),
		connected("dns", "The name servers of the qube.", () => "10.139.1.1 10.139.1.2"),
		...["gateway6", "visible_ip6", "visible_gateway6"].map((name) => connected(name, "Empty without IPv6.", () => "")),
	];
}

function acceptIp6(_qube: unknown, value: Value): Value {
	if (isIPv6(String(value))) return value;
	throw new AdminError("QubesPropertyValueError", `ip6: want an IPv6 address, not '${value}'`);
}

function addressOf(qube: Qube): string {
	return String(qube.get("ip") ?? "");
}

/** 10.137.x.y by the number of the qube, of a disposable 10.138.x.y by its own (spec 3.8). */
function defaultAddress(qube: FullQube): string {
	const isDisposable = qube.klass === "DispVM";
	const number = isDisposable ? Number(qube.get("dispid")) : qube.qid;
	return `10.${isDisposable ? 138 : 137}.${(number >> 8) & 0xff}.${number & 0xff}`;
}
