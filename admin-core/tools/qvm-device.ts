/** qvm-device, and qvm-block, qvm-mic, qvm-pci, qvm-usb: devices of qubes, and who may use them (spec 4.3, 10.3). */
import { type Action, completeAction, describeActions, runAction } from "./actions.ts";
import type { Qubesd } from "./client.ts";
import { command, type Run } from "./command.ts";
import { assign, attach, detach, unassign } from "./device-change.ts";
import { info } from "./device-info.ts";
import { list } from "./device-list.ts";
import { DEVICE_OPTIONS, type DeviceCall } from "./device-options.ts";
import { formatAddress } from "./device-text.ts";
import { type Assignment, Devices } from "./devices.ts";
import { UsageError } from "./errors.ts";
import { flag } from "./options.ts";
import { listQubes, qubeNames } from "./qubes.ts";
import { renderJson } from "./table.ts";

/** What completes a device, for a class of them. */
type Complete = Action<DeviceCall>["complete"];

/** The actions for a class; it matters for the completion only. */
function actionsFor(klass: string): readonly Action<DeviceCall>[] {
	return [
		{
			names: ["list", "ls", "l"],
			words: ["VMNAME*"],
			options: ["assignments", "json"],
			about: "list devices and who has them; with VMNAMEs what these offer, have or are to get",
			act: list,
			complete: (_words, qubesd) => qubeNames(qubesd),
		},
		{
			names: ["attach", "at", "a"],
			words: ["VMNAME", "DEVICE"],
			options: ["option", "ro", "persistent"],
			about: "give a device to a qube that runs",
			act: attach,
			complete: qubeThen((_qube, qubesd) => available(qubesd, klass)),
		},
		{
			names: ["detach", "d", "dt"],
			words: ["VMNAME", "DEVICE?"],
			options: [],
			about: "take a device away from a qube, or all of them",
			act: detach,
			complete: qubeThen((qube, qubesd) => assigned(qubesd, klass, qube, "Attached")),
		},
		{
			names: ["assign", "s"],
			words: ["VMNAME", "DEVICE"],
			options: ["option", "ro", "ask", "required", "port", "device"],
			about: "give a device to a qube whenever both are there",
			act: assign,
			complete: qubeThen((_qube, qubesd) => available(qubesd, klass)),
		},
		{
			names: ["unassign", "u"],
			words: ["VMNAME", "DEVICE?"],
			options: ["port", "device"],
			about: "undo the assignment of a device, or of all",
			act: unassign,
			complete: qubeThen((qube, qubesd) => assigned(qubesd, klass, qube, "Assigned")),
		},
		{
			names: ["info", "i"],
			words: ["DEVICE"],
			options: ["json"],
			about: "show all about a device",
			act: info,
			complete: async (words, qubesd) => (words.length === 0 ? available(qubesd, klass) : []),
		},
	];
}

function qubeThen(next: (qube: string, qubesd: Qubesd) => Promise<readonly string[]>): Complete {
	return async ([qube, ...more], qubesd) => {
		if (qube === undefined) return qubeNames(qubesd);
		return more.length === 0 ? next(qube, qubesd) : [];
	};
}

async function available(qubesd: Qubesd, klass: string): Promise<string[]> {
	const devices = new Devices(qubesd, klass);
	const found: string[] = [];
	for (const { name } of await listQubes(qubesd)) found.push(...(await devices.available(name)).map(withoutId));
	return found;
}

function withoutId({ backend, port }: { backend: string; port: string }): string {
	return `${backend}:${port}`;
}

async function assigned(qubesd: Qubesd, klass: string, qube: string, which: "Attached" | "Assigned"): Promise<string[]> {
	const found: Assignment[] = await new Devices(qubesd, klass).assignments(qube, which);
	return found.map(formatAddress);
}

/** The command for one class of devices, as qvm-usb is one; without a class, its first word is the class. */
export function deviceCommand(name: string, fixed?: string): Run {
	const devices = fixed === undefined ? "devices, of a CLASS such as block, mic, pci or usb," : `${fixed} devices`;
	const actions = describeActions(actionsFor(fixed ?? "CLASS"));
	return command({
		name,
		about: `Lists ${devices} and gives them to qubes. DEVICE is BACKEND:PORT or BACKEND:PORT:ID.
${actions}`,
		words: [...(fixed === undefined ? ["CLASS"] : []), "ACTION?", "WORD*"],
		options: { ...DEVICE_OPTIONS, "list-device-classes": flag("list the classes of devices, and exit") },
		wordless: ["list-device-classes"],
		complete: async (words, qubesd) => {
			const [klass, ...rest] = fixed === undefined ? words : [fixed, ...words];
			if (klass === undefined) return qubesd.list("dom0", "admin.deviceclass.List");
			return completeAction(actionsFor(klass), rest, qubesd);
		},
		act: async (invocation) => {
			const { options, words, qubesd, io } = invocation;
			if (options["list-device-classes"] === true) {
				const classes = (await qubesd.list("dom0", "admin.deviceclass.List")).sort();
				io.stdout.write(options.json === true ? renderJson(classes) : classes.map((one) => `${one}\n`).join(""));
				return 0;
			}
			const [klass = "", ...rest] = fixed === undefined ? words : [fixed, ...words];
			if (!/^[a-z][a-z0-9_-]*$/.test(klass)) throw new UsageError(`invalid class "${klass}": see --list-device-classes`);
			const call = { ...invocation, devices: new Devices(qubesd, klass) };
			return runAction(actionsFor(klass), Object.keys(DEVICE_OPTIONS), call, rest);
		},
	});
}

/** Lists devices of the class that its first word names, and gives them to qubes or takes them away. */
export const run = deviceCommand("qvm-device");
