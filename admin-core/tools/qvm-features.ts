/** qvm-features: features of a qube (spec 10.3). */
import { command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { getFeature, getFeatures, removeFeature, setFeature } from "./features.ts";
import { flag, JSON_OPTION } from "./options.ts";
import { findQube, qubeNames } from "./qubes.ts";
import { renderJson, renderTable } from "./table.ts";

/** Lists, shows, sets or removes features of a qube; the exit status is 1 if the one to be shown is unset. */
export const run = command({
	name: "qvm-features",
	about: "Lists, shows, sets or removes features of a qube. The exit status is 1 if the feature to be shown is unset.",
	words: ["VMNAME", "FEATURE?", "VALUE?"],
	options: { unset: flag("remove the feature", "default", "delete", "D"), ...JSON_OPTION },
	complete: async ([qube, ...more], qubesd) => {
		if (qube === undefined) return qubeNames(qubesd);
		return more.length === 0 ? qubesd.list(qube, "admin.vm.feature.List") : [];
	},
	act: async ({ options, words, qubesd, io, print }) => {
		const [name, feature, value] = words;
		if (options.unset === true && (feature === undefined || value !== undefined)) {
			throw new UsageError("--unset goes with a FEATURE and no VALUE");
		}
		if (feature === "") throw new UsageError("invalid feature: ''");
		const qube = (await findQube(qubesd, name)).name;
		if (feature === undefined) {
			const features = await getFeatures(qubesd, qube);
			io.stdout.write(options.json === true ? renderJson(Object.fromEntries(features)) : renderTable(features));
		} else if (options.unset === true) {
			await removeFeature(qubesd, qube, feature);
		} else if (value !== undefined) {
			await setFeature(qubesd, qube, feature, value);
		} else {
			const found = await getFeature(qubesd, qube, feature);
			if (found === undefined) return 1;
			print(options.json === true ? JSON.stringify(found) : found);
		}
		return 0;
	},
});
