import { isUtf8 } from "node:buffer";
import type { PluginModule } from "../../host/plugin.ts";
import { AdminError } from "../../model/errors.ts";
import { forgetQubeFile, qubeFile, readIfThere, writeWhole } from "../../model/files.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { inTurnIfThere } from "../../model/qubes/turns.ts";

const FILE = "notes.txt";
/** What could pretend to be something else where notes are shown: controls, formats, what has no meaning, separators of lines. */
const UNSAFE = /[^\t\n\P{C}]|[\p{Zl}\p{Zp}]/gu;

/** What the user has noted about a qube (spec 8.9); as long as a request may be, which is 65,536 bytes with its header (spec 12, 17). */
export const methods: NonNullable<PluginModule["methods"]> = {
	"admin.vm.notes.Get": async ({ destination, permit }) => {
		permit();
		const file = qubeFile(destination, FILE);
		const notes = (await readIfThere(file)) ?? Buffer.alloc(0);
		if (!isUtf8(notes)) throw new AdminError("QubesException", `${file}: want UTF-8`);
		return notes.toString();
	},
	"admin.vm.notes.Set": async ({ destination, payload, permit }) => {
		if (!isUtf8(payload)) throw new AdminError("QubesValueError", "notes: want UTF-8");
		const notes = payload.toString().replace(UNSAFE, "_");
		permit({ notes });
		const file = qubeFile(destination, FILE);
		// Else it could come after the removal of the qube, or before its disk is made, which begins without notes.
		await inTurnIfThere(destination, () => writeWhole(file, notes));
		return "";
	},
};

/** The notes of a qube are gone with it, and a new one does not find those of an earlier one of its name. */
export const handlers = { forget };

function forget(qube: Qube, event: string): Promise<void> {
	return forgetQubeFile(qube, event, FILE);
}
