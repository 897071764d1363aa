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
const FIRST_TIME = Date.parse("0000-01-01T00:00:00Z");
const LAST_TIME = Date.parse("9999-12-31T23:59:59Z");
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
	/** Names of what there may be once, without the directory. */
	readonly #fixed: readonly [clean: string, dirty: string, precache: string, importing: string];

	constructor(dirPath: string, vid: string) {
		const whole = path.join(dirPath, vid);
		this.directory = path.dirname(whole);
		this.clean = `${whole}.img`;
		this.dirty = `${whole}-dirty.img`;
		this.precache = `${whole}-precache.img`;
		this.importing = `${whole}-import.img`;
		const base = path.basename(whole);
		this.#fixed = [`${base}.img`, `${base}-dirty.img`, `${base}-precache.img`, `${base}-import.img`];
	}

	/** `modified` is the time of the state, that of the last write to its image, in milliseconds; what four digits cannot tell is the first or last year. */
	revision(id: bigint, modified: bigint): string {
		const time = new Date(Math.min(Math.max(Number(modified), FIRST_TIME), LAST_TIME));
		return `${this.clean}.${id}@${time.toISOString().slice(0, 19)}Z`;
	}

	/** Finds what belongs to this volume among the names in its directory. */
	sort(names: readonly string[]): Found {
		const [clean, dirty, precache, importing] = this.#fixed.map((name) => names.includes(name)) as [
			boolean,
			boolean,
			boolean,
			boolean,
		];
		const others = names.filter((name) => this.#isOther(name));
		const revisions = others.map((name) => this.#toRevision(name)).filter((one) => one !== null);
		const temporaries = others.filter((name) => this.#isTemporary(name));
		return {
			clean,
			dirty,
			precache,
			importing,
			revisions: revisions.sort(byId),
			temporaries: temporaries.map((name) => path.join(this.directory, name)),
			alien: others.filter((name) => this.#toRevision(name) === null && !temporaries.includes(name)),
		};
	}

	/** Those of the names in its directory that are files of this volume. */
	own(names: readonly string[]): string[] {
		return names.filter((name) => this.#isOwn(name) || this.#isTemporary(name));
	}

	/** Whether a name begins like one of ours and goes on. */
	#isOther(name: string): boolean {
		return this.#fixed.some((own) => name.length > own.length && name.startsWith(own));
	}

	#toRevision(name: string): Revision | null {
		const [clean] = this.#fixed;
		if (!name.startsWith(clean)) return null;
		const [, id, time] = REVISION.exec(name.slice(clean.length)) ?? [];
		if (id === undefined || time === undefined) return null;
		return { id: BigInt(id), time, path: path.join(this.directory, name) };
	}

	#isTemporary(name: string): boolean {
		return TEMPORARY.test(name) && this.#isOwn(name.slice(0, -TEMPORARY_LENGTH));
	}

	#isOwn(name: string): boolean {
		return this.#fixed.includes(name) || this.#toRevision(name) !== null;
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
