import { isIPv4, isIPv6 } from "node:net";
import { computedProperty, type Property, type TextForm, textProperty, type Value } from "../properties/property.ts";
import type { FullQube, Qube } from "./qube.ts";

/** An address as a value of a property, or of a feature `net.fake-*`. */
export const IPV4: TextForm = { name: "IPv4Address", fits: isIPv4 };
const IPV6: TextForm = { name: "IPv6Address", fits: (text) => isIPv6(text) && !text.includes("%") };
const MAC: TextForm = { name: "MAC address", fits: (text) => /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text) };

/** The network that qubes have their addresses of, IPv6. */
const IPV6_PREFIX = "fd09:24ef:4179::";

/** Addresses; those of the connection are empty for a qube without net qube (spec 3.8). */
export function networkProperties(): Property<FullQube>[] {
	return [
		textProperty<FullQube>("mac", { default: "00:16:3e:5e:6c:00", form: MAC, doc: "The address of the network card." }),
		textProperty<FullQube>("ip", { default: defaultAddress, form: IPV4, doc: "The IPv4 address of the qube." }),
		textProperty<FullQube>("ip6", { default: defaultAddress6, form: IPV6, doc: "The IPv6 address of the qube." }),
		connected("visible_ip", "The address that the qube itself sees.", (qube) => faked(qube, "ip") ?? addressOf(qube)),
		connected("visible_gateway", "The gateway that the qube itself sees.", (qube) => faked(qube, "gateway") ?? gatewayOf(qube)),
		connected("visible_netmask", "The netmask of the qube.", (qube) => faked(qube, "netmask") ?? "255.255.255.255"),
		connected("gateway", "The address of the net qube.", gatewayOf),
		connected("dns", "The name servers of the qube.", () => "10.139.1.1 10.139.1.2"),
		connected("visible_ip6", "The IPv6 address that the qube itself sees.", (qube) => addressOf(qube, "ip6")),
		connected("visible_gateway6", "The IPv6 gateway that the qube itself sees.", gateway6Of),
		connected("gateway6", "The IPv6 address of the net qube.", gateway6Of),
	];
}

function connected(name: string, doc: string, read: (qube: FullQube) => string): Property<FullQube> {
	return computedProperty<FullQube>(name, "str", doc, (qube) => (isConnected(qube) ? read(qube) : ""));
}

/** 10.137.x.y by the number of the qube, of a disposable 10.138.x.y by its own. */
function defaultAddress(qube: FullQube): Value {
	if (!isNetworked(qube)) return null;
	const { net, number } = placeOf(qube);
	return `10.${net}.${(number >> 8) & 0xff}.${number & 0xff}`;
}

/** The same in IPv6, for qubes with the feature `ipv6`, of their own or of a net qube. */
function defaultAddress6(qube: FullQube): Value {
	if (!isNetworked(qube) || qube.features.checkWithNetvm("ipv6", "") === "") return null;
	const { net, number } = placeOf(qube);
	return `${IPV6_PREFIX}a${net.toString(16)}:${number.toString(16)}`;
}

function placeOf(qube: FullQube): { net: number; number: number } {
	return qube.klass === "DispVM" ? { net: 138, number: Number(qube.get("dispid")) } : { net: 137, number: qube.qid };
}

function isNetworked(qube: FullQube): boolean {
	return isConnected(qube) || qube.get("provides_network") === true;
}

function isConnected(qube: FullQube): boolean {
	return qube.related("netvm") !== null;
}

function gatewayOf(qube: FullQube): string {
	return addressOf(qube.related("netvm") as Qube);
}

/** Without a qube that has an IPv6 address itself nobody needs a gateway. */
function gateway6Of(qube: FullQube): string {
	return addressOf(qube, "ip6") === "" ? "" : addressOf(qube.related("netvm") as Qube, "ip6");
}

function addressOf(qube: Qube, property: "ip" | "ip6" = "ip"): string {
	return String(qube.get(property) ?? "");
}

/** What a qube is to take for its address, gateway or netmask; null where it is told the truth. */
function faked(qube: FullQube, what: "ip" | "gateway" | "netmask"): string | null {
	return qube.features.checkWithTemplate(`net.fake-${what}`, "") || null;
}
