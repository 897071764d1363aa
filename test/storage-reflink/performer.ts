// Does one operation of the script in a pool that is as it was before it, or before what it needs to have done, for tests that kill it:
// `performer.mjs POOL INDEX KILL_AT`. Prints a line when the operation has returned. Kills itself just before call KILL_AT, the first is 1, of those that
// change the tree or make it durable, those of the background included.
import { Actors } from "./actors.ts";
import { isChange, lookBeforeEachCall } from "./before-each-call.ts";
import type { Operation, World } from "./model.ts";
import { firstOf, SCRIPT, WORLDS } from "./script.ts";

const [dir, index, killAt] = process.argv.slice(2) as [string, string, string];
const first = firstOf(Number(index));
const actors = new Actors(dir);
actors.open(WORLDS[first] as World);
for (let before = first; before < Number(index); before++) {
	await actors.act(SCRIPT[before] as Operation, WORLDS[before] as World);
	await actors.pool.settled();
}
let calls = 0;
await lookBeforeEachCall((call, args) => {
	// To open what there is leaves the tree as it was: what follows is killed before in any case.
	const leavesTree = call === "open" && args[1] !== "wx";
	if (isChange(call) && !leavesTree && ++calls === Number(killAt)) process.kill(process.pid, "SIGKILL");
});
await actors.act(SCRIPT[Number(index)] as Operation, WORLDS[Number(index)] as World);
process.stdout.write("returned\n");
await actors.pool.settled();
