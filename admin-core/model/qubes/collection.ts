import { compareQubeNames } from "./name.ts";
import type { Qube } from "./qube.ts";

/** All qubes of a system, by name, number and uuid, which none of two share. */
export class QubeCollection {
	private readonly byName = new Map<string, Qube>();
	private readonly byQid = new Map<number, Qube>();
	/** A qube that is being loaded may have no uuid yet. */
	private readonly byUuid = new Map<string, Qube>();
	/** In the order of all lists; null after a change. */
	private sorted: readonly Qube[] | null = null;

	/** dom0, then by name (spec 3.9). */
	list(): readonly Qube[] {
		this.sorted ??= [...this.byName.values()].sort((a, b) => compareQubeNames(a.name, b.name));
		return this.sorted;
	}

	/** The qube of a name, null if there is none. */
	find(name: string): Qube | null {
		return this.byName.get(name) ?? null;
	}

	/** The qube of a uuid, null if there is none. */
	findUuid(uuid: string): Qube | null {
		return this.byUuid.get(uuid) ?? null;
	}

	/** Whether a qube is one of these. */
	has(qube: Qube): boolean {
		return this.byName.get(qube.name) === qube;
	}

	/** Another one that has the name, number or uuid of a qube, null if there is none. */
	clash({ name, qid, uuid }: Qube): Qube | null {
		return this.byName.get(name) ?? this.byQid.get(qid) ?? this.byUuid.get(uuid) ?? null;
	}

	add(qube: Qube): void {
		this.byName.set(qube.name, qube);
		this.byQid.set(qube.qid, qube);
		if (qube.uuid !== "") this.byUuid.set(qube.uuid, qube);
		this.sorted = null;
	}

	delete(qube: Qube): void {
		this.byName.delete(qube.name);
		this.byQid.delete(qube.qid);
		this.byUuid.delete(qube.uuid);
		this.sorted = null;
	}
}
