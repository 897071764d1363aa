import { importService } from "../import-service.ts";
import { main } from "../main.ts";

await main(importService("admin.vm.volume.Import"));
