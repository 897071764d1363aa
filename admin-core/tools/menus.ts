import { execFile } from "node:child_process";
import type { Setting } from "./command.ts";
import { LocalError } from "./errors.ts";

/**
 * Gives a copy of a qube the application menu of the original, by the program of the desktop, where there is one: a warning says that there
 * is none. Throws LocalError if it fails.
 */
export function copyMenus({ io, warn }: Setting, from: string, to: string): Promise<void> {
	return new Promise((resolve, reject) => {
		execFile(PROGRAM, ["--init", "--update", "--source", from, to], { env: { ...io.env } }, (error, _stdout, stderr) => {
			if (error === null) return resolve();
			if (error.code !== "ENOENT") return reject(new LocalError(`${PROGRAM} failed: ${stderr.trim() || error.message}`));
			warn(`there is no ${PROGRAM} here: the application menu of ${from} is not copied`);
			return resolve();
		});
	});
}

const PROGRAM = "qvm-appmenus";
