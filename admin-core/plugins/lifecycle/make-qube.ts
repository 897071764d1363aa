import { log } from "../../log.ts";
import type { App } from "../../model/app.ts";
import { AdminError } from "../../model/errors.ts";
import type { Value } from "../../model/properties/property.ts";
import type { QubeClassName } from "../../model/qubes/name.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { inTurn } from "../../model/qubes/turns.ts";
import { type PoolChoice, planVolumes, type VolumePlan } from "../../model/storage/plan.ts";

/** What a new qube is to be. */
export interface NewQube {
	readonly klass: QubeClassName;
	/** Set in their order. */
	readonly properties: readonly (readonly [name: string, value: Value])[];
	readonly template: Qube | null;
	readonly tags: readonly string[];
	readonly pools?: PoolChoice;
}

/** What a disposable does not take over from the qube that it is made of: who may remove it, and when it is run or saved. */
const NOT_INHERITED = ["installed_by_rpm", "autostart", "include_in_backups"];

/** Makes a qube and its volumes; the events come in the order of spec 8.7. When something fails, nothing of it is left. */
export async function makeQube(app: App, { klass, properties, template, tags, pools }: NewQube): Promise<Qube> {
	const plans = planVolumes(app, klass, template, pools);
	const qube = app.create(klass, properties);
	const setUp = (): void => {
		if (klass === "DispVM" && template !== null) inheritProperties(qube, template);
		qube.tags.update(tags);
	};
	await inTurn(qube, () => app.whileTaken(qube.name, () => finish(qube, setUp, plans)));
	return qube;
}

async function finish(qube: Qube, setUp: () => void, plans: readonly VolumePlan[]): Promise<void> {
	try {
		setUp();
		await qube.storage.create(plans);
		await qube.fireAsync("domain-create-on-disk").catch((error) => removeVolumes(qube, error));
		if (qube.app.find(qube.name) === qube) return;
		const reason = `${qube.name} was taken back, as another change could not be saved`;
		await removeVolumes(qube, new AdminError("QubesException", reason));
	} catch (error) {
		// Another call may have saved it meanwhile.
		if (qube.app.find(qube.name) === qube) qube.app.isUnsaved = true;
		qube.app.forget(qube);
		throw error;
	}
}

/** A disposable is set up as the qube that it is made of, above all with its network (spec 3.4). */
function inheritProperties(qube: Qube, template: Qube): void {
	const isInherited = ({ name, isCloned }: { name: string; isCloned: boolean }): boolean =>
		isCloned && !NOT_INHERITED.includes(name) && qube.isDefault(name);
	const names = qube.properties().filter(isInherited);
	qube.cloneProperties(
		template,
		names.map(({ name }) => name),
	);
}

async function removeVolumes(qube: Qube, error: unknown): Promise<never> {
	await qube.storage.remove().catch((failure) => log("error", `${qube.name}: after a failed creation: ${failure}`));
	throw error;
}
