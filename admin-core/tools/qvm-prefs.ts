/** qvm-prefs: properties of a qube (spec 10.2). */
import { command } from "./command.ts";
import { checkReset, helpProperties, PREFS_OPTIONS, prefs } from "./prefs.ts";
import { Properties } from "./properties.ts";
import { findQube, qubeNames } from "./qubes.ts";

/** Lists, shows, sets or resets properties of a qube. */
export const run = command({
	name: "qvm-prefs",
	about: "Lists, shows, sets or resets properties of a qube.",
	words: ["VMNAME", "PROPERTY?", "VALUE?"],
	options: PREFS_OPTIONS,
	wordless: ["help-properties"],
	complete: async ([qube, ...more], qubesd) => {
		if (qube === undefined) return qubeNames(qubesd);
		return more.length === 0 ? new Properties(qubesd, qube, "admin.vm.property").list() : [];
	},
	act: async (invocation) => {
		const [name = "dom0", ...words] = invocation.words;
		checkReset(invocation, words);
		const properties = new Properties(invocation.qubesd, name, "admin.vm.property");
		if (invocation.options["help-properties"] === true) return helpProperties(invocation, properties);
		await findQube(invocation.qubesd, name);
		return prefs(invocation, properties, words);
	},
});
