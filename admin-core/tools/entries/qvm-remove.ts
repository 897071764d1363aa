import { main } from "../main.ts";
import { run } from "../qvm-remove.ts";

await main(run);
