import { main } from "../main.ts";
import { run } from "../qvm-create.ts";

await main(run);
