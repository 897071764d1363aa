/** qvm-remove: removes qubes with all their data (spec 10.3). */
import { command, type Io } from "./command.ts";
import { findDependencies } from "./dependencies.ts";
import { isRemote, RemoteError, UsageError } from "./errors.ts";
import { flag, SELECTION_OPTIONS } from "./options.ts";
import { listQubes, qubeNames, selectQubes } from "./qubes.ts";

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
		if (names.length > 0 && force !== true && !(await isAgreed(names, io))) {
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

/** Shows what would go, and waits for a `y`. */
async function isAgreed(names: readonly string[], io: Io): Promise<boolean> {
	io.stdout.write(`These qubes and all their data will be removed:\n${names.map((name) => `  ${name}\n`).join("")}`);
	io.stdout.write("Are you sure? [y/N] ");
	return /^y(es)?$/i.test((await readLine(io.stdin)).trim());
}

async function readLine(stdin: Io["stdin"]): Promise<string> {
	let text = "";
	for await (const chunk of stdin) {
		text += chunk.toString();
		if (text.includes("\n")) break;
	}
	return text.split("\n", 1)[0] ?? "";
}
