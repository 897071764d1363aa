import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ExecutionContext } from "ava";
import type { App, Surroundings } from "../../../admin-core/model/app.ts";
import { readStore } from "../../../admin-core/store/read-store.ts";
import { render } from "../../../admin-core/store/render.ts";
import { storeTree } from "../../../admin-core/store/store-tree.ts";
import { describeApp } from "../../../admin-core/system/describe-app.ts";
import { type Loaded, loadApp } from "../../../admin-core/system/load-app.ts";
import { type Desk, openDesk, PLUGINS } from "../plugins/desk.ts";

/** The folder with the driver of the tests, `test-files`. */
export const TEST_PLUGINS = path.resolve(import.meta.dirname, "plugins");

/** A desk for an app that was loaded from a store with pools and volumes. */
export interface StorageDesk extends Desk {
	readonly dir: string;
	/** The volumes of pool `files` lie below this. */
	readonly pool: string;
	/** What the store would be now. */
	store(): string;
	/** The files of a qube in pool `files`, sorted; `vm-templates/base` or the name of another qube. */
	files(qube: string): string[];
	/** Writes at the start of a file of pool `files`, and reads it. */
	write(file: string, text: string): void;
	read(file: string, length?: number): string;
}

/** Opens one for one test; `DIR` in the store is a new folder. The pools are set up, and the images of all volumes are made, unless it is to be `isBare`. */
export async function openStorage(
	t: ExecutionContext,
	store = STORE,
	surroundings: Partial<Surroundings> = {},
	{ isBare = false } = {},
): Promise<StorageDesk> {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "storage-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	makeKernel(dir, "6.1");
	const read = readStore({ file: "qubes.xml", text: store.replaceAll("DIR", dir) });
	let loaded: Loaded | undefined;
	const desk = openDesk(
		t,
		(drivers) => {
			const places = { baseDir: dir, runDir: path.join(dir, "run"), kernelsDir: path.join(dir, "kernels") };
			loaded = loadApp(read.data, { ...places, drivers, ...surroundings });
			return loaded.app;
		},
		[PLUGINS, TEST_PLUGINS],
	);
	if (!isBare) await makeImages(desk.app);
	const pool = path.join(dir, "files");
	const folder = (qube: string): string => path.join(pool, qube.includes("/") ? qube : `appvms/${qube}`);
	return Object.assign(desk, {
		dir,
		pool,
		store: () =>
			render(storeTree(describeApp(loaded as Loaded)), read.residue)
				.bytes.toString()
				.replaceAll(dir, "DIR"),
		files: (qube: string) => (fs.existsSync(folder(qube)) ? fs.readdirSync(folder(qube)).sort() : []),
		write: (file: string, text: string) => {
			const handle = fs.openSync(path.join(pool, file), "r+");
			fs.writeSync(handle, text, 0);
			fs.closeSync(handle);
		},
		read: (file: string, length = 1) => fs.readFileSync(path.join(pool, file)).subarray(0, length).toString("latin1"),
	});
}

async function makeImages(app: App): Promise<void> {
	for (const pool of app.pools.list()) await pool.setup().catch(() => undefined);
	for (const volume of app.qubes().flatMap((qube) => qube.storage.volumes())) await volume.create().catch(() => undefined);
}

export function makeKernel(dir: string, name: string): void {
	fs.mkdirSync(path.join(dir, "kernels", name), { recursive: true });
	fs.writeFileSync(path.join(dir, "kernels", name, "vmlinuz"), "");
	fs.writeFileSync(path.join(dir, "kernels", name, "modules.img"), "modules");
}

/** A volume as it stands in a store, of 1 MiB. */
export function volume(name: string, vid: string, attributes: { readonly [name: string]: string } = {}): string {
	const all = { name, pool: "files", vid, revisions_to_keep: "1", rw: "True", ...attributes };
	const texts = Object.entries(all).map(([key, text]) => `${key}="${text}"`);
	return `<volume ${texts.join(" ")}/>`;
}

const ORIGIN = { save_on_stop: "True", snap_on_start: "False", size: "1048576" };
const VOLATILE = { save_on_stop: "False", snap_on_start: "False", size: "1048576" };

/** The usual volumes of a qube, as they stand in a store. */
export function volumes(qube: string, source: string | null): string {
	const snapshot = (from: string) => ({ save_on_stop: "False", snap_on_start: "True", size: "1048576", source: from });
	const root = source === null ? ORIGIN : snapshot("vm-templates/base/root");
	const own = source === null || source === "base" ? ORIGIN : snapshot(`appvms/${source}/private`);
	const kernel = {
		pool: "kernels",
		revisions_to_keep: "0",
		rw: "False",
		save_on_stop: "False",
		snap_on_start: "False",
		size: "7",
	};
	const all = [
		volume("root", `${qube}/root`, root),
		volume("private", `${qube}/private`, own),
		volume("volatile", `${qube}/volatile`, VOLATILE),
		volume("kernel", "6.1", kernel),
	];
	return all.map((one) => `        ${one}\n`).join("");
}

/** Those that a plugin adds. */
const TAGS = '<tags>\n        <tag name="audiovm-dom0"/>\n        <tag name="guivm-dom0"/>\n      </tags>';

/** A qube as it stands in a store. */
export function qube(
	qid: number,
	klass: string,
	name: string,
	content: string,
	properties: { readonly [name: string]: string } = {},
): string {
	const uuid = `4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a9${String(qid).padStart(2, "0")}`;
	const all = Object.entries({ label: "red", name, qid: String(qid), uuid, ...properties });
	// What names other qubes comes last.
	const rank = ([property]: [string, string]): string => (property === "template" ? "~" : property);
	all.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
	const texts = all.map(([property, text]) => `        <property name="${property}">${text}</property>\n`).join("");
	const config = content === "" ? "<volume-config/>" : `<volume-config>\n${content}      </volume-config>`;
	return `    <domain id="domain-${qid}" class="${klass}">\n      <properties>\n${texts}      </properties>\n      <features/>\n      ${TAGS}\n      ${config}\n    </domain>\n`;
}

export const POOLS = `
    <pool name="files" driver="test-files" revisions_to_keep="1" dir_path="DIR/files" ephemeral_volatile="False"/>
    <pool name="kernels" driver="linux-kernel" dir_path="DIR/kernels"/>`;

/** A store with these pools and qubes; dom0 is there. */
export function storeOf(pools: string, domains: string): string {
	return `<qubes>
  <labels>
    <label id="label-1" color="0xcc0000">red</label>
    <label id="label-8" color="0x000000">black</label>
  </labels>
  <pools>${pools}
  </pools>
  <properties>
    <property name="default_kernel">6.1</property>
    <property name="default_pool">files</property>
    <property name="default_pool_kernel">kernels</property>
  </properties>
  <domains>
    <domain id="domain-0" class="AdminVM">
      <properties>
        <property name="label">black</property>
      </properties>
      <features/>
      <tags/>
    </domain>
${domains}  </domains>
</qubes>
`;
}

/** A template, an AppVM, a template of disposables, and a disposable. */
export const STORE = storeOf(
	POOLS,
	[
		qube(1, "TemplateVM", "base", volumes("vm-templates/base", null)),
		qube(4, "DispVM", "d1", volumes("appvms/d1", "dvm"), { dispid: "1", template: "dvm" }),
		qube(3, "AppVM", "dvm", volumes("appvms/dvm", "base"), { template_for_dispvms: "True", template: "base" }),
		qube(2, "AppVM", "work", volumes("appvms/work", "base"), { template: "base" }),
	].join(""),
);
