import fs from "node:fs";
import path from "node:path";
import type { ExecutionContext } from "ava";
import { House } from "../house.ts";

/** The size of each root and private image. */
export const MIB = 1024 ** 2;
const KERNEL = "6.12.1";

/** The last digit is the number of the qube. */
export const UUID = "4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a90";

/** What a `L` of spec 11 is answered with. */
export const LIST = `dom0 class=AdminVM state=Running uuid=00000000-0000-0000-0000-000000000000
base class=TemplateVM state=Halted uuid=${UUID}1
dvm class=AppVM state=Halted uuid=${UUID}2
solo class=StandaloneVM state=Halted uuid=${UUID}4
work class=AppVM state=Halted uuid=${UUID}3
`;

const ORIGIN = `pool="main" revisions_to_keep="1" rw="True" save_on_stop="True" snap_on_start="False" size="${MIB}"`;
const SNAPSHOT = `pool="main" revisions_to_keep="1" rw="True" save_on_stop="False" snap_on_start="True" size="${MIB}"`;
const VOLATILE = `pool="main" revisions_to_keep="1" rw="True" save_on_stop="False" snap_on_start="False" size="${MIB}"`;
const KERNELS = `pool="linux-kernel" vid="" revisions_to_keep="0" rw="False" save_on_stop="False" snap_on_start="False"`;

function describeVolumes(folder: string, isOwnRoot: boolean): string {
	const root = isOwnRoot ? ORIGIN : `${SNAPSHOT} source="vm-templates/base/root"`;
	return [
		`<volume name="root" vid="${folder}/root" ${root}/>`,
		`<volume name="private" vid="${folder}/private" ${ORIGIN}/>`,
		`<volume name="volatile" vid="${folder}/volatile" ${VOLATILE}/>`,
		`<volume name="kernel" ${KERNELS}/>`,
	].join("\n        ");
}

function describeQube(id: number, klass: string, name: string, more: string, label = "red"): string {
	const isOwnRoot = klass !== "AppVM";
	const folder = `${klass === "TemplateVM" ? "vm-templates" : "appvms"}/${name}`;
	const template = isOwnRoot ? "" : `<property name="template">base</property>`;
	return `<domain id="domain-${id}" class="${klass}">
      <properties>
        <property name="label">${label}</property>
        <property name="name">${name}</property>
        <property name="qid">${id}</property>
        <property name="uuid">${UUID}${id}</property>
        ${template}${more}
      </properties>
      <features/>
      <tags><tag name="audiovm-dom0"/><tag name="created-by-dom0"/><tag name="guivm-dom0"/></tags>
      <volume-config>
        ${describeVolumes(folder, isOwnRoot)}
      </volume-config>
    </domain>`;
}

/** A system with pools: the template `base`, `work` and `dvm` made of it, and `solo`, which has a root of its own. */
const STORE = `<qubes>
  <labels>
    <label id="label-1" color="0xcc0000">red</label>
    <label id="label-4" color="0x73d216">green</label>
    <label id="label-8" color="0x000000">black</label>
  </labels>
  <pools>
    <pool name="main" driver="file-reflink" dir_path="DIR/images" revisions_to_keep="1" ephemeral_volatile="False"/>
    <pool name="linux-kernel" driver="linux-kernel" dir_path="DIR/kernels"/>
  </pools>
  <properties>
    <property name="default_dispvm">dvm</property>
    <property name="default_kernel">${KERNEL}</property>
    <property name="default_pool">main</property>
    <property name="default_pool_kernel">linux-kernel</property>
    <property name="default_template">base</property>
  </properties>
  <domains>
    <domain id="domain-0" class="AdminVM">
      <properties><property name="label">black</property></properties>
      <features/>
      <tags/>
    </domain>
    ${describeQube(1, "TemplateVM", "base", "", "black")}
    ${describeQube(2, "AppVM", "dvm", `<property name="template_for_dispvms">True</property>`)}
    ${describeQube(4, "StandaloneVM", "solo", "", "green")}
    ${describeQube(3, "AppVM", "work", `<property name="memory">512</property>`)}
  </domains>
</qubes>
`;

/** The images that the volumes of the store have on the disk while nothing runs. */
const IMAGES = ["vm-templates/base/root", "vm-templates/base/private", "appvms/dvm/private", "appvms/solo/root"].concat([
	...["appvms/solo/private", "appvms/work/private"],
]);

/** The built qubesd on a system with pools, a kernel, and images that are all hole; `options` are added to its command line. */
export async function openFurnished(t: ExecutionContext, options: readonly string[] = []): Promise<House> {
	const house = prepareFurnished(t, options);
	await house.start();
	return house;
}

/** The same without a daemon; the pool `main` is the directory `images`, which is made if it is not there. */
export function prepareFurnished(t: ExecutionContext, options: readonly string[] = [], images?: string): House {
	const house = House.prepare(t, "", options);
	const pool = images ?? house.path("images");
	fs.writeFileSync(house.path("qubes.xml"), STORE.replaceAll("DIR/images", pool).replaceAll("DIR", house.dir));
	for (const image of IMAGES) writeHole(path.join(pool, `${image}.img`), MIB);
	for (const file of ["vmlinuz", "modules.img"]) writeHole(house.path(`kernels/${KERNEL}/${file}`), 4096);
	return house;
}

function writeHole(file: string, size: number): void {
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, "");
	fs.truncateSync(file, size);
}
