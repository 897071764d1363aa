import { cloneVolume } from "./clone-volume.ts";
import type { Setting } from "./command.ts";
import { Devices } from "./devices.ts";
import { unlessRemote } from "./errors.ts";
import { getFeatures, setFeature } from "./features.ts";
import { copyMenus } from "./menus.ts";
import { parseValue } from "./property-value.ts";
import { listVolumes, type Volume, volumeInfo } from "./volumes.ts";

/** Copies one thing; it is for the caller to say what happens if that fails. */
export type Attempt = (what: string, step: () => Promise<void>) => Promise<void>;

/** From one qube to another, which is new. */
export interface Copy extends Setting {
	readonly from: string;
	readonly to: string;
	readonly attempt: Attempt;
}

/** Copies everything, in the order of the original (spec 11). */
export async function copyAll(copy: Copy): Promise<void> {
	const { attempt } = copy;
	await attempt("the list of properties", () => copyProperties(copy));
	await attempt("the list of tags", () => copyTags(copy));
	await attempt("the list of features", () => copyFeatures(copy));
	await attempt("the notes", () => copyNotes(copy));
	await attempt("the firewall", () => copyFirewall(copy));
	await attempt("the application menu", () => copyMenus(copy, copy.from, copy.to));
	await attempt("the list of volumes", () => copyVolumes(copy));
	await attempt("the list of assigned devices", () => copyDevices(copy));
}

/** What a qube has from its creation; `dispid` is chosen once, by the daemon. */
const NOT_COPIED = ["name", "qid", "template", "label", "uuid", "dispid", "installed_by_rpm"];

/** Those that are set. That the new qube, if its class is another one, does not have some of them is no failure. */
async function copyProperties({ qubesd, from, to, attempt }: Copy): Promise<void> {
	for (const name of await qubesd.list(from, "admin.vm.property.List")) {
		if (NOT_COPIED.includes(name)) continue;
		await attempt(`the property ${name}`, async () => {
			const { isDefault, text } = parseValue(await qubesd.call(from, "admin.vm.property.Get", name));
			if (isDefault) return;
			await unlessRemote(qubesd.call(to, "admin.vm.property.Set", name, text), "QubesNoSuchPropertyError");
		});
	}
}

async function copyTags({ qubesd, from, to, attempt }: Copy): Promise<void> {
	for (const tag of await qubesd.list(from, "admin.vm.tag.List")) {
		if (tag.startsWith("created-by-")) continue;
		await attempt(`the tag ${tag}`, async () => void (await qubesd.call(to, "admin.vm.tag.Set", tag)));
	}
}

async function copyFeatures({ qubesd, from, to, attempt }: Copy): Promise<void> {
	for (const [name, value] of await getFeatures(qubesd, from)) {
		await attempt(`the feature ${name}`, () => setFeature(qubesd, to, name, value));
	}
}

async function copyNotes({ qubesd, from, to }: Copy): Promise<void> {
	const notes = await qubesd.call(from, "admin.vm.notes.Get");
	if (notes !== "") await qubesd.call(to, "admin.vm.notes.Set", "", notes);
}

async function copyFirewall({ qubesd, from, to }: Copy): Promise<void> {
	await qubesd.call(to, "admin.vm.firewall.Set", "", await qubesd.call(from, "admin.vm.firewall.Get"));
}

/** The volumes of the new qube that keep their state; the others have nothing to copy. */
async function copyVolumes(copy: Copy): Promise<void> {
	const { qubesd, from, to, attempt } = copy;
	for (const volume of await listVolumes(qubesd, to)) {
		const [source, target] = [from, to].map((qube) => ({ qube, volume })) as [Volume, Volume];
		await attempt(`the volume ${volume}`, async () => {
			if ((await volumeInfo(qubesd, target)).get("save_on_stop") !== "True") return;
			await cloneVolume(copy, `copying the volume ${volume}`, source, target);
		});
	}
}

async function copyDevices({ qubesd, from, to, attempt }: Copy): Promise<void> {
	for (const klass of await qubesd.list("dom0", "admin.deviceclass.List")) {
		const devices = new Devices(qubesd, klass);
		for (const assignment of await devices.assignments(from, "Assigned")) {
			await attempt(`the assigned ${klass} device ${assignment.port}`, () => devices.assign({ ...assignment, frontend: to }));
		}
	}
}
