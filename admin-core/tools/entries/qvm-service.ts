import { main } from "../main.ts";
import { run } from "../qvm-service.ts";

await main(run);
