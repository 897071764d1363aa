import type { QubeClassName } from "../qubes/name.ts";
import type { VolumeDescription } from "./attributes.ts";

const GIB = 1024 ** 3;
const ORIGIN = { rw: true, snapOnStart: false, saveOnStop: true } as const;
const SNAPSHOT = { rw: true, snapOnStart: true, saveOnStop: false } as const;
const VOLATILE = { rw: true, snapOnStart: false, saveOnStop: false } as const;
const KERNEL = { name: "kernel", rw: false, snapOnStart: false, saveOnStop: false } as const;

const WHOLE_SYSTEM: readonly VolumeDescription[] = [
	{ name: "root", ...ORIGIN, size: 10 * GIB },
	{ name: "private", ...ORIGIN, size: 2 * GIB },
	{ name: "volatile", ...VOLATILE, size: 10 * GIB },
	KERNEL,
];

/** The volumes of a class, in the order of all lists (spec/storage-reflink.md 1.4); the size of a snapshot is that of its source. */
const BY_CLASS: { readonly [klass in QubeClassName]: readonly VolumeDescription[] } = {
	AdminVM: [],
	RemoteVM: [],
	TemplateVM: WHOLE_SYSTEM,
	StandaloneVM: WHOLE_SYSTEM,
	AppVM: [
		{ name: "root", ...SNAPSHOT },
		{ name: "private", ...ORIGIN, size: 2 * GIB },
		{ name: "volatile", ...VOLATILE, size: 10 * GIB },
		KERNEL,
	],
	DispVM: [
		{ name: "root", ...SNAPSHOT },
		{ name: "private", ...SNAPSHOT },
		// Room for what the qube writes to root and to private.
		{ name: "volatile", ...VOLATILE, size: 12 * GIB },
		KERNEL,
	],
};

/** The volumes that every qube has. */
export const USUAL_VOLUMES = ["root", "private", "volatile", "kernel"] as const;

/** What the volumes of a qube of that class are to be, in the order of all lists. */
export function volumesOfClass(klass: QubeClassName): readonly VolumeDescription[] {
	return BY_CLASS[klass];
}
