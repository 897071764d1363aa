import { cloneVolume } from "./clone-volume.ts";
import { confirm } from "./confirm.ts";
import { LocalError, UsageError } from "./errors.ts";
import { listQubes, pickQube } from "./qubes.ts";
import { parseSize } from "./size.ts";
import type { VolumeCall } from "./volume-options.ts";
import { checkVolume, findVolume, listRevisions, parseVolume, type Volume, volumeInfo } from "./volumes.ts";

/** What can be changed of a volume. */
export const VOLUME_SETTINGS = ["rw", "revisions_to_keep", "ephemeral"];

/** `qvm-volume config`: changes one property of a volume. */
export async function config({ qubesd }: VolumeCall, [word, name = "", value = ""]: readonly string[]): Promise<number> {
	if (!VOLUME_SETTINGS.includes(name)) throw new UsageError(`"${name}" cannot be changed: want ${VOLUME_SETTINGS.join(", ")}`);
	const { qube, volume } = await findVolume(qubesd, word);
	await qubesd.call(qube, `admin.vm.volume.Set.${name}`, volume, value);
	return 0;
}

/** `qvm-volume resize`: a smaller size cuts off the end of the file system that is in there, so that has to be forced. */
export async function resize({ options, qubesd }: VolumeCall, [word, text = ""]: readonly string[]): Promise<number> {
	const size = parseSize(text);
	const found = await findVolume(qubesd, word);
	const current = Number((await volumeInfo(qubesd, found)).get("size"));
	if (size < current && options.force !== true) {
		throw new LocalError(
			`${word} has ${current} bytes, which is more than ${size}: shrink its file system first, then use --force, or data are lost`,
		);
	}
	await qubesd.call(found.qube, "admin.vm.volume.Resize", found.volume, String(size));
	return 0;
}

/** `qvm-volume revert`: to the revision that is named, or else to the last one. */
export async function revert({ qubesd }: VolumeCall, [word, given]: readonly string[]): Promise<number> {
	const found = await findVolume(qubesd, word);
	const revision = given ?? (await listRevisions(qubesd, found)).at(-1);
	if (revision === undefined) throw new LocalError("No snapshots available");
	await qubesd.call(found.qube, "admin.vm.volume.Revert", found.volume, revision);
	return 0;
}

/** `qvm-volume clone`: both have to be volumes that keep their state. */
export async function clone(call: VolumeCall, [fromWord, toWord]: readonly string[]): Promise<number> {
	const { options, qubesd, complain } = call;
	const [from, to] = [parseVolume(fromWord), parseVolume(toWord)];
	const qubes = await listQubes(qubesd);
	for (const volume of [from, to]) {
		pickQube(qubes, volume.qube);
		await checkKept(call, volume);
	}
	const question = `The content of ${toWord} will be replaced by that of ${fromWord}. Are you sure?`;
	if (options.force !== true && !(await confirm(call.io, question))) {
		complain("nothing was cloned");
		return 1;
	}
	await cloneVolume(call, `cloning ${fromWord}`, from, to);
	return 0;
}

async function checkKept({ qubesd }: VolumeCall, volume: Volume): Promise<void> {
	await checkVolume(qubesd, volume);
	if ((await volumeInfo(qubesd, volume)).get("save_on_stop") === "True") return;
	throw new LocalError(`${volume.qube}:${volume.volume} does not keep its state: its save_on_stop is False`);
}

/** `qvm-volume clear`: an empty volume of the same size. */
export async function clear({ options, qubesd, io, complain }: VolumeCall, [word]: readonly string[]): Promise<number> {
	const { qube, volume } = await findVolume(qubesd, word);
	if (options.force !== true && !(await confirm(io, `All data in ${word} will be removed. Are you sure?`))) {
		complain("nothing was cleared");
		return 1;
	}
	await qubesd.call(qube, "admin.vm.volume.Clear", volume);
	return 0;
}
