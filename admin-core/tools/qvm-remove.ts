/** qvm-remove: removes qubes with all their data (spec 10.3). */
import { command } from "./command.ts";
import { confirm } from "./confirm.ts";
import { findDependencies } from "./dependencies.ts";
import { isRemote, RemoteError, UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { flag, SELECTION_OPTIONS } from "./options.ts";
import { listQubes, qubeNames, selectQubes } from "./qubes.ts";

/** Removes qubes with all their data, after a question unless `--force` is given. */
export const run = command({
	name: "qvm-remove",
	about: "Removes qubes with all their data. VMNAME may be a shell pattern.",
	words: ["VMNAME*"],
	options: { force: flag("do not ask", "f"), ...SELECTION_OPTIONS },
	complete: (_words, qubesd) => qubeNames(qubesd),
	act: async ({ options, words, qubesd, io, complain }) => {
		const { force, all = false, exclude = [] } = options;
		if (!all && words.length === 0) throw new UsageError("missing VMNAME or --all");
		const known = await listQubes(qubesd);
		const selected = selectQubes(known, { words, all, exclude }).filter(({ klass }) => !all || klass !== "AdminVM");
		const adminvm = selected.find(({ klass }) => klass === "AdminVM");
		if (adminvm !== undefined) {
			complain(`${adminvm.name} cannot be removed`);
			return 1;
		}
		const names = selected.map(({ name }) => name);
		const list = names.map((name) => `  ${escapeControls(name)}\n`).join("");
		const question = `These qubes and all their data will be removed:\n${list}Are you sure?`;
		if (names.length > 0 && force !== true && !(await confirm(io, question))) {
			complain("nothing was removed");
			return 1;
		}
		let status = 0;
		for (const name of names) {
			try {
				await qubesd.call(name, "admin.vm.Remove");
			} catch (error) {
				if (!(error instanceof RemoteError)) throw error;
				status = 1;
				complain(`cannot remove ${name}: ${error.message}`);
				if (!isRemote(error, "QubesVMInUseError")) continue;
				for (const use of await findDependencies(qubesd, name)) io.stderr.write(`  ${use}\n`);
			}
		}
		return status;
	},
});
