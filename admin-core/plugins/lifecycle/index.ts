import type { PluginModule } from "../../host/plugin.ts";
import { create } from "./create.ts";
import { createDisposable } from "./disposable.ts";
import { consoleOf, pause, resume, suspend, unpause } from "./pause.ts";
import { remove } from "./remove.ts";
import { kill, shutdown } from "./shutdown.ts";
import { start } from "./start.ts";
import { inItsTurn } from "./turns.ts";

const CLASSES = ["AppVM", "TemplateVM", "StandaloneVM", "DispVM", "RemoteVM"];

/** How qubes come, run and go (spec 8.7). */
export const methods: NonNullable<PluginModule["methods"]> = {
	...Object.fromEntries(CLASSES.map((klass) => [`admin.vm.Create.${klass}`, create])),
	...Object.fromEntries(CLASSES.map((klass) => [`admin.vm.CreateInPool.${klass}`, create])),
	"admin.vm.CreateDisposable": createDisposable,
	"admin.vm.Remove": inItsTurn(remove),
	"admin.vm.Start": inItsTurn(start),
	"admin.vm.Shutdown": inItsTurn(shutdown),
	"admin.vm.Kill": inItsTurn(kill),
	"admin.vm.Pause": inItsTurn(pause),
	"admin.vm.Unpause": inItsTurn(unpause),
	"admin.vm.Suspend": inItsTurn(suspend),
	"admin.vm.Resume": inItsTurn(resume),
	"admin.vm.Console": inItsTurn(consoleOf),
};
