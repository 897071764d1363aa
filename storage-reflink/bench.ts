import type { Journal } from "./journal.ts";
import type { Place } from "./place.ts";
import type { Reflinks } from "./reflinks.ts";
import type { Steps } from "./steps.ts";

/** What all volumes of a pool work with. */
export interface Bench {
	readonly dirPath: string;
	readonly place: Place;
	readonly journal: Journal;
	readonly steps: Steps;
	readonly reflinks: Reflinks;
}
