import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";
import type { Surroundings } from "../../../admin-core/model/app.ts";
import { addQube, makeHouse } from "../model/house.ts";
import { type Desk, openDesk } from "./desk.ts";

/** A desk whose qubes have directories of their own on the disk, and one qube on another machine. */
export interface DeskWithDirs extends Desk {
	/** The folder of `appvms`, `vm-templates`, and for `runDir` and `backupProfilesDir` of `run` and `backup`. */
	readonly dir: string;
}

/** Opens it for one test. */
export function openDeskWithDirs(t: ExecutionContext, surroundings: Partial<Surroundings> = {}): DeskWithDirs {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "qube-dirs-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	const places = { baseDir: dir, runDir: path.join(dir, "run"), backupProfilesDir: path.join(dir, "backup") };
	const app = makeHouse({ ...places, ...surroundings });
	addQube(app, "RemoteVM", "far");
	return Object.assign(openDesk(t, app), { dir });
}
