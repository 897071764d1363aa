// What volumes must be after each operation, without any disk: the random, kill and power tests compare the real ones with it.
import type { Random } from "../policy-cli/core/random.ts";

/** A state of a disk. Two are the same file if they have the same number. */
export interface Disk {
	readonly letter: string;
	readonly size: number;
	readonly number: number;
}

export interface Origin {
	/** Null: there is none. */
	readonly clean: Disk | null;
	readonly dirty: Disk | null;
	/** The dirty image as the last start made it, so that it is the same one until it is written to; null if that resumed one. */
	readonly started: Disk | null;
	readonly keep: number;
	/** What a new image gets. */
	readonly nominal: number;
	readonly revisions: ReadonlyMap<number, Disk>;
	/** What the last operation has pruned, which may still be there until its background work is done. */
	readonly lingering: ReadonlyMap<number, Disk>;
}

export interface World {
	readonly origins: { readonly [name: string]: Origin };
	/** The snapshot of origin `t`: what it began with, and what it is now; null if it is halted. */
	readonly snapshot: { readonly begin: Disk; readonly now: Disk } | null;
	readonly volatile: { readonly nominal: number; readonly now: Disk | null };
}

export type Operation =
	| { readonly kind: "create" | "start" | "undo" | "stop" | "remove"; readonly volume: string }
	| { readonly kind: "write"; readonly volume: string; readonly letter: string }
	| { readonly kind: "revert"; readonly volume: string; readonly id: number | undefined }
	| { readonly kind: "resize"; readonly volume: string; readonly size: number }
	| {
			readonly kind: "import";
			readonly volume: string;
			readonly size: number;
			readonly letter: string;
			readonly isSuccess: boolean;
	  }
	| { readonly kind: "clone"; readonly volume: string; readonly from: string }
	| { readonly kind: "keep"; readonly volume: string; readonly keep: number }
	| { readonly kind: "restart" };

export const ORIGINS = ["o", "p", "t"];
export const SIZES = [16_384, 32_768, 65_536];
const NONE: Origin = {
	clean: null,
	dirty: null,
	started: null,
	keep: 2,
	nominal: 16_384,
	revisions: new Map(),
	lingering: new Map(),
};
const EMPTY = "∅";
let numbers = 0;

export const BEGIN: World = {
	origins: Object.fromEntries(ORIGINS.map((name) => [name, NONE])),
	snapshot: null,
	volatile: { nominal: 16_384, now: null },
};

/** The world after an operation; null if it has to be refused, and changes nothing. */
export function apply(world: World, operation: Operation): World | null {
	if (operation.kind === "restart") return recover(world);
	if (operation.volume === "a") return applyToSnapshot(world, operation);
	if (operation.volume === "v") return applyToVolatile(world, operation);
	const origin = world.origins[operation.volume];
	if (origin === undefined) throw new Error(`no volume ${operation.volume}`);
	// Those two do not wait for the background.
	const isFree = operation.kind === "write" || operation.kind === "keep";
	const after = applyToOrigin(isFree ? origin : { ...origin, lingering: new Map() }, operation, world);
	return after === null ? null : { ...world, origins: { ...world.origins, [operation.volume]: after } };
}

/** What a new daemon makes of what it finds: all volumes are stopped. */
export function recover(world: World): World {
	const stopped = Object.entries(world.origins).map(([name, origin]) => [name, stop(origin)]);
	const nominal = world.volatile.now?.size ?? world.volatile.nominal;
	return { origins: Object.fromEntries(stopped), snapshot: null, volatile: { nominal, now: null } };
}

function applyToOrigin(origin: Origin, operation: Exclude<Operation, { kind: "restart" }>, world: World): Origin | null {
	const { clean, dirty, keep, nominal } = origin;
	switch (operation.kind) {
		case "create":
			return { ...NONE, keep, nominal, clean: disk(EMPTY, nominal) };
		case "remove":
			return { ...NONE, keep, nominal };
		case "start":
			return start(origin, world);
		case "undo":
			if (dirty === null || origin.started === null) return origin;
			return dirty === origin.started && clean !== null ? { ...origin, dirty: null } : stop(origin);
		case "write":
			return dirty === null ? null : { ...origin, dirty: { ...dirty, letter: operation.letter } };
		case "stop":
			return stop(origin);
		case "keep":
			return dirty !== null && (keep === -1) !== (operation.keep === -1) ? origin : { ...origin, keep: operation.keep };
		case "resize":
			return resize(origin, operation.size);
		case "revert":
			return revert(origin, operation.id);
		case "import":
			if (dirty !== null) return null;
			return operation.isSuccess ? commit(origin, disk(operation.letter, operation.size), true) : origin;
		case "clone": {
			const from = world.origins[operation.from]?.clean ?? null;
			if (dirty !== null || from === null) return null;
			return commit(origin, disk(from.letter, from.size), true);
		}
	}
}

function start(origin: Origin, world: World): Origin | null {
	const { clean, dirty, revisions, keep } = origin;
	if (dirty !== null) return { ...origin, started: null };
	if (clean === null) return null;
	const made = keep === -1 ? runOn(clean, world) : disk(clean.letter, clean.size);
	if (keep !== -1) return { ...origin, dirty: made, started: made };
	return { ...origin, clean: null, dirty: made, started: made, revisions: new Map(), lingering: revisions };
}

/** Without snapshots it is the clean image that runs, but not where the snapshot has it, too. */
function runOn(clean: Disk, { snapshot }: World): Disk {
	return snapshot?.begin.number === clean.number ? disk(clean.letter, clean.size) : clean;
}

function stop(origin: Origin): Origin {
	return origin.dirty === null ? origin : { ...commit(origin, origin.dirty, origin.keep !== -1), dirty: null };
}

function commit(origin: Origin, next: Disk, prunes: boolean): Origin {
	const all = new Map(origin.revisions);
	if (origin.keep >= 1 && origin.clean !== null) all.set(nextId(all), origin.clean);
	const excess = prunes ? [...all].slice(0, Math.max(0, all.size - Math.max(0, origin.keep))) : [];
	for (const [id] of excess) all.delete(id);
	return { ...origin, clean: next, revisions: all, lingering: prunes ? new Map(excess) : origin.lingering };
}

function resize(origin: Origin, size: number): Origin | null {
	const { clean, dirty, revisions, keep } = origin;
	if (dirty !== null) return { ...origin, nominal: size, dirty: { ...dirty, size } };
	if (clean === null) return null;
	if (size === clean.size) return { ...origin, nominal: size };
	const all = new Map(revisions);
	if (size < clean.size && keep >= 1) all.set(nextId(all), clean);
	return { ...origin, nominal: size, clean: disk(clean.letter, size), revisions: all };
}

function revert(origin: Origin, id: number | undefined): Origin | null {
	const { clean, dirty, revisions, keep } = origin;
	const wanted = id ?? [...revisions.keys()].at(-1);
	const target = wanted === undefined ? undefined : revisions.get(wanted);
	if (dirty !== null || wanted === undefined || target === undefined) return null;
	const all = new Map(revisions);
	if (keep !== 0 && clean !== null) all.set(nextId(all), clean);
	all.delete(wanted);
	return { ...origin, clean: target, revisions: all };
}

function applyToSnapshot(world: World, operation: Operation): World | null {
	const { snapshot } = world;
	const source = world.origins["t"]?.clean ?? null;
	switch (operation.kind) {
		case "start":
			return source === null ? null : { ...world, snapshot: { begin: source, now: source } };
		case "write":
			return snapshot === null
				? null
				: { ...world, snapshot: { ...snapshot, now: { ...snapshot.now, letter: operation.letter } } };
		case "resize":
			return snapshot === null ? null : { ...world, snapshot: { ...snapshot, now: { ...snapshot.now, size: operation.size } } };
		case "stop":
			return { ...world, snapshot: null };
		default:
			return null;
	}
}

function applyToVolatile(world: World, operation: Operation): World | null {
	const { nominal, now } = world.volatile;
	switch (operation.kind) {
		case "start":
			return { ...world, volatile: { nominal, now: disk(EMPTY, now?.size ?? nominal) } };
		case "write":
			return now === null ? null : { ...world, volatile: { nominal, now: { ...now, letter: operation.letter } } };
		case "resize":
			return { ...world, volatile: { nominal: operation.size, now: now === null ? null : { ...now, size: operation.size } } };
		case "stop":
			return { ...world, volatile: { nominal: now?.size ?? nominal, now: null } };
		default:
			return null;
	}
}

function disk(letter: string, size: number): Disk {
	return { letter, size, number: ++numbers };
}

function nextId(revisions: ReadonlyMap<number, Disk>): number {
	return Math.max(0, ...revisions.keys()) + 1;
}

const KINDS = [
	"start",
	"start",
	"start",
	"undo",
	"undo",
	"stop",
	"stop",
	"stop",
	"write",
	"write",
	"write",
	"revert",
	"resize",
	"import",
	"clone",
	"keep",
] as const;
const RARE = ["create", "remove", "restart"] as const;

/** An operation that makes sense more often than not. */
export function randomOperation(random: Random, world: World): Operation {
	const kind = random.oneIn(15) ? random.pick(RARE) : random.pick(KINDS);
	const letter = String.fromCharCode(65 + random.int(26));
	const size = random.pick(SIZES);
	const missing = ORIGINS.find((name) => world.origins[name]?.clean === null && world.origins[name]?.dirty === null);
	if (missing !== undefined && random.oneIn(3)) return { kind: "create", volume: missing };
	const origin = random.pick(ORIGINS);
	switch (kind) {
		case "restart":
			return { kind };
		case "create":
		case "remove":
			return { kind, volume: origin };
		case "undo":
			return { kind, volume: undoable(world).length > 0 ? random.pick(undoable(world)) : origin };
		case "start":
		case "stop":
			return { kind, volume: random.pick([...ORIGINS, "a", "v"]) };
		case "write":
			return { kind, volume: random.pick([...ORIGINS, "a", "v"]), letter };
		case "resize":
			return { kind, volume: random.pick([...ORIGINS, "a", "v"]), size };
		case "revert":
			return { kind, volume: origin, id: random.oneIn(2) ? undefined : 1 + random.int(6) };
		case "import":
			return { kind, volume: origin, size, letter, isSuccess: !random.oneIn(4) };
		case "clone":
			return { kind, volume: origin, from: random.pick(ORIGINS) };
		case "keep":
			return { kind, volume: origin, keep: random.pick([-1, 0, 1, 2, 3]) };
	}
}

/** Those that nobody has written to since a start. */
function undoable({ origins }: World): string[] {
	return ORIGINS.filter((name) => origins[name]?.dirty !== null && origins[name]?.dirty === origins[name]?.started);
}
