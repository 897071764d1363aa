import "../../../admin-core/model/declarations.ts";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { App, type Surroundings } from "../../../admin-core/model/app.ts";
import type { QubeClassName } from "../../../admin-core/model/qubes/name.ts";
import { QUBE_CLASSES, type Qube } from "../../../admin-core/model/qubes/qube.ts";

/** A folder with two kernels, one of which is not whole. */
export function makeKernels(): string {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "kernels-"));
	for (const name of ["6.12.1", "broken"]) fs.mkdirSync(path.join(dir, name));
	fs.writeFileSync(path.join(dir, "6.12.1", "vmlinuz"), "");
	return dir;
}

/** Makes a qube, gives it properties in their order, and takes it into the app. */
export function addQube(
	app: App,
	klass: QubeClassName,
	name: string,
	properties: { readonly [name: string]: unknown } = {},
): Qube {
	const qube = new QUBE_CLASSES[klass](app);
	const own = klass === "AdminVM" ? {} : { name, qid: app.freeQid(), uuid: randomUUID() };
	for (const [property, value] of Object.entries({ ...own, label: "red", ...properties })) qube.set(property, value as string);
	qube.eventsEnabled = true;
	app.add(qube);
	return qube;
}

/** dom0, a template, a net qube, two app qubes behind it, a template of disposables and a disposable. */
export function makeHouse(surroundings: Partial<Surroundings> = {}): App {
	const app = new App(undefined, surroundings);
	addQube(app, "AdminVM", "dom0", { label: "black" });
	addQube(app, "TemplateVM", "base", { label: "black" });
	addQube(app, "StandaloneVM", "sys-net", { provides_network: true, netvm: null });
	addQube(app, "AppVM", "work", { template: "base", netvm: "sys-net" });
	addQube(app, "AppVM", "vault", { template: "base", netvm: null });
	addQube(app, "AppVM", "dvm", { template: "base", template_for_dispvms: true, netvm: "sys-net" });
	addQube(app, "DispVM", "disp1", { template: "dvm", dispid: 1, netvm: "sys-net" });
	app.eventsEnabled = true;
	return app;
}
