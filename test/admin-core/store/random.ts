import { DEVICE_MODES, type DeviceData, type DomainData, type Pair, type StoreData } from "../../../admin-core/store/data.ts";
import { quote } from "../../../admin-core/store/errors.ts";
import type { Random } from "../../policy-cli/core/random.ts";

/** Pieces of text that are easy to get wrong. */
const PIECES = [
	"a",
	"B",
	"é",
	"😀",
	" ",
	"\t",
	"\n",
	"\r",
	"\r\n",
	"&",
	"&amp;",
	"<",
	">",
	"]]>",
	'"',
	"'",
	"<!--",
	"\u00a0",
	"\u0085",
	"\u2028",
	"\ufeff",
	"\x7f",
	"\ufffd",
];

/** Any text that XML can carry. */
export function randomText(random: Random): string {
	return Array.from({ length: random.int(6) }, () => random.pick(PIECES)).join("");
}

/** A store with anything in it, in the order in which stores are written, so that it is read as it is. */
export function randomStore(random: Random): StoreData {
	return {
		labels: names(random, 4).map((name, index) => ({ index: index * 3, name, color: `0x${randomText(random)}` })),
		pools: names(random, 4).map((name) => ({ name, driver: `d${randomText(random)}`, attributes: attributes(random) })),
		properties: pairs(random),
		domains: randomDomains(random),
	};
}

function randomDomains(random: Random): DomainData[] {
	const qids = Array.from({ length: 6 }, (_, index) => index + 1).filter(() => random.oneIn(2));
	const named = names(random, qids.length).filter((name) => name !== "dom0");
	const domains = named.sort().map((name, index) => randomDomain(random, qids[index] as number, [["name", name]]));
	return random.oneIn(2) ? domains : [randomDomain(random, 0, []), ...domains];
}

function randomDomain(random: Random, qid: number, name: readonly Pair[]): DomainData {
	const rest = pairs(random).filter(([key]) => key !== "name");
	return {
		qid,
		class: `C${randomText(random)}`,
		properties: random.oneIn(2) ? [...name, ...rest] : [...rest, ...name],
		features: pairs(random),
		tags: names(random, 4).sort(),
		devices: names(random, 3).map((devclass) => ({ devclass, devices: randomDevices(random) })),
		volumes: random.oneIn(3) ? null : names(random, 3).map((name) => new Map([["name", name], ...attributes(random)])),
	};
}

function randomDevices(random: Random): DeviceData[] {
	const devices = Array.from({ length: random.int(4) }, () => ({
		backend: random.oneIn(3) ? null : `b${randomText(random)}`,
		port: randomText(random),
		identity: randomText(random),
		mode: random.pick(DEVICE_MODES),
		options: new Map(pairs(random)),
	}));
	return unique(devices, ({ backend, port, identity }) => quote(JSON.stringify([backend, port, identity])));
}

function pairs(random: Random): Pair[] {
	return names(random, 5).map((name) => [name, randomText(random)]);
}

function attributes(random: Random): Map<string, string> {
	const keys = ["a", "b-c", "d:e", "é", "_f.1"].filter(() => random.oneIn(2));
	return new Map(keys.map((key) => [key, randomText(random)]));
}

/** Up to so many different texts that are not empty. */
function names(random: Random, most: number): string[] {
	return unique(
		Array.from({ length: random.int(most + 1) }, () => `n${randomText(random)}`),
		(name) => name,
	);
}

function unique<T>(list: readonly T[], keyOf: (one: T) => string): T[] {
	const keys = list.map(keyOf);
	return list.filter((_, index) => keys.indexOf(keys[index] as string) === index);
}

/** A big store as the daemon has it: eight labels, three pools, and so many qubes with all that a qube has. */
export function bigStore(qubes: number): StoreData {
	const labels = Array.from({ length: 8 }, (_, index) => ({ index: index + 1, name: `l${index}`, color: "0xcc0000" }));
	const pools = ["a", "b", "c"].map((name) => ({ name, driver: "file", attributes: new Map([["dir_path", `/var/${name}`]]) }));
	const domains = Array.from({ length: qubes }, (_, index) => bigQube(index + 1));
	return { labels, pools, properties: [["default_netvm", "qube-1"]], domains: [dom0(), ...domains] };
}

function dom0(): DomainData {
	return { qid: 0, class: "AdminVM", properties: [["label", "l7"]], features: [], tags: [], devices: [], volumes: null };
}

function bigQube(qid: number): DomainData {
	const volume = (name: string): Map<string, string> =>
		new Map(
			Object.entries({
				name,
				pool: "a",
				vid: `a/qube-${qid}/${name}`,
				revisions_to_keep: "1",
				rw: "True",
				save_on_stop: "False",
				snap_on_start: "True",
				size: "10737418240",
			}),
		);
	const device = (port: number): DeviceData => ({
		backend: "dom0",
		port: `00_1${port}.0`,
		identity: "*",
		mode: "required",
		options: new Map([["no-strict-reset", "True"]]),
	});
	return {
		qid,
		class: "AppVM",
		properties: Object.entries({
			label: "l0",
			name: `qube-${String(qid).padStart(4, "0")}`,
			qid: String(qid),
			uuid: "0d6f9c52-5a0e-4a53-9a44-3f6a4a5b7c02",
			memory: "400",
			netvm: "",
			template: "qube-1",
		}),
		features: Array.from({ length: 15 }, (_, index) => [`service.feature-${index}`, index % 3 === 0 ? "" : "1"]),
		tags: ["created-by-dom0", "work"],
		devices: [{ devclass: "pci", devices: [device(1), device(2)] }],
		volumes: ["private", "root", "volatile", "kernel"].map(volume),
	};
}
