// `npm start`: builds what is not built yet, decides calls on the example with the native executable, and says how long each took.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const program = path.join(here, "../dist/bin/qrexec-policy-exec");
const EXAMPLES = [
	["work", "@dispvm", "qubes.OpenURL"],
	["work", "", "qubes.Filecopy"],
	["untrusted", "vault", "qubes.Filecopy"],
];

const given = process.argv.slice(2);
if ((given.length !== 0 && given.length !== 3) || given.some((word) => word.startsWith("-"))) {
	console.error("usage: npm start -- SOURCE TARGET SERVICE[+ARGUMENT]");
	process.exit(2);
}
runOrExit("npm", ["run", "--silent", "setup"]);
runOrExit("node", ["build.mjs"]);
for (const call of given.length === 3 ? [given] : EXAMPLES) decide(call);
console.log(
	"Your own call:  npm start -- SOURCE TARGET SERVICE[+ARGUMENT]      the qubes are those of examples/system-info.json",
);

function runOrExit(command, args) {
	const { status } = spawnSync(command, args, { cwd: path.dirname(here), stdio: "inherit" });
	if (status !== 0) process.exit(status ?? 1);
}

function decide(call) {
	const options = ["--path", path.join(here, "policy.d"), "--system-info", path.join(here, "system-info.json")];
	const started = process.hrtime.bigint();
	const { error, stdout, stderr } = spawnSync(program, [...options, "--explain", "--", ...call], { encoding: "utf8" });
	const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
	if (error !== undefined) throw error;
	const time = `${milliseconds.toFixed(1)} ms, most of it the start of a process by Node: see npm run bench`;
	console.log(`${stdout}${stderr}${"took".padEnd(12)}${time}\n`);
}
