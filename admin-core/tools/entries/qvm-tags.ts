import { main } from "../main.ts";
import { run } from "../qvm-tags.ts";

await main(run);
