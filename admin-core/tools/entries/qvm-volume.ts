import { main } from "../main.ts";
import { run } from "../qvm-volume.ts";

await main(run);
