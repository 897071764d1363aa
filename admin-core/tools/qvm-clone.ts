/** qvm-clone: makes a copy of a qube (spec 10.3, 11). Exit status 1: there is none, what was made of it is gone again. */
import { cloneQube } from "./clone.ts";
import { command } from "./command.ts";
import { choosePools, POOL_OPTIONS } from "./creation.ts";
import { flag, text } from "./options.ts";
import { qubeNames } from "./qubes.ts";

/** Makes a copy of a qube, with its settings, its own volumes and its assigned devices. */
export const run = command({
	name: "qvm-clone",
	about: "Makes a copy of a qube: its settings, the volumes that are its own, and which devices it is to get.",
	words: ["SOURCE", "VMNAME"],
	options: {
		class: text("class of the copy [that of SOURCE]", "C"),
		...POOL_OPTIONS,
		"ignore-errors": flag("leave out what cannot be copied, with a warning"),
	},
	complete: async (words, qubesd) => (words.length === 0 ? qubeNames(qubesd) : []),
	act: async (invocation) => {
		const { options, words } = invocation;
		const [source = "", name = ""] = words;
		const pools = choosePools(options);
		await cloneQube(invocation, { source, name, klass: options.class, pools, ignoreErrors: options["ignore-errors"] === true });
		return 0;
	},
});
