import type { Qubesd } from "./client.ts";
import { EmptyReplyError, isRemote } from "./errors.ts";
import { renderTable } from "./table.ts";

/** What of the data of a pool is shared, in bytes on the disk; or why that is not known. */
type ShownSpace = KnownSpace | { readonly unknown: string };

interface KnownSpace {
	readonly exclusive: number;
	readonly shared: number;
	readonly volumes: readonly VolumeSpace[];
}

interface VolumeSpace {
	readonly vid: string;
	readonly exclusive: number;
	readonly revisions: readonly { readonly id: string; readonly frees: number }[];
}

/** Asks for it; null where the daemon has no such method, or does not let us, and where the driver never knows. */
export async function poolSpace(qubesd: Qubesd, name: string): Promise<ShownSpace | null> {
	try {
		const reply = await qubesd.call("dom0", "admin.pool.SpaceDetails", name);
		return reply === "" ? null : parse(reply);
	} catch (error) {
		if (isRemote(error, "ProtocolError", "PermissionDenied") || error instanceof EmptyReplyError) return null;
		if (isRemote(error, "StoragePoolException")) return { unknown: error.message };
		throw error;
	}
}

/** The two figures of the pool, as the rows of a table; or that they are not known, and why. */
export function spaceRows(space: ShownSpace): [string, string][] {
	if ("unknown" in space) return ["exclusive", "shared"].map((name) => [name, `not known: ${space.unknown}`]);
	return [
		["exclusive", `${space.exclusive}`],
		["shared", `${space.shared}`],
	];
}

/** A table of what the removal of each volume and of each revision frees; empty if there are none. */
export function renderFreed(space: ShownSpace): string {
	if ("unknown" in space || space.volumes.length === 0) return "";
	const rows = space.volumes.flatMap(({ vid, exclusive, revisions }) => [
		[vid, "", `${exclusive}`],
		...revisions.map(({ id, frees }) => [vid, id, `${frees}`]),
	]);
	return `\n${renderTable([["VOLUME", "REVISION", "REMOVAL_FREES"], ...rows])}`;
}

/** The same for programs; null for what is not known. */
export function encodeSpace(space: ShownSpace): object {
	if ("unknown" in space) return { exclusive: null, shared: null, space_unknown: space.unknown };
	const volumes = space.volumes.map(({ vid, exclusive, revisions }) => {
		return { vid, exclusive, revisions: Object.fromEntries(revisions.map(({ id, frees }) => [id, frees])) };
	});
	return { exclusive: space.exclusive, shared: space.shared, volumes };
}

/** `KEY=BYTES …` lines: a revision stands behind its volume, and a vid at the end, as it may have anything in it. */
function parse(reply: string): KnownSpace {
	const figures = { exclusive: 0, shared: 0 };
	const volumes = new Map<string, VolumeSpace & { revisions: { id: string; frees: number }[] }>();
	for (const line of reply.split("\n")) {
		const [, key, bytes, rest = ""] = /^(\w+)=(\d+)(?: (.*))?$/.exec(line) ?? [];
		if (key === "exclusive" || key === "shared") figures[key] = Number(bytes);
		if (key === "volume") volumes.set(rest, { vid: rest, exclusive: Number(bytes), revisions: [] });
		if (key !== "revision") continue;
		const blank = rest.indexOf(" ");
		volumes.get(rest.slice(blank + 1))?.revisions.push({ id: rest.slice(0, blank), frees: Number(bytes) });
	}
	return { ...figures, volumes: [...volumes.values()] };
}
