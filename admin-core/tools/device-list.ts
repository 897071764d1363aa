import { describeDevice, deviceAsJson } from "./device-info.ts";
import type { DeviceCall } from "./device-options.ts";
import { formatAddress } from "./device-text.ts";
import { type Assignment, type Device, type Devices, isSameDevice } from "./devices.ts";
import { listQubes, selectQubes } from "./qubes.ts";
import { renderJson, renderTable } from "./table.ts";

/** A device, or one that is assigned and not there, with whom it is for. */
interface Line {
	readonly backend: string;
	readonly port: string;
	readonly id: string;
	readonly device: Device | undefined;
	readonly attached: readonly Assignment[];
	readonly assigned: readonly Assignment[];
}

/** `qvm-device CLASS list`: what there is and who has it; with VMNAMEs what these offer, have or are to get. */
export async function list({ options, qubesd, io, devices }: DeviceCall, words: readonly string[]): Promise<number> {
	const qubes = await listQubes(qubesd);
	const chosen = new Set(selectQubes(qubes, { words, all: words.length === 0, exclude: [] }).map(({ name }) => name));
	const attached: Assignment[] = [];
	const assigned: Assignment[] = [];
	for (const { name } of qubes) {
		attached.push(...(await devices.assignments(name, "Attached")));
		if (options.assignments === true) assigned.push(...(await devices.assignments(name, "Assigned")));
		if (chosen.has(name)) await devices.available(name);
	}
	const isShown = ({ backend, frontend }: Assignment) => chosen.has(backend) || chosen.has(frontend);
	const lines = await arrange(devices, [...chosen], attached.filter(isShown), assigned.filter(isShown));
	const isOurs = (line: Line) => chosen.has(line.backend) || line.attached.length + line.assigned.length > 0;
	const shown = lines.filter(isOurs).sort((a, b) => (formatAddress(a) < formatAddress(b) ? -1 : 1));
	io.stdout.write(options.json === true ? renderJson(shown.map(describeLine)) : renderTable(shown.map(cells)));
	return 0;
}

/** The devices of the chosen ones and of the backends in the assignments, and a line for each assignment of which no device is there. */
async function arrange(
	devices: Devices,
	chosen: readonly string[],
	attached: readonly Assignment[],
	assigned: readonly Assignment[],
): Promise<Line[]> {
	const lines: Line[] = [];
	for (const backend of new Set([...chosen, ...[...attached, ...assigned].map((one) => one.backend)])) {
		for (const device of await devices.available(backend)) {
			const fits = (one: Assignment) => isSameDevice(device, one);
			lines.push({ ...addressOf(device), device, attached: attached.filter(fits), assigned: assigned.filter(fits) });
		}
	}
	const used = new Set(lines.flatMap((line) => [...line.attached, ...line.assigned]));
	const isLost = (one: Assignment) => !used.has(one);
	for (const one of attached.filter(isLost)) lines.push({ ...addressOf(one), device: undefined, attached: [one], assigned: [] });
	for (const one of assigned.filter(isLost)) lines.push({ ...addressOf(one), device: undefined, attached: [], assigned: [one] });
	return lines;
}

function addressOf({ backend, port, id }: Device | Assignment) {
	return { backend, port, id };
}

/** `BACKEND:PORT`, with ID where no device tells it; what it is; who has it or is to get it. */
function cells(line: Line): string[] {
	const users = [
		...line.attached.map((one) => `${one.frontend}${details([], one.options)}`),
		...line.assigned.map((one) => `${one.frontend}${details([one.mode], one.options)}`),
	];
	const address = line.device === undefined ? formatAddress(line) : `${line.backend}:${line.port}`;
	return [address, line.device === undefined ? "(not there)" : describeDevice(line.device), users.join(", ")];
}

function details(words: readonly string[], options: ReadonlyMap<string, string>): string {
	const all = [...words, ...[...options].map(([name, value]) => `${name}=${value}`)];
	return all.length === 0 ? "" : ` (${all.join(", ")})`;
}

function describeLine({ backend, port, id, device, attached, assigned }: Line): object {
	const use = ({ frontend, mode, options }: Assignment) => ({ frontend, mode, options: Object.fromEntries(options) });
	return {
		...{ backend, port, device_id: id, available: device !== undefined },
		...(device === undefined ? {} : deviceAsJson(device)),
		...{ attached: attached.map(use), assigned: assigned.map(use) },
	};
}
