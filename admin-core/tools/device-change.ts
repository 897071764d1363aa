import { findDevice, lookUp } from "./device-find.ts";
import type { DeviceCall } from "./device-options.ts";
import { type DeviceAddress, formatAddress, parseAddress } from "./device-text.ts";
import { type Assignment, type Device, isSameDevice } from "./devices.ts";
import { EmptyReplyError, RemoteError, UsageError } from "./errors.ts";
import { parsePairs } from "./pairs.ts";
import { Properties } from "./properties.ts";
import { findQube, listQubes, pickQube, type Qube } from "./qubes.ts";

/** `qvm-device CLASS attach`: a qube that runs gets a device now. */
export async function attach(call: DeviceCall, words: readonly string[]): Promise<number> {
	if (call.options.persistent === true) return assignAs(call, words, "required");
	const options = optionsOf(call);
	const { frontend, word } = await findQubes(call, words);
	const { backend, port, id } = await findDevice(call.devices, word);
	await call.devices.attach({ backend, port, id, frontend: frontend.name, mode: "manual", options });
	return 0;
}

/** `qvm-device CLASS assign`: a qube gets a device whenever both are there. */
export function assign(call: DeviceCall, words: readonly string[]): Promise<number> {
	const { ask, required } = call.options;
	if (ask === true && required === true) throw new UsageError("--ask and --required exclude each other");
	return assignAs(call, words, required === true ? "required" : ask === true ? "ask-to-attach" : "auto-attach");
}

async function assignAs(call: DeviceCall, words: readonly string[], mode: string): Promise<number> {
	const options = optionsOf(call);
	const { frontend, word } = await findQubes(call, words);
	const { address, device } = await chooseAddress(call, word);
	const assignment: Assignment = { ...address, frontend: frontend.name, mode, options };
	await call.devices.assign(assignment);
	await hintOnly(async () => {
		await warnIfDenied(call, frontend, device);
		await warnIfAbsent(call, frontend, assignment, word);
	});
	return 0;
}

/** `qvm-device CLASS detach`: a qube loses a device now, or all of them. */
export async function detach(call: DeviceCall, words: readonly string[]): Promise<number> {
	const { devices, qubesd } = call;
	if (words[1] === undefined) {
		const { name } = await findQube(qubesd, words[0]);
		for (const one of await devices.assignments(name, "Attached")) await devices.detach(name, one);
	} else {
		const { frontend, word } = await findQubes(call, words);
		await devices.detach(frontend.name, (await lookUp(devices, word)).address);
	}
	return 0;
}

/** `qvm-device CLASS unassign`: a qube does not get a device any more, or none of them; one that it has now it keeps. */
export async function unassign(call: DeviceCall, words: readonly string[]): Promise<number> {
	const { devices, qubesd, warn } = call;
	const gone: DeviceAddress[] = [];
	let qube = words[0] ?? "";
	if (words[1] === undefined) {
		qube = (await findQube(qubesd, words[0])).name;
		gone.push(...(await devices.assignments(qube, "Assigned")));
	} else {
		const { word } = await findQubes(call, words);
		gone.push((await chooseAddress(call, word)).address);
	}
	for (const one of gone) await devices.unassign(qube, one);
	await hintOnly(async () => {
		for (const one of await devices.assignments(qube, "Attached")) {
			if (gone.some((address) => isSameDevice(one, address)))
				warn(`${formatAddress(one)} is still attached to ${qube}: detach it too`);
		}
	});
	return 0;
}

/** The qubes of `VMNAME BACKEND:PORT`, which have to be there. */
async function findQubes(call: DeviceCall, [name, word = ""]: readonly string[]): Promise<{ frontend: Qube; word: string }> {
	const { backend } = parseAddress(word);
	const qubes = await listQubes(call.qubesd);
	const frontend = pickQube(qubes, name);
	pickQube(qubes, backend);
	return { frontend, word };
}

function optionsOf({ options }: DeviceCall): Map<string, string> {
	const pairs = parsePairs("option", options.option ?? []);
	if (options.ro === true) pairs.set("read-only", "yes");
	return pairs;
}

/** What is assigned: port and device, or one of them as `--port` and `--device` say. A device that is not there needs an ID, or `--port`. */
async function chooseAddress(
	{ options, devices }: DeviceCall,
	word: string,
): Promise<{ address: DeviceAddress; device: Device | undefined }> {
	if (options.port === true && options.device === true) throw new UsageError("--port and --device exclude each other");
	const { address, device } = await lookUp(devices, word);
	if (options.port === true) return { address: { ...address, id: "*" }, device };
	const isNamed = device !== undefined || parseAddress(word).id !== null;
	if (!isNamed) await findDevice(devices, word);
	return { address: options.device === true ? { ...address, port: "*" } : address, device };
}

/** The change is made: whoever cannot be asked about what follows from it is no error. */
async function hintOnly(hint: () => Promise<void>): Promise<void> {
	try {
		await hint();
	} catch (error) {
		if (!(error instanceof RemoteError || error instanceof EmptyReplyError)) throw error;
	}
}

/** The qube may have said that it wants no such devices (`devices_denied`: codes of seven characters, `*` is any). */
async function warnIfDenied({ qubesd, warn }: DeviceCall, { name }: Qube, device: Device | undefined): Promise<void> {
	const denied = (await new Properties(qubesd, name, "admin.vm.property").getAll()).get("devices_denied")?.text ?? "";
	const codes = denied.match(/[a-z?*][0-9a-f*]{6}/g) ?? [];
	const isDenied = (face: string) => codes.some((code) => [...code].every((one, index) => one === "*" || one === face[index]));
	const face = device?.interfaces.find(isDenied);
	if (face !== undefined) warn(`the devices_denied of ${name} forbid the interface ${face}: it will not be attached`);
}

async function warnIfAbsent(
	{ devices, warn }: DeviceCall,
	{ name, state }: Qube,
	wanted: DeviceAddress,
	word: string,
): Promise<void> {
	if (state === "Halted" || state === "NA") return;
	const attached = await devices.assignments(name, "Attached");
	if (attached.some((one) => isSameDevice(one, wanted))) return;
	warn(`${name} runs, and gets it at its next start: to attach it now, use: qvm-device ${devices.klass} attach ${name} ${word}`);
}
