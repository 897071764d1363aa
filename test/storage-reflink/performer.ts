// Acts the script in a pool, for tests that kill it: `performer.mjs POOL`. Prints a line after each operation that is done. With KILL_AT=N in the environment it
// kills itself just before the Nth call that changes the tree or makes it durable, those of the
// background included.
import { Actors } from "./actors.ts";
import { isChange, lookBeforeEachCall } from "./before-each-call.ts";
import { BEGIN } from "./model.ts";
import { SCRIPT, WORLDS } from "./script.ts";

const actors = new Actors(process.argv[2] as string);
await actors.pool.setup();
let calls = 0;
await lookBeforeEachCall((call) => {
	if (isChange(call) && ++calls === Number(process.env["KILL_AT"])) process.kill(process.pid, "SIGKILL");
});
for (const [index, operation] of SCRIPT.entries()) {
	await actors.act(operation, WORLDS[index] ?? BEGIN);
	process.stdout.write(`${index}\n`);
	await actors.pool.settled();
}
