import { main } from "../main.ts";
import { run } from "../qvm-ls.ts";

await main(run);
