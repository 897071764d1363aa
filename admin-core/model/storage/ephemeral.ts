import { AdminError } from "../errors.ts";
import type { Volume } from "./contract.ts";

/** What opens and closes encrypted views of volumes; the key is thrown away when it is made (spec/storage-reflink.md 1.6). */
export interface VolumeEncryption {
	/** Makes `/dev/mapper/NAME` of an image or a device, and begins it with zeros. Throws StoragePoolException. */
	open(path: string, name: string): Promise<void>;
	/** Closes it; nothing happens if it is not there. Throws StoragePoolException. */
	close(name: string): Promise<void>;
}

/** Where there is nobody who could encrypt. */
export const NO_ENCRYPTION: VolumeEncryption = {
	open: async (path) => {
		throw new AdminError("StoragePoolException", `there is nothing here that could encrypt ${path}`);
	},
	close: async () => undefined,
};

/** What says whether a volume can be encrypted with a key that is thrown away. */
interface VolumeKind {
	readonly name: string;
	readonly rw?: boolean | undefined;
	readonly snapOnStart?: boolean | undefined;
	readonly saveOnStop?: boolean | undefined;
}

/** Whether a volume is encrypted at its next start: what was set, or for one that is thrown away what its pool says (1.6). */
export function isEphemeral(volume: Volume): boolean {
	return volume.ephemeral ?? (canBeEphemeral(volume) && volume.pool.ephemeralVolatile);
}

/** Throws a QubesValueError where a volume is to be encrypted whose content is not its own, or is to be kept. */
export function checkEphemeral(volume: VolumeKind, ephemeral: boolean | undefined): void {
	if (ephemeral !== true || canBeEphemeral(volume)) return;
	throw new AdminError(
		"QubesValueError",
		`volume ${volume.name} cannot be ephemeral: only one that is written and thrown away can`,
	);
}

/** The name of the encrypted view of a volume below /dev/mapper. */
export function mapperName(qube: string, volume: string): string {
	return `vm-volatile-${qube.replaceAll("_", "_u").replaceAll("-", "_d")}-crypt@${volume}`;
}

function canBeEphemeral({ rw = false, snapOnStart = false, saveOnStop = false }: VolumeKind): boolean {
	return rw && !snapOnStart && !saveOnStop;
}
