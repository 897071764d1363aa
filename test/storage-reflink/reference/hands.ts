// The two hands that a tree goes through: our driver, in a new daemon for each step, and the stand-in for the reference (`stand_in.py`), which knows nothing
// but what is on the disk. Both do the same steps and say in the same form what they see.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Volume } from "../../../admin-core/model/storage/contract.ts";
import { startTalking, type Talking } from "../../admin-core/store/stage.ts";
import { write } from "../images.ts";
import type { Scene } from "../scene.ts";

const PROGRAM = path.join(path.dirname(fileURLToPath(import.meta.url)), "stand_in.py");

export type Step =
	| readonly [kind: "create" | "start" | "stop" | "remove"]
	| readonly [kind: "revert", id?: string]
	| readonly [kind: "resize", size: number]
	| readonly [kind: "import", letter: string, size: number, isSuccess: boolean];

/** A volume as one of the hands sees it; images by their hashes, null for one that is not there. */
export interface View {
	readonly size: number;
	readonly isDirty: boolean;
	readonly isOutdated: boolean | null;
	readonly clean: string | null;
	readonly dirty: string | null;
	/** In the order of the driver. */
	readonly revisions: readonly (readonly [id: string, time: string, image: string | null])[];
}

/** One who works on the volumes of the scene. */
export interface Hand {
	/** Returns whether it was refused. */
	do(vid: string, ...step: Step): Promise<boolean>;
	see(vid: string): Promise<View>;
	/** What it has complained of; not of a file system that is not for it. */
	readonly warnings: readonly string[];
}

export interface Hands {
	readonly ours: Ours;
	readonly standIn: StandIn;
}

export function handsOf(scene: Scene): Hands {
	return { ours: new Ours(scene), standIn: new StandIn(scene) };
}

/** Our driver. */
class Ours implements Hand {
	readonly #scene: Scene;

	constructor(scene: Scene) {
		this.#scene = scene;
	}

	get warnings(): string[] {
		return this.#scene.lines(/^(?!.* has no reflinks: )/, "warning");
	}

	async do(vid: string, ...step: Step): Promise<boolean> {
		const volume = await this.#scene.restart(this.#scene.pool.getVolume(vid));
		try {
			await act(volume, step);
			return false;
		} catch (error) {
			if ((error as { kind?: string }).kind !== "StoragePoolException") throw error;
			return true;
		} finally {
			await this.#scene.pool.settled();
		}
	}

	async see(vid: string): Promise<View> {
		const volume = this.#scene.pool.getVolume(vid);
		const hash = (suffix: string): string | null => hashOf(this.#scene.file(volume, suffix));
		return {
			size: volume.size,
			isDirty: volume.isDirty(),
			isOutdated: volume.isOutdated(),
			clean: hash(".img"),
			dirty: hash("-dirty.img"),
			revisions: [...volume.revisions].map(([id, time]) => [id, time, hash(`.img.${id}@${time}Z`)]),
		};
	}
}

async function act(volume: Volume, step: Step): Promise<void> {
	switch (step[0]) {
		case "revert":
			return volume.revert(step[1]);
		case "resize":
			return volume.resize(step[1]);
		case "import":
			write(await volume.importData(step[2]), step[1]);
			return volume.importDataEnd(step[3]);
		default:
			return volume[step[0]]();
	}
}

interface Request {
	/** A method of the stand-in, and its arguments. */
	readonly do: string;
	readonly with: readonly unknown[];
	readonly cutAfter?: number;
}

interface Answer {
	readonly result: unknown;
	readonly error: string | null;
	readonly warnings: readonly string[];
}

/** The stand-in for the reference; it ends with the test. */
class StandIn implements Hand {
	readonly warnings: string[] = [];
	readonly #scene: Scene;
	readonly #program: Talking;
	#answers = 0;

	constructor(scene: Scene) {
		this.#scene = scene;
		this.#program = startTalking(["python3", "-IB", PROGRAM]);
		scene.t.teardown(() => void this.#program.child.stdin?.end());
	}

	async do(vid: string, ...step: Step): Promise<boolean> {
		return (await this.#request(vid, await this.#lastPartOf(vid, step))).error !== null;
	}

	async see(vid: string): Promise<View> {
		const { result, error } = await this.#request(vid, { do: "show", with: [] });
		if (error !== null) throw new Error(error);
		return result as View;
	}

	/** Does a step, and is gone after it has changed the tree for the nth time; of an import, after its begin. Returns false if it was done before that. */
	async cutShort(vid: string, step: Step, cutAfter: number): Promise<boolean> {
		return (await this.#request(vid, { ...(await this.#lastPartOf(vid, step)), cutAfter })).result as boolean;
	}

	/** Begins an import; all other steps are one request. */
	async #lastPartOf(vid: string, step: Step): Promise<Request> {
		if (step[0] !== "import") return { do: step[0], with: step.slice(1) };
		const [, letter, size, isSuccess] = step;
		write((await this.#request(vid, { do: "import_data", with: [size] })).result as string, letter);
		return { do: "import_data_end", with: [isSuccess] };
	}

	async #request(vid: string, request: Request): Promise<Answer> {
		const { revisionsToKeep, size, source } = this.#scene.pool.getVolume(vid);
		const settings = { pool: this.#scene.dir, vid, keep: revisionsToKeep, size, source: source?.vid };
		this.#program.child.stdin?.write(`${JSON.stringify({ ...settings, ...request })}\n`);
		const answer = JSON.parse(await this.#program.line(++this.#answers)) as Answer;
		this.warnings.push(...answer.warnings);
		return answer;
	}
}

function hashOf(image: string): string | null {
	return fs.existsSync(image) ? createHash("sha256").update(fs.readFileSync(image)).digest("hex") : null;
}
