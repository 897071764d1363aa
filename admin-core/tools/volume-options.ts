import type { Invocation } from "./command.ts";
import { flag, JSON_OPTION, text } from "./options.ts";

/** The options of qvm-volume, whatever the action. */
export const VOLUME_OPTIONS = {
	pool: text("for list: only volumes in this pool", "p"),
	force: flag("for resize: also to a smaller size; for clone and clear: do not ask", "f"),
	size: text("for import: how many bytes there are [size of the file]"),
	"no-resize": flag("for import: there is as much as the volume has now"),
	...JSON_OPTION,
} as const;

/** A call of qvm-volume. */
export type VolumeCall = Invocation<typeof VOLUME_OPTIONS>;
