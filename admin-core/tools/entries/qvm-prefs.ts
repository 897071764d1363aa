import { main } from "../main.ts";
import { run } from "../qvm-prefs.ts";

await main(run);
