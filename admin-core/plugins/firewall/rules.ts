import { isIPv4, isIPv6 } from "node:net";
import { AdminError } from "../../model/errors.ts";

/** A rule: the values of its options by their names, in the order they are written in, all of them checked. */
export type Rule = ReadonlyMap<string, string>;

/** An option of a rule as it is written: `proto` and `tcp` for `proto=tcp`. */
export type Option = readonly [name: string, value: string];

/** A name and a value as they are written; null for what the option cannot be. */
type Check = (value: string) => Option | null;

/** The options in the order of a rule; a destination is written by the name that says what it is. */
const CHECKS: { readonly [name: string]: Check } = {
	action: oneOf("action", "accept", "drop"),
	dsthost: (value) => readAddress("dst4", value) ?? readAddress("dst6", value) ?? readHostName(value),
	proto: oneOf("proto", "tcp", "udp", "icmp"),
	specialtarget: oneOf("specialtarget", "dns"),
	dstports: readPorts,
	icmptype: (value) => (isUpTo(255, value) ? ["icmptype", String(Number(value))] : null),
	expire: (value) => (/^\d{1,15}$/.test(value) ? ["expire", String(Number(value))] : null),
	comment: (value) => (/^[ -~]*$/.test(value) ? ["comment", value] : null),
	dst4: (value) => readAddress("dst4", value),
	dst6: (value) => readAddress("dst6", value),
};
const ORDER = ["action", "dst4", "dst6", "dsthost", "proto", "specialtarget", "dstports", "icmptype", "expire", "comment"];

/** Reads rules, one a line, each `KEY=VALUE KEY=VALUE… comment=REST OF THE LINE` (spec 8.9). Throws a QubesValueError that names the line. */
export function parseRules(text: string): Rule[] {
	const lines = text.replace(/\n$/, "").split("\n");
	return lines.map((line, index) => {
		try {
			return makeRule(splitOptions(line));
		} catch (error) {
			throw new AdminError("QubesValueError", `firewall rule ${index + 1}: ${(error as Error).message}`);
		}
	});
}

/** Makes a rule of options. Throws a QubesValueError. */
export function makeRule(options: readonly Option[]): Rule {
	const checked = options.map(([name, value]) => {
		const option = Object.hasOwn(CHECKS, name) ? CHECKS[name]?.(value) : undefined;
		if (option === undefined) throw refusal(`unknown option '${name}'`);
		if (option === null) throw refusal(`invalid ${name} '${value}'`);
		return option;
	});
	checked.sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
	checkTogether(checked.map(([name]) => (name.startsWith("dst") && name !== "dstports" ? "destination" : name)));
	const rule = new Map(checked);
	const proto = rule.get("proto") ?? "";
	if (rule.has("dstports") && !["tcp", "udp"].includes(proto)) throw refusal("dstports: want proto tcp or udp");
	if (rule.has("icmptype") && proto !== "icmp") throw refusal("icmptype: want proto icmp");
	return rule;
}

/** A rule as one line, without its end. */
export function formatRule(rule: Rule): string {
	return [...rule].map(([name, value]) => `${name}=${value}`).join(" ");
}

/** Whether the time of a rule is over; `now` is in milliseconds. */
export function isExpired(rule: Rule, now: number): boolean {
	const expire = rule.get("expire");
	return expire !== undefined && Number(expire) * 1000 < now;
}

function splitOptions(line: string): Option[] {
	const [, before = "", comment] = /^(.*?)(?:(?:^| )comment=(.*))?$/s.exec(line) ?? [];
	const options = (before === "" ? [] : before.split(" ")).map((part): Option => {
		const equals = part.indexOf("=");
		if (equals < 0) throw refusal(`want KEY=VALUE with single spaces between, not '${part}'`);
		return [part.slice(0, equals), part.slice(equals + 1)];
	});
	return comment === undefined ? options : [...options, ["comment", comment]];
}

function checkTogether(names: readonly string[]): void {
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined) throw refusal(`more than one ${twice}`);
	if (!names.includes("action")) throw refusal("missing action");
}

function oneOf(name: string, ...allowed: readonly string[]): Check {
	return (value) => (allowed.includes(value) ? [name, value] : null);
}

/** `ADDRESS` or `ADDRESS/BITS`; always written with the bits. */
function readAddress(name: "dst4" | "dst6", value: string): Option | null {
	const [isAddress, most] = name === "dst4" ? [isIPv4, 32] : [isIPv6, 128];
	const [address = "", bits = String(most), ...rest] = value.split("/");
	return rest.length === 0 && isAddress(address) && isUpTo(most, bits) ? [name, `${address}/${Number(bits)}`] : null;
}

/** Labels of letters, digits, `-` and `_` with dots between; the last one is no number, which would make it a mistaken address. */
function readHostName(value: string): Option | null {
	const isName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.|$))+$/i.test(value) && !/(?:^|\.)\d*$/.test(value);
	return isName && value.length <= 253 ? ["dsthost", value] : null;
}

/** `N` or `N-M`; always written as a range. */
function readPorts(value: string): Option | null {
	const [first = "", last = first, ...rest] = value.split("-");
	const isRange = rest.length === 0 && isUpTo(65_535, first) && isUpTo(65_535, last) && Number(first) <= Number(last);
	return isRange ? ["dstports", `${Number(first)}-${Number(last)}`] : null;
}

function isUpTo(most: number, text: string): boolean {
	return /^\d{1,5}$/.test(text) && Number(text) <= most;
}

function refusal(message: string): AdminError {
	return new AdminError("QubesValueError", message);
}
