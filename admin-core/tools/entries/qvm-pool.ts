import { main } from "../main.ts";
import { run } from "../qvm-pool.ts";

await main(run);
