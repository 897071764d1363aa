import { main } from "../main.ts";
import { run } from "../qubes-prefs.ts";

await main(run);
