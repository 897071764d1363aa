import type { Host } from "../host/host.ts";
import { run } from "./main.ts";

/** Called by ../native/main.c with the host that is written in C. */
(globalThis as { qrexecMain?: (host: Host) => number }).qrexecMain = run;
