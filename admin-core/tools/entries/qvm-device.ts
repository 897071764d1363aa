import { main } from "../main.ts";
import { run } from "../qvm-device.ts";

await main(run);
