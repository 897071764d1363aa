// The calls that qvm-ls, qvm-prefs, qubes-prefs, qvm-features and qvm-tags make (spec 11), replayed over a real socket.
import { House } from "../house.ts";
import { errorOf, type Step, testSequences } from "./replay.ts";

const LIST = `dom0 class=AdminVM state=Running uuid=00000000-0000-0000-0000-000000000000
default-dvm class=AppVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a904
fedora-42 class=TemplateVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a901
sys-net class=AppVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a902
vault class=AppVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a905
work class=AppVM state=Halted uuid=4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a903
`;
const L: Step = ["dom0: admin.vm.List", LIST];

/** What GetAll answers for `work`, in the order of stage, then name (spec 3.1, 3.8). */
const WORK = `autostart default=True type=bool False
backup_timestamp default=True type=int 
debug default=True type=bool False
default_user default=True type=str user
devices_denied default=True type=str 
dns default=True type=str 10.139.1.1 10.139.1.2
gateway default=True type=str 10.137.0.2
gateway6 default=True type=str 
icon default=True type=str appvm-blue
include_in_backups default=True type=bool True
installed_by_rpm default=True type=bool False
ip default=True type=str 10.137.0.3
ip6 default=True type=str 
kernel default=True type=str 
keyboard_layout default=True type=str us++
klass default=True type=str AppVM
label default=False type=label blue
mac default=True type=str 00:16:3e:5e:6c:00
maxmem default=True type=int 4000
memory default=True type=int 400
name default=False type=str work
provides_network default=True type=bool False
qid default=False type=int 3
qrexec_timeout default=True type=int 60
shutdown_timeout default=True type=int 60
start_time default=True type=str 
stubdom_mem default=True type=int 
stubdom_uuid default=True type=str 
stubdom_xid default=True type=int -1
template_for_dispvms default=True type=bool False
updateable default=True type=bool False
uuid default=False type=str 4d7a4bd5-6e43-4c0c-8f8b-2d1d76c4a903
vcpus default=True type=int 2
virt_mode default=True type=str pvh
visible_gateway default=True type=str 10.137.0.2
visible_gateway6 default=True type=str 
visible_ip default=True type=str 10.137.0.3
visible_ip6 default=True type=str 
visible_netmask default=True type=str 255.255.255.255
xid default=True type=int -1
audiovm default=True type=vm dom0
bootmode default=True type=str default
default_dispvm default=True type=vm default-dvm
guivm default=True type=vm dom0
kernelopts default=True type=str 
management_dispvm default=True type=vm 
netvm default=True type=vm sys-net
template default=False type=vm fedora-42
`;
const WORK_NAMES = WORK.replace(/ .*/g, "");

testSequences((t) => House.open(t), {
	"qvm-ls": [L, ["work: admin.vm.property.GetAll", WORK]],
	"qvm-ls with the column MEMORY": [
		L,
		["dom0: admin.vm.CurrentState", /^0\0mem=\d+ mem_static_max=\d+ cputime=\d+ power_state=Running$/],
	],
	"qvm-ls with filters": [
		L,
		["work: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\nmail\n"],
		["work: admin.vm.feature.Get+internal", "!QubesFeatureNotFoundError Feature not set for domain work: internal"],
		["sys-net: admin.vm.feature.Get+service.clocksync", "1"],
	],
	"qvm-prefs": [L, ["work: admin.vm.property.List", WORK_NAMES], ["work: admin.vm.property.GetAll", WORK]],
	"qvm-prefs: get": [L, ["work: admin.vm.property.Get+netvm", "default=True type=vm sys-net"]],
	"qvm-prefs: set, and what it makes of it": [
		L,
		["work: admin.vm.property.Set+memory <1000>", ""],
		["work: admin.vm.property.Get+memory", "default=False type=int 1000"],
		["work: admin.vm.property.Set+netvm", ""],
		["work: admin.vm.property.Get+netvm", "default=False type=vm "],
	],
	"qvm-prefs: set what is refused": [
		L,
		["work: admin.vm.property.Set+memory <much>", /^2\0QubesValueError\0\0Failed to parse property value as int\0$/],
		["work: admin.vm.property.Set+netvm <vault>", errorOf("QubesValueError")],
		["work: admin.vm.property.Set+nosuch <1>", "!QubesNoSuchPropertyError Invalid property 'nosuch' of work"],
		["work: admin.vm.property.Set+debug <>", /^2\0QubesValueError\0\0Invalid literal for boolean property: ''\0$/],
	],
	"qvm-prefs: reset": [
		L,
		["work: admin.vm.property.Reset+memory", ""],
		["work: admin.vm.property.Get+memory", "default=True type=int 400"],
		["work: admin.vm.property.Reset+template", /^2\0QubesValueError\0\0Cannot unset template.*\0$/],
	],
	"qvm-prefs: help": [
		["work: admin.vm.property.List", WORK_NAMES],
		["work: admin.vm.property.Help+netvm", /^0\0[ -~]+$/],
	],
	"qubes-prefs": [
		["dom0: admin.property.List", /^0\0(check_updates_vm\n)clockvm\n/],
		["dom0: admin.property.GetAll", /\nclockvm default=False type=vm sys-net\n/],
		["dom0: admin.property.Get+default_template", "default=False type=vm fedora-42"],
		["dom0: admin.property.Get+default_kernel", "default=True type=str "],
		["dom0: admin.property.Set+clockvm <vault>", ""],
		["dom0: admin.property.Get+clockvm", "default=False type=vm vault"],
		["dom0: admin.property.Reset+clockvm", ""],
		["dom0: admin.property.Get+clockvm", "default=True type=vm "],
		["dom0: admin.property.Get+nosuch", "!QubesNoSuchPropertyError Invalid property 'nosuch' of Qubes"],
	],
	"qvm-features": [
		L,
		["fedora-42: admin.vm.feature.List", "os-distribution\n"],
		["fedora-42: admin.vm.feature.Get+os-distribution", "fedora"],
		["work: admin.vm.feature.Set+gui <1>", ""],
		["work: admin.vm.feature.Get+gui", "1"],
		["work: admin.vm.feature.Set+gui", ""],
		["work: admin.vm.feature.Get+gui", ""],
		["work: admin.vm.feature.Remove+gui", ""],
		["work: admin.vm.feature.Remove+gui", errorOf("QubesFeatureNotFoundError")],
		["work: admin.vm.feature.CheckWithTemplate+os-distribution", "fedora"],
	],
	"qvm-tags": [
		L,
		["work: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\nmail\n"],
		["work: admin.vm.tag.Get+mail", "1"],
		["work: admin.vm.tag.Get+nosuch", "0"],
		["work: admin.vm.tag.Set+new", ""],
		["work: admin.vm.tag.Set+new", ""],
		["work: admin.vm.tag.Remove+new", ""],
		["work: admin.vm.tag.Remove+new", "!QubesTagNotFoundError Tag not set for domain work: new"],
	],
	"qvm-create --help-classes": [["dom0: admin.vmclass.List", "AdminVM\nTemplateVM\nAppVM\nStandaloneVM\nDispVM\nRemoteVM\n"]],
});
