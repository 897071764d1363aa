// A command as a program of its own: what the entries of the bundles do.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import test from "ava";

const root = path.resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

/** Runs a command in a process of its own, by what an entry consists of; `tail` is shell that follows. */
async function program(name: string, line: string, tail = ""): Promise<{ status: number; out: string; err: string }> {
	const script = `import { run } from "./admin-core/tools/${name}.ts"; import { main } from "./admin-core/tools/main.ts"; main(run);`;
	const shell = `set -o pipefail; "$NODE" --import=tsx --input-type=module -e "$SCRIPT" -- ${name} ${line} ${tail}`;
	const env = { ...process.env, NODE: process.execPath, SCRIPT: script, QUBESD_SOCKET: "/nonexistent/sock" };
	try {
		const { stdout, stderr } = await run("bash", ["-c", shell], { cwd: root, env });
		return { status: 0, out: stdout, err: stderr };
	} catch (error) {
		const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
		return { status: code, out: stdout, err: stderr };
	}
}

test("a program ends with the status of its command", async (t) => {
	t.deepEqual(await program("qubes-prefs", "default-kernel"), {
		status: 1,
		out: "",
		err: 'qubes-prefs: error: cannot reach qubesd at "/nonexistent/sock": no such socket: is qubesd running?\n',
	});
	t.is((await program("qvm-prefs", "")).status, 2);
	t.is((await program("qvm-ls", "--help-formats")).status, 0);
});

test("a reader that goes early is no error", async (t) => {
	const { status, err } = await program("qvm-ls", "--help", "| true");
	t.deepEqual([status, err], [0, ""]);
});
