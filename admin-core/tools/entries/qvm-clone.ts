import { main } from "../main.ts";
import { run } from "../qvm-clone.ts";

await main(run);
