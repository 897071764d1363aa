import { AdminError, type ErrorKind } from "../../model/errors.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import type { Volume } from "../../model/storage/contract.ts";

/** The volume of a qube; one that is not there looks as one that the caller may not see (spec 7.6), but to programs that may see all. */
export function findVolume(qube: Qube, name: string, kind: ErrorKind = "PermissionDenied"): Volume {
	const volume = qube.storage.find(name);
	if (volume !== null) return volume;
	const what = `${qube.name} volumes`;
	throw new AdminError(kind, `Argument not in ${kind === "PermissionDenied" ? `'${what}'` : what}`);
}
