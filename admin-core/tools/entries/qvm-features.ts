import { main } from "../main.ts";
import { run } from "../qvm-features.ts";

await main(run);
