import { randomBytes } from "node:crypto";
import path from "node:path";

/** An earlier state of a volume, and the file that it is in. */
export interface Revision {
	/** Ids only grow; as numbers, for "10" is later than "9". */
	readonly id: bigint;
	/** UTC, `YYYY-MM-DDThh:mm:ss`. */
	readonly time: string;
	readonly path: string;
}

/** What is there of a volume, all of its own files and no other. */
export interface Found {
	readonly clean: boolean;
	readonly dirty: boolean;
	readonly precache: boolean;
	readonly importing: boolean;
	/** From the lowest id to the highest. */
	readonly revisions: readonly Revision[];
	/** Paths of what an operation that was broken off has left. */
	readonly temporaries: readonly string[];
	/** Names that begin like one of this volume and are none of it: never touched. */
	readonly alien: readonly string[];
}

const REVISION = /^\.([1-9][0-9]*)@([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z$/;
const TEMPORARY = /~[a-z0-9_]{8}$/;
const TEMPORARY_LENGTH = 9;
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_";

/**
 * The files of one volume (spec 3.1). With P for `<dir_path>/<vid>`:
 *
 *     P.img             clean     the last committed state
 *     P-dirty.img       dirty     attached to the qube
 *     P-precache.img    precache  a clone of clean for the next start
 *     P-import.img      importing not complete
 *     P.img.<id>@<time>Z          a revision
 *     <one of them>~xxxxxxxx      a temporary file on its way to that name
 */
export class ImageNames {
	readonly directory: string;
	readonly clean: string;
	readonly dirty: string;
	readonly precache: string;
	readonly importing: string;
	readonly #base: string;

	constructor(dirPath: string, vid: string) {
		const whole = path.join(dirPath, vid);
		this.directory = path.dirname(whole);
		this.#base = path.basename(whole);
		this.clean = `${whole}.img`;
		this.dirty = `${whole}-dirty.img`;
		this.precache = `${whole}-precache.img`;
		this.importing = `${whole}-import.img`;
	}

	/** `modified` is the time of the state, that of the last write to its image. */
	revision(id: bigint, modified: Date): string {
		return `${this.clean}.${id}@${modified.toISOString().slice(0, 19)}Z`;
	}

	/** Finds what belongs to this volume among the names in its directory. */
	sort(names: readonly string[]): Found {
		const has = (file: string): boolean => names.includes(path.basename(file));
		const revisions = names.map((name) => this.#toRevision(name)).filter((one) => one !== null);
		return {
			clean: has(this.clean),
			dirty: has(this.dirty),
			precache: has(this.precache),
			importing: has(this.importing),
			revisions: revisions.sort(byId),
			temporaries: names.filter((name) => this.#isTemporary(name)).map((name) => path.join(this.directory, name)),
			alien: names.filter((name) => this.#looksOwn(name) && !this.#isOwn(name) && !this.#isTemporary(name)),
		};
	}

	#toRevision(name: string): Revision | null {
		const clean = path.basename(this.clean);
		if (!name.startsWith(clean)) return null;
		const [, id, time] = REVISION.exec(name.slice(clean.length)) ?? [];
		if (id === undefined || time === undefined) return null;
		return { id: BigInt(id), time, path: path.join(this.directory, name) };
	}

	#isTemporary(name: string): boolean {
		return TEMPORARY.test(name) && this.#isOwn(name.slice(0, -TEMPORARY_LENGTH));
	}

	#isOwn(name: string): boolean {
		return this.#fixed().includes(name) || this.#toRevision(name) !== null;
	}

	#looksOwn(name: string): boolean {
		return this.#fixed().some((own) => name.startsWith(own));
	}

	#fixed(): string[] {
		return ["", "-dirty", "-precache", "-import"].map((suffix) => `${this.#base}${suffix}.img`);
	}
}

/** A name next to a file, under which it is made before it gets its own. */
export function temporaryName(file: string): string {
	const suffix = [...randomBytes(8)].map((byte) => LETTERS[byte % LETTERS.length]).join("");
	return `${file}~${suffix}`;
}

function byId(a: Revision, b: Revision): number {
	if (a.id !== b.id) return a.id < b.id ? -1 : 1;
	return a.time < b.time ? -1 : 1;
}
