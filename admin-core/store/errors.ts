/** Every way in which the store refuses, with what it means (docs/store.md lists what to do). Nothing was written where one is thrown, but for `isInPlace`. */
export const STORE_ERROR_KINDS = {
	missing: "there is no such file",
	malformed: "the file is no XML, or was written to half",
	invalid: "the file is XML, but not a store",
	locked: "another process works with it",
	changed: "somebody else changed the file since it was read",
	unsavable: "the data cannot be written in a way that it can be read again",
	system: "the operating system refused",
	misused: "the caller has not opened or loaded it",
} as const;

/** The name of one of these ways. */
export type StoreErrorKind = keyof typeof STORE_ERROR_KINDS;

/** A place in a file. `line` and `column` start at 1, columns count characters. */
export interface Place {
	readonly file: string;
	readonly line: number;
	readonly column: number;
}

/** A text and the file it was read from. */
export interface Source {
	readonly file: string;
	readonly text: string;
}

/** The store cannot be read or written (spec 5.6). The message is one line: the place if there is one, what is wrong, what to do. */
export class StoreError extends Error {
	readonly kind: StoreErrorKind;
	/** What is wrong, without the place. */
	readonly detail: string;
	readonly at: Place | null;
	/** Whether the new file is there, but may be gone again after a power cut: the only case in which it is not as it was. */
	readonly isInPlace: boolean;

	constructor(kind: StoreErrorKind, detail: string, at: Place | null = null, isInPlace = false) {
		super(at === null ? detail : `${formatPlace(at)}: ${detail}`);
		this.kind = kind;
		this.detail = detail;
		this.at = at;
		this.isInPlace = isInPlace;
	}
}

/** Makes a StoreError of what Node threw in a step such as `cannot write /x/y`. */
export function systemError(step: string, thrown: unknown): StoreError {
	if (thrown instanceof StoreError) return thrown;
	const { code, message } = thrown as NodeJS.ErrnoException;
	return new StoreError("system", `${step}: ${HINTS[code ?? ""] ?? code ?? message}`);
}

const HINTS: { readonly [code: string]: string } = {
	ENOSPC: "the disk is full: make room",
	EDQUOT: "the quota is used up: make room",
	EROFS: "the file system is read-only: mount it for writing",
	EACCES: "not permitted: run as root or as a member of the group of the file",
	EPERM: "not permitted: run as root, or as the owner of the file and a member of its group",
	ENOENT: "there is no such directory: make it",
	ELOOP: "it is a symbolic link: remove it",
	EIO: "the disk failed: see the log of the kernel",
};

/** `FILE:LINE:COLUMN`. */
export function formatPlace({ file, line, column }: Place): string {
	return `${file}:${line}:${column}`;
}

/** The place of the character at `offset` of a text. */
export function placeOf({ file, text }: Source, offset: number): Place {
	const before = text.slice(0, offset).replace(/\r\n?/g, "\n");
	const start = before.lastIndexOf("\n") + 1;
	return { file, line: before.split("\n").length, column: [...before.slice(start)].length + 1 };
}

/** A value in quotes on one line, whatever it has in it. */
export function quote(value: string): string {
	if (/^[ !#-[\]-~]*$/.test(value)) return `"${value}"`;
	return JSON.stringify(value).replace(/[^\u0020-\u007e\u00a0-\u2027\u2030-\uffff]/g, escapeCode);
}

function escapeCode(char: string): string {
	return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
