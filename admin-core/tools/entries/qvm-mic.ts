import { main } from "../main.ts";
import { deviceCommand } from "../qvm-device.ts";

await main(deviceCommand("qvm-mic", "mic"));
