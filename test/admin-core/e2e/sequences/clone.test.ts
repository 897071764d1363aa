// All calls of qvm-clone (spec 11), replayed over a real socket: a copy has everything that is the qube's own, and after a failure nothing is left.
import fs from "node:fs";
import test from "ava";
import { LIST, MIB, openFurnished, UUID } from "./furnished.ts";
import { errorOf, replay, type Step } from "./replay.ts";

const L: Step = ["dom0: admin.vm.List", LIST];

/** What `work` answers: name, whether it is the default, type, and value (spec 3.8). */
const PROPERTIES = `autostart True bool False
backup_timestamp True int 
debug False bool True
default_user True str user
devices_denied True str 
dns True str 
gateway True str 
gateway6 True str 
icon True str appvm-red
include_in_backups True bool True
installed_by_rpm True bool False
ip True str 
ip6 True str 
kernel True str 6.12.1
keyboard_layout True str us++
klass True str AppVM
label False label red
mac True str 00:16:3e:5e:6c:00
maxmem True int 4000
memory False int 512
name False str work
provides_network True bool False
qid False int 3
qrexec_timeout True int 60
shutdown_timeout True int 60
start_time True str 
stubdom_mem True int 
stubdom_uuid True str 
stubdom_xid True int -1
template_for_dispvms True bool False
updateable True bool False
uuid False str ${UUID}3
vcpus True int 2
virt_mode True str pvh
visible_gateway True str 
visible_gateway6 True str 
visible_ip True str 
visible_ip6 True str 
visible_netmask True str 
xid True int -1
audiovm True vm dom0
bootmode True str default
default_dispvm False vm 
guivm True vm dom0
kernelopts False str quiet swiotlb=2048
management_dispvm True vm 
netvm True vm 
template False vm base`
	.split("\n")
	.map(
		(line) => /^(\w+) (\w+) (\w+) (.*)$/.exec(line)?.slice(1) as [name: string, isDefault: string, type: string, value: string],
	);

const NOT_ASKED = ["name", "qid", "template", "label", "uuid", "installed_by_rpm"];
const ASKED = PROPERTIES.filter(([name]) => !NOT_ASKED.includes(name));

const FEATURES = [
	["gui", "1"],
	["off", ""],
	["menu-items", "a.desktop b.desktop 100%"],
] as const;
const NOTES = "Tür zu\n\tund 100% Licht aus\n";
const FIREWALL = "action=accept dst4=192.0.2.0/24 proto=tcp dstports=22-22 comment=work, mostly\naction=drop\n";
const DEVICE = "device_id='0000:0000::?******' port_id='stick' devclass='block' backend_domain='solo'";
const QARG = "solo+stick+0000+0000++_______";

function assignment(frontend: string): string {
	return `${DEVICE} mode='auto-attach' frontend_domain='${frontend}' _read-only='yes'`;
}

/** What makes `work` a qube with something to copy. */
const FURNISHING: readonly Step[] = [
	["work: admin.vm.property.Set+debug <True>", ""],
	["work: admin.vm.property.Set+default_dispvm", ""],
	["work: admin.vm.property.Set+kernelopts <quiet swiotlb=2048>", ""],
	["work: admin.vm.tag.Set+mail", ""],
	...FEATURES.map(([name, value]): Step => [`work: admin.vm.feature.Set+${name}${value && ` <${value}>`}`, ""]),
	[`work: admin.vm.notes.Set <${NOTES}>`, ""],
	[`work: admin.vm.firewall.Set <${FIREWALL}>`, ""],
	[`work: admin.vm.device.block.Assign+${QARG} <${assignment("work")}>`, ""],
];

const CREATION: readonly Step[] = [
	L,
	["work: admin.vm.property.Get+template", "default=False type=vm base"],
	["work: admin.vm.property.Get+label", "default=False type=label red"],
	["dom0: admin.vm.Create.AppVM+base <name=copy label=red>", ""],
	["dom0: admin.vm.List", /\nbase class=.*\ncopy class=AppVM state=Halted uuid=[0-9a-f-]{36}\ndvm class=/],
];

/** Each of the list is read, each that is set is written. */
const SETTINGS: readonly Step[] = [
	["work: admin.vm.property.List", PROPERTIES.map(([name]) => `${name}\n`).join("")],
	...ASKED.flatMap(([name, isDefault, type, value]): Step[] => [
		[`work: admin.vm.property.Get+${name}`, `default=${isDefault} type=${type} ${value}`],
		...(isDefault === "True" ? [] : [[`copy: admin.vm.property.Set+${name}${value && ` <${value}>`}`, ""] as const]),
	]),
	["work: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\nmail\n"],
	...["audiovm-dom0", "guivm-dom0", "mail"].map((tag): Step => [`copy: admin.vm.tag.Set+${tag}`, ""]),
	["work: admin.vm.feature.List", FEATURES.map(([name]) => `${name}\n`).join("")],
	...FEATURES.flatMap(([name, value]): Step[] => [
		[`work: admin.vm.feature.Get+${name}`, value],
		[`copy: admin.vm.feature.Set+${name}${value && ` <${value}>`}`, ""],
	]),
	["work: admin.vm.notes.Get", NOTES],
	[`copy: admin.vm.notes.Set <${NOTES}>`, ""],
	["work: admin.vm.firewall.Get", FIREWALL],
	[`copy: admin.vm.firewall.Set <${FIREWALL}>`, ""],
];

const VOLUMES: readonly Step[] = [
	["copy: admin.vm.volume.List", "root\nprivate\nvolatile\nkernel\n"],
	["copy: admin.vm.volume.Info+root", /\nsave_on_stop=False\n/],
	["copy: admin.vm.volume.Info+private", /\nsave_on_stop=True\n/],
	["copy: admin.vm.volume.Info+volatile", /\nsave_on_stop=False\n/],
	["copy: admin.vm.volume.Info+kernel", /\nsave_on_stop=False\n/],
	["work: admin.vm.volume.CloneFrom+private", /^0\0(?<token>[A-Za-z0-9]{32})$/],
	["copy: admin.vm.volume.CloneTo+private <$token>", ""],
];

const DEVICES: readonly Step[] = [
	["dom0: admin.deviceclass.List", "block\nmic\npci\nusb\n"],
	["work: admin.vm.device.block.Assigned", `solo+stick:0000:0000::?****** ${assignment("work")}\n`],
	[`copy: admin.vm.device.block.Assign+${QARG} <${assignment("copy")}>`, ""],
	...["mic", "pci", "usb"].map((devclass): Step => [`work: admin.vm.device.${devclass}.Assigned`, ""]),
];

/** What a copy is to be like. */
const COPY: readonly Step[] = [
	...ASKED.filter(([name]) => !["klass", "icon"].includes(name)).map(
		([name, isDefault, type, value]): Step => [
			`copy: admin.vm.property.Get+${name}`,
			`default=${isDefault} type=${type} ${value}`,
		],
	),
	["copy: admin.vm.property.Get+qid", "default=False type=int 5"],
	["copy: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\nmail\n"],
	["copy: admin.vm.feature.List", FEATURES.map(([name]) => `${name}\n`).join("")],
	...FEATURES.map(([name, value]): Step => [`copy: admin.vm.feature.Get+${name}`, value]),
	["copy: admin.vm.notes.Get", NOTES],
	["copy: admin.vm.firewall.Get", FIREWALL],
	["copy: admin.vm.device.block.Assigned", `solo+stick:0000:0000::?****** ${assignment("copy")}\n`],
	["copy: admin.vm.volume.Info+private", new RegExp(`^0\\0pool=main\\nvid=appvms/copy/private\\nsize=${MIB}\\n`)],
];

test("qvm-clone: its calls are answered as the Python client wants them, and the copy is there after a restart", async (t) => {
	const house = await openFurnished(t);
	const content = Buffer.alloc(MIB, "what work has written");
	fs.writeFileSync(house.path("images/appvms/work/private.img"), content);
	await replay(t, house, [...FURNISHING, ...CREATION, ...SETTINGS, ...VOLUMES, ...DEVICES, ...COPY]);
	t.deepEqual(fs.readFileSync(house.path("images/appvms/copy/private.img")), content);
	await house.stop();
	await house.start();
	await replay(t, house, COPY);
	await replay(t, house, [["copy: admin.vm.Start", ""]]);
});

test("qvm-clone that fails: the new qube is removed, and nothing of it comes back with the next one of its name", async (t) => {
	const house = await openFurnished(t);
	await replay(t, house, [
		...[...FURNISHING, ...CREATION, ...SETTINGS],
		["copy: admin.vm.volume.CloneTo+private <nosuchtoken>", errorOf("QubesVolumeCopyTokenNotFoundError")],
		["copy: admin.vm.Remove", ""],
		L,
		["dom0: admin.vm.Create.AppVM+base <name=copy label=red>", ""],
		["copy: admin.vm.notes.Get", ""],
		["copy: admin.vm.firewall.Get", "action=accept\n"],
		["copy: admin.vm.feature.List", ""],
		["copy: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\n"],
		["copy: admin.vm.device.block.Assigned", ""],
		["copy: admin.vm.property.Get+debug", "default=True type=bool False"],
	]);
});

test("qvm-clone of a qube with a root of its own copies both volumes that it keeps", async (t) => {
	const house = await openFurnished(t);
	await replay(t, house, [
		["solo: admin.vm.property.Get+template", "!QubesNoSuchPropertyError Invalid property 'template' of solo"],
		["dom0: admin.vm.CreateInPool.StandaloneVM <name=copy label=green pool=main>", ""],
		...["root", "private"].flatMap((volume): Step[] => [
			[`solo: admin.vm.volume.CloneFrom+${volume}`, /^0\0(?<token>[A-Za-z0-9]{32})$/],
			[`copy: admin.vm.volume.CloneTo+${volume} <$token>`, ""],
			[`copy: admin.vm.volume.Info+${volume}`, new RegExp(`\\nsize=${MIB}\\n`)],
		]),
	]);
});
