import { UsageError } from "./errors.ts";
import { type Image, importImage, openImage } from "./import-image.ts";
import { parseSize } from "./size.ts";
import type { VolumeCall } from "./volume-options.ts";
import { findVolume, volumeInfo } from "./volumes.ts";

/** `qvm-volume import`: the content of a file, or of standard input for `-`, becomes that of a volume. */
export async function importFile(call: VolumeCall, [word, file = ""]: readonly string[]): Promise<number> {
	const { options, qubesd, io } = call;
	const isFixed = options["no-resize"] === true;
	if (isFixed && options.size !== undefined) throw new UsageError("--size and --no-resize exclude each other");
	const size = options.size === undefined ? undefined : parseSize(options.size);
	if (file === "-" && size === undefined && !isFixed) throw new UsageError("standard input needs --size or --no-resize");
	const volume = await findVolume(qubesd, word);
	const current = isFixed ? Number((await volumeInfo(qubesd, volume)).get("size")) : undefined;
	const image: Image =
		file === "-"
			? { name: "standard input", bytes: io.stdin, size: size ?? current ?? 0, data: null, isResizing: !isFixed }
			: { ...openImage(file, size ?? current), isResizing: !isFixed };
	await importImage(call, volume, image);
	return 0;
}
