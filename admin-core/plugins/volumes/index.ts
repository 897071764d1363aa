import type { Call, PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { listReply } from "../../model/list-reply.ts";
import { parseFlag, parseNumber } from "../../model/payload.ts";
import { formatValue } from "../../model/properties/property.ts";
import { resize, setEphemeral, setRevisionsToKeep, setRw } from "../../model/storage/changes.ts";
import type { Volume } from "../../model/storage/contract.ts";
import { isEphemeral } from "../../model/storage/ephemeral.ts";
import { cloneFrom, cloneTo } from "./clone.ts";
import { findVolume } from "./find.ts";
import { clear, importBegin, importEnd } from "./import.ts";

/** The methods of the volumes of a qube (spec 8.6, 9.2; spec/storage-reflink.md 9.3). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.volume.List": ({ destination, permit }) => {
		const sees = permit();
		return listReply(
			destination.storage.volumes().map(({ name }) => name),
			sees,
		);
	},
	"admin.vm.volume.Info": ({ destination, argument, permit }) => {
		permit();
		return describe(findVolume(destination, argument));
	},
	"admin.vm.volume.ListSnapshots": ({ destination, argument, permit }) => {
		const sees = permit();
		return listReply([...findVolume(destination, argument).revisions.keys()], sees);
	},
	"admin.vm.volume.Revert": async ({ destination, argument, payload, permit }) => {
		const revision = payload.toString("latin1").trim();
		if (!/^[A-Za-z0-9:._-]*$/.test(revision)) throw new AdminError("ProtocolError", "revision: want A-Z a-z 0-9 : . _ -");
		permit({ volume: argument, revision });
		const volume = findVolume(destination, argument);
		if (!volume.revisions.has(revision)) {
			throw new AdminError("QubesVolumeRevisionNotFoundError", `volume ${argument} has no revision '${revision}'`);
		}
		await volume.revert(revision);
		return "";
	},
	"admin.vm.volume.Resize": async ({ destination, argument, payload, permit }) => {
		const size = parseNumber("Volume size", payload.toString("latin1").trim());
		permit({ size });
		await resize(destination, findVolume(destination, argument), size);
		return "";
	},
	"admin.vm.volume.Clear": clear,
	"admin.vm.volume.CloneFrom": cloneFrom,
	"admin.vm.volume.CloneTo": cloneTo,
	"admin.vm.volume.Set.revisions_to_keep": ({ destination, argument, payload, permit }) => {
		const newvalue = parseNumber("Revisions to keep", payload.toString("latin1"), { negative: true });
		permit({ newvalue });
		setRevisionsToKeep(destination, findVolume(destination, argument), newvalue);
		return "";
	},
	"admin.vm.volume.Set.rw": (call) => setFlag(call, (volume, value) => setRw(call.destination, volume, value)),
	"admin.vm.volume.Set.ephemeral": (call) => setFlag(call, setEphemeral),
	"internal.vm.volume.ImportBegin": importBegin,
	"internal.vm.volume.ImportEnd": importEnd,
};

function setFlag({ destination, argument, payload, permit }: Call, set: (volume: Volume, value: boolean) => void): string {
	const newvalue = parseFlag(payload);
	permit({ newvalue });
	set(findVolume(destination, argument), newvalue);
	return "";
}

/** `KEY=VALUE` lines in the order that clients know; whether it is outdated only where its driver can know. */
function describe(volume: Volume): string {
	const { pool, vid, size, usage, rw, source, path, saveOnStop, snapOnStart, revisionsToKeep } = volume;
	const outdated = volume.isOutdated();
	const entries: [key: string, value: string | number | boolean][] = [
		["pool", pool.name],
		["vid", vid],
		["size", size],
		["usage", usage],
		["rw", rw],
		["source", source?.vid ?? ""],
		["path", path],
		["save_on_stop", saveOnStop],
		["snap_on_start", snapOnStart],
		["revisions_to_keep", revisionsToKeep],
		["ephemeral", isEphemeral(volume)],
	];
	if (outdated !== null) entries.push(["is_outdated", outdated]);
	return entries.map(([key, value]) => `${key}=${formatValue(value)}\n`).join("");
}
