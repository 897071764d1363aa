/** qubes-prefs: properties of the whole system (spec 10.2). */
import { command } from "./command.ts";
import { checkReset, helpProperties, PREFS_OPTIONS, prefs } from "./prefs.ts";
import { Properties } from "./properties.ts";

/** Lists, shows, sets or resets properties of the whole system. */
export const run = command({
	name: "qubes-prefs",
	about: "Lists, shows, sets or resets properties of the whole system.",
	words: ["PROPERTY?", "VALUE?"],
	options: PREFS_OPTIONS,
	complete: async (words, qubesd) => (words.length === 0 ? new Properties(qubesd, "dom0", "admin.property").list() : []),
	act: async (invocation) => {
		checkReset(invocation, invocation.words);
		const properties = new Properties(invocation.qubesd, "dom0", "admin.property");
		if (invocation.options["help-properties"] === true) return helpProperties(invocation, properties);
		return prefs(invocation, properties, invocation.words);
	},
});
