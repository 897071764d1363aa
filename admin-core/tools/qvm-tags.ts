/** qvm-tags: tags of a qube (spec 10.3). */
import { command } from "./command.ts";
import { UsageError, unlessRemote } from "./errors.ts";
import { JSON_OPTION } from "./options.ts";
import { findQube, qubeNames } from "./qubes.ts";
import { renderJson } from "./table.ts";

type Action = "list" | "add" | "del";

const ACTIONS: { readonly [word: string]: Action } = {
	...{ list: "list", ls: "list", l: "list" },
	...{ add: "add", a: "add", set: "add" },
	...{ del: "del", d: "del", unset: "del", u: "del" },
} as const;

/** Lists, asks for, adds or deletes tags of a qube; the exit status is 1 if the one that is asked for is not there. */
export const run = command({
	name: "qvm-tags",
	about: `Lists, asks for, adds or deletes tags of a qube. ACTION is one of:
  list, ls, l [TAG]           list all, or say whether the qube has one (the exit status is 1 if it has not)
  add, a, set TAG [TAG...]    add
  del, d, unset, u TAG [TAG...]  delete`,
	words: ["VMNAME", "ACTION?", "TAG*"],
	options: JSON_OPTION,
	complete: async ([qube, action, ..._tags], qubesd) => {
		if (qube === undefined) return qubeNames(qubesd);
		return action === undefined ? ["list", "add", "del"] : qubesd.list(qube, "admin.vm.tag.List");
	},
	act: async ({ options, words, qubesd, io, print }) => {
		const [name, word = "list", ...tags] = words;
		const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
		checkTags(action, word, tags);
		const qube = (await findQube(qubesd, name)).name;
		if (action === "add") {
			for (const tag of tags) await qubesd.call(qube, "admin.vm.tag.Set", tag);
		} else if (action === "del") {
			for (const tag of tags) await unlessRemote(qubesd.call(qube, "admin.vm.tag.Remove", tag), "QubesTagNotFoundError");
		} else if (tags[0] !== undefined) {
			const isThere = (await qubesd.call(qube, "admin.vm.tag.Get", tags[0])) === "1";
			if (options.json === true) print(String(isThere));
			else if (isThere) print(tags[0]);
			return isThere ? 0 : 1;
		} else {
			const all = (await qubesd.list(qube, "admin.vm.tag.List")).sort();
			io.stdout.write(options.json === true ? renderJson(all) : all.map((tag) => `${tag}\n`).join(""));
		}
		return 0;
	},
});

function checkTags(action: Action | undefined, word: string, tags: readonly string[]): void {
	if (action === undefined) throw new UsageError(`invalid action "${word}": want list, add or del`);
	if (action !== "list" && tags.length === 0) throw new UsageError("missing TAG");
	if (action === "list" && tags[1] !== undefined) throw new UsageError(`unexpected argument: "${tags[1]}"`);
	if (tags.includes("")) throw new UsageError("invalid tag: ''");
}
