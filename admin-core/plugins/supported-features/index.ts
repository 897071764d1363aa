import { log } from "../../log.ts";
import { isAdminError } from "../../model/errors.ts";
import type { EventArgs } from "../../model/events/handler-table.ts";
import { featureProblem } from "../../model/features.ts";
import type { Qube } from "../../model/qubes/qube.ts";
import { SINGLE } from "./single.ts";

/** Lists of what a qube can do, each name with `1`; those of the last word are for qubes with a template too (spec 2.4). */
const SYSTEM_LISTS = ["supported-service.", "supported-feature."];
const OWN_LISTS = ["supported-rpc."];

/** What a qube says that it can do becomes features of it (spec 2.4). */
export const handlers = { takeOver };

/**
 * Sets the features that a qube has asked for and may have (spec 2.4, 4). What is unknown or makes no sense is left out: another version may know it.
 * A qube with a template says nothing of the system, which is its template's. A template that can be called by qrexec for the first time is told so.
 */
async function takeOver(qube: Qube, _event: string, { untrusted_features }: EventArgs): Promise<void> {
	const requested = untrusted_features as ReadonlyMap<string, string>;
	const hasTemplate = qube.related("template") !== null;
	const couldBeCalled = isSet(qube, "qrexec");
	if (!hasTemplate) takeSingle(qube, requested);
	for (const prefix of hasTemplate ? OWN_LISTS : [...SYSTEM_LISTS, ...OWN_LISTS]) takeList(qube, requested, prefix);
	if (!hasTemplate && !couldBeCalled && isSet(qube, "qrexec")) await qube.fireAsync("template-postinstall");
}

function isSet(qube: Qube, feature: string): boolean {
	return (qube.features.get(feature) ?? "") !== "";
}

function takeSingle(qube: Qube, requested: ReadonlyMap<string, string>): void {
	for (const [name, { accept, isOnce = false }] of SINGLE) {
		const value = requested.get(name);
		if (value === undefined || (isOnce && qube.features.has(name))) continue;
		const accepted = accept(value);
		if (accepted === null) log("warning", `${qube.name} asks for feature ${name} with ${JSON.stringify(value)}: left out`);
		else change(qube, name, () => qube.features.set(name, accepted));
	}
}

/** What of a list is asked for no longer is removed; a qube that asks for nothing of it is an old one, which knows of no such list. */
function takeList(qube: Qube, requested: ReadonlyMap<string, string>, prefix: string): void {
	const names = [...requested].filter(([name, value]) => name.startsWith(prefix) && value === "1").map(([name]) => name);
	const wanted = new Set(names.filter((name) => isListed(name, prefix)));
	if (wanted.size === 0) return;
	for (const name of wanted) change(qube, name, () => qube.features.set(name, true));
	for (const [name] of qube.features.entries()) {
		if (name.startsWith(prefix) && !wanted.has(name)) change(qube, name, () => qube.features.delete(name));
	}
}

/** Names are free in QubesDB, but not those of features (spec 2.3). */
function isListed(name: string, prefix: string): boolean {
	return name.length > prefix.length && featureProblem(name, "1") === null;
}

/** One change that a handler prevents does not take the others with it, which would then be in memory and not in the store. */
function change(qube: Qube, feature: string, work: () => void): void {
	try {
		work();
	} catch (error) {
		if (!isAdminError(error)) throw error;
		log("warning", `feature ${feature} of ${qube.name}, as it asked for it: ${error.message}`);
	}
}
