// The storage driver file-reflink (spec/storage-reflink.md), a plugin of admin-core. The way of an operation: pool.ts makes the volume, one of origin.ts,
// snapshot.ts and volatile.ts; volume.ts gives it its turn and looks at its directory; commit.ts, copy.ts and steps.ts do the work on the disk.
import type { MakePool } from "../admin-core/model/storage/contract.ts";
import { makePool } from "./pool.ts";

export const storageDrivers: { readonly [name: string]: MakePool } = { "file-reflink": makePool };
