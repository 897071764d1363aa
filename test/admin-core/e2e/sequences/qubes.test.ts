// The calls that qvm-create and qvm-remove make, and those of the qrexec daemon and of its policy (spec 11), replayed over a real socket.
import test from "ava";
import { LIST, openFurnished, UUID } from "./furnished.ts";
import { errorOf, replay, type Step, testSequences } from "./replay.ts";

const L: Step = ["dom0: admin.vm.List", LIST];
const LABELS: Step = ["dom0: admin.label.List", "red\ngreen\nblack\n"];
const ANY_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/** What the one line of a new qube is; its UUID is chosen by the daemon. */
function listed(name: string, klass: string): Step {
	return [`${name}: admin.vm.List`, new RegExp(`^0\\0${name} class=${klass} state=Halted uuid=${ANY_UUID}\\n$`)];
}

/** An L with one more qube in it, which is the last one. */
function listWith(name: string, klass: string): Step {
	return ["dom0: admin.vm.List", new RegExp(`^0\\0${LIST}${name} class=${klass} state=Halted uuid=${ANY_UUID}\\n$`)];
}

testSequences(openFurnished, {
	"qvm-create": [
		LABELS,
		["dom0: admin.vm.Create.AppVM <name=zebra label=green>", ""],
		listWith("zebra", "AppVM"),
		["zebra: admin.vm.property.Set+memory <700>", ""],
		["zebra: admin.vm.property.Get+template", "default=False type=vm base"],
		["zebra: admin.vm.property.Get+label", "default=False type=label green"],
		["zebra: admin.vm.property.Get+qid", "default=False type=int 5"],
		["zebra: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\n"],
		["zebra: admin.vm.volume.List", "root\nprivate\nvolatile\nkernel\n"],
		[
			"zebra: admin.vm.volume.Info+root",
			/^0\0pool=main\nvid=appvms\/zebra\/root\nsize=1048576\nusage=0\nrw=True\nsource=vm-templates\/base\/root\n/,
		],
		[
			"zebra: admin.vm.volume.Info+private",
			/^0\0pool=main\nvid=appvms\/zebra\/private\nsize=2147483648\nusage=0\nrw=True\nsource=\n/,
		],
		["zebra: admin.vm.volume.Info+volatile", /^0\0pool=main\nvid=appvms\/zebra\/volatile\nsize=10737418240\n/],
		["zebra: admin.vm.Start", ""],
	],
	"qvm-create of each class": [
		LABELS,
		["dom0: admin.vm.Create.AppVM+base <name=a label=red>", ""],
		listed("a", "AppVM"),
		["dom0: admin.vm.Create.TemplateVM <name=t label=black>", ""],
		listed("t", "TemplateVM"),
		["t: admin.vm.volume.Info+root", /^0\0pool=main\nvid=vm-templates\/t\/root\nsize=10737418240\nusage=0\nrw=True\nsource=\n/],
		["dom0: admin.vm.Create.StandaloneVM <name=s label=red>", ""],
		listed("s", "StandaloneVM"),
		["dom0: admin.vm.Create.DispVM+dvm <name=d label=red>", ""],
		listed("d", "DispVM"),
		["d: admin.vm.property.Get+template", "default=False type=vm dvm"],
		["d: admin.vm.volume.Info+private", /\nsource=appvms\/dvm\/private\npath=.*\nsave_on_stop=False\nsnap_on_start=True\n/],
		["dom0: admin.vm.Create.RemoteVM <name=r label=red>", ""],
		["r: admin.vm.List", new RegExp(`^0\\0r class=RemoteVM state=(Halted|Running|NA) uuid=${ANY_UUID}\\n$`)],
		["r: admin.vm.volume.List", ""],
		["dom0: admin.vm.Create.AdminVM <name=x label=red>", "!ProtocolError no such method: 'admin.vm.Create.AdminVM'"],
		["dom0: admin.vm.Create.NoVM <name=x label=red>", "!ProtocolError no such method: 'admin.vm.Create.NoVM'"],
	],
	"qvm-create with a label by its number": [
		LABELS,
		["dom0: admin.label.Index+red", "1"],
		["dom0: admin.label.Index+green", "4"],
		["dom0: admin.vm.Create.AppVM+base <name=new label=4>", ""],
		["new: admin.vm.property.Get+label", "default=False type=label green"],
		["dom0: admin.vm.Create.AppVM+base <name=other label=7>", "!QubesLabelNotFoundError Label does not exist: 7"],
		["dom0: admin.label.Index+nosuch", "!QubesLabelNotFoundError Label does not exist: nosuch"],
	],
	"qvm-create in pools": [
		LABELS,
		["dom0: admin.pool.Add+file-reflink <name=fast\ndir_path=DIR/fast\nsetup_check=no\n>", ""],
		["dom0: admin.vm.CreateInPool.AppVM+base <name=one label=red pool=fast>", ""],
		["one: admin.vm.volume.Info+root", /^0\0pool=main\n/],
		["one: admin.vm.volume.Info+private", /^0\0pool=fast\nvid=appvms\/one\/private\n/],
		["one: admin.vm.volume.Info+volatile", /^0\0pool=fast\n/],
		["one: admin.vm.volume.Info+kernel", /^0\0pool=linux-kernel\n/],
		["dom0: admin.vm.CreateInPool.StandaloneVM <name=two label=red pool:private=fast pool:root=main>", ""],
		["two: admin.vm.volume.Info+root", /^0\0pool=main\n/],
		["two: admin.vm.volume.Info+private", /^0\0pool=fast\n/],
		["two: admin.vm.volume.Info+volatile", /^0\0pool=main\n/],
		["dom0: admin.vm.CreateInPool.AppVM <name=x label=red pool=nosuch>", "!QubesException Unknown storage pool nosuch"],
		["dom0: admin.vm.CreateInPool.AppVM <name=x label=red pool=fast pool:root=fast>", errorOf("ProtocolError")],
		["dom0: admin.vm.CreateInPool.AppVM <name=x label=red pool:root=fast>", errorOf("StoragePoolException")],
		["dom0: admin.vm.CreateInPool.AppVM <name=x label=red pool:extra=fast>", errorOf("ProtocolError")],
		["dom0: admin.pool.Remove+fast", errorOf("QubesPoolInUseError")],
		["x: admin.vm.List", "!QubesVMNotFoundError No such domain: 'x'"],
	],
	"qvm-create of what cannot be": [
		["dom0: admin.vm.Create.AppVM+base <name=work label=red>", errorOf("QubesVMAlreadyExistsError")],
		["dom0: admin.vm.Create.AppVM+nosuch <name=x label=red>", "!QubesVMNotFoundError No such domain: 'nosuch'"],
		["dom0: admin.vm.Create.AppVM+work <name=x label=red>", errorOf("QubesPropertyValueError")],
		["dom0: admin.vm.Create.DispVM+work <name=x label=red>", errorOf("QubesPropertyValueError")],
		["dom0: admin.vm.Create.TemplateVM+base <name=x label=red>", errorOf("ProtocolError")],
		["dom0: admin.vm.Create.AppVM+base <name=x label=nosuch>", "!QubesLabelNotFoundError Label does not exist: nosuch"],
		["dom0: admin.vm.Create.AppVM+base <name=x>", errorOf("ProtocolError")],
		["dom0: admin.vm.Create.AppVM+base <label=red>", errorOf("ProtocolError")],
		["dom0: admin.vm.Create.AppVM+base", errorOf("ProtocolError")],
		["dom0: admin.vm.Create.AppVM+base <name=x name=y label=red>", errorOf("ProtocolError")],
		["dom0: admin.vm.Create.AppVM+base <name=x label=red pool=main>", errorOf("ProtocolError")],
		[
			"dom0: admin.vm.Create.AppVM+base <name=1x label=red>",
			"!QubesValueError VM name cannot start with hyphen, underscore, dot or numbers",
		],
		["dom0: admin.vm.Create.AppVM+base <name=x-dm label=red>", "!QubesValueError VM name cannot end with -dm"],
		["dom0: admin.vm.Create.AppVM+base <name=none label=red>", "!QubesValueError VM name cannot be 'none' nor 'default'"],
		["dom0: admin.vm.Create.AppVM+base <name=Domain-0 label=red>", "!QubesValueError VM name cannot be 'Domain-0'"],
		["dom0: admin.vm.Create.AppVM+base <name=x/y label=red>", "!QubesValueError VM name contains illegal characters"],
		[
			`dom0: admin.vm.Create.AppVM+base <name=${"x".repeat(32)} label=red>`,
			"!QubesValueError VM name must be shorter than 32 characters",
		],
		["work: admin.vm.Create.AppVM+base <name=x label=red>", "!ProtocolError expected destination to be AdminVM"],
		L,
	],
	"qvm-remove": [
		L,
		["work: admin.vm.Remove", ""],
		["work: admin.vm.Remove", "!QubesVMNotFoundError No such domain: 'work'"],
		["dom0: admin.vm.List", LIST.replace(/work.*\n/, "")],
		["dom0: admin.vm.Remove", errorOf("QubesVMInUseError")],
		["solo: admin.vm.Start", ""],
		["solo: admin.vm.Remove", errorOf("QubesVMNotHaltedError")],
		["solo: admin.vm.Kill", ""],
		["solo: admin.vm.Remove", ""],
	],
	"qvm-remove of what a package brought": [
		["work: admin.vm.property.Set+installed_by_rpm <True>", ""],
		["work: admin.vm.Remove", errorOf("QubesVMInUseError")],
	],
	"qvm-remove of a qube that is used": [
		L,
		["dom0: admin.vm.Create.DispVM+dvm <name=zoo label=red>", ""],
		["dvm: admin.vm.Remove", errorOf("QubesVMInUseError")],
		...globalsOf({ default_dispvm: "dvm", default_template: "base", default_audiovm: "dom0?", default_guivm: "dom0?" }),
		listWith("zoo", "DispVM"),
		...usesOf("base", ["is_preload", "template"], {
			audiovm: "dom0",
			default_dispvm: "dvm",
			guivm: "dom0",
			management_dispvm: "",
			netvm: "",
		}),
		...usesOf("dom0", ["is_preload", "template", "netvm", "guivm", "audiovm", "management_dispvm"], { default_dispvm: "dvm" }),
		...usesOf("work", ["is_preload"], {
			netvm: "",
			guivm: "dom0",
			audiovm: "dom0",
			default_dispvm: "dvm",
			management_dispvm: "",
		}),
		["zoo: admin.vm.property.Get+is_preload", "default=True type=bool False"],
		["zoo: admin.vm.property.Get+template", "default=False type=vm dvm"],
		// A disposable makes disposables of what it is made of itself.
		["zoo: admin.vm.property.Get+default_dispvm", "default=True type=vm dvm"],
		["zoo: admin.vm.Remove", ""],
		["dom0: admin.property.Reset+default_dispvm", ""],
		["dvm: admin.vm.Remove", ""],
	],
	"the qrexec daemon": [
		["work: admin.vm.Start", ""],
		["work: admin.vm.Start", ""],
		["work: admin.vm.CurrentState", "mem=0 mem_static_max=0 cputime=0 power_state=Running"],
		["work: admin.vm.Kill", ""],
		["work: admin.vm.CurrentState", "mem=0 mem_static_max=0 cputime=0 power_state=Halted"],
		["work: admin.vm.Kill", errorOf("QubesVMNotStartedError")],
		["dom0: admin.vm.Start", errorOf("QubesVMNotHaltedError")],
		// 41 characters without NUL.
		["dvm: admin.vm.CreateDisposable <uuid>", new RegExp(`^0\\0(?<disposable>uuid:${ANY_UUID})$`)],
		["$disposable: admin.vm.Start", ""],
		["$disposable: admin.vm.List", new RegExp(`^0\\0(?<name>disp\\d+) class=DispVM state=Running uuid=${ANY_UUID}\\n$`)],
		["$name: admin.vm.property.Get+template", "default=False type=vm dvm"],
		["$name: admin.vm.property.Get+auto_cleanup", "default=False type=bool True"],
		["$name: admin.vm.tag.List", "audiovm-dom0\ncreated-by-dom0\ndisp-created-by-dom0\nguivm-dom0\n"],
		["$disposable: admin.vm.Kill", ""],
		["$name: admin.vm.List", "!QubesVMNotFoundError No such domain: '$name'"],
		["$disposable: admin.vm.Kill", errorOf("QubesVMNotFoundError")],
		L,
	],
	"the qrexec daemon, of a disposable by its name": [
		["dom0: admin.vm.CreateDisposable", /^0\0(?<name>disp\d{1,4})$/],
		["$name: admin.vm.Start", ""],
		["$name: admin.vm.Shutdown+wait", ""],
		L,
		["work: admin.vm.CreateDisposable", /^2\0Qubes\w+\0\0[^\0]+\0$/],
		["dvm: admin.vm.CreateDisposable <else>", errorOf("ProtocolError")],
		["dvm: admin.vm.CreateDisposable+else", errorOf("ProtocolError")],
		["nosuch: admin.vm.CreateDisposable <uuid>", "!QubesVMNotFoundError No such domain: 'nosuch'"],
		["uuid:x: admin.vm.Start", /^2\0QubesVMInvalidUUIDError\0\0[^\0]+\0$/],
		L,
	],
});

/** What `admin.property.Get` answers for the eight properties that name qubes; `?` behind a value that is the default. */
function globalsOf(values: { readonly [property: string]: string }): Step[] {
	const names = ["clockvm", "default_audiovm", "default_dispvm", "default_guivm", "default_netvm", "default_template"];
	return [...names, "management_dispvm", "updatevm"].map((name) => {
		const value = values[name] ?? "?";
		return [
			`dom0: admin.property.Get+${name}`,
			`default=${value.endsWith("?") ? "True" : "False"} type=vm ${value.replace("?", "")}`,
		];
	});
}

/** What a qube answers for the properties that may name other qubes: those that it lacks, and the defaults of the others. */
function usesOf(qube: string, absent: readonly string[], values: { readonly [property: string]: string }): Step[] {
	const get = (name: string): string => `${qube}: admin.vm.property.Get+${name}`;
	return [
		...absent.map((name): Step => [get(name), `!QubesNoSuchPropertyError Invalid property '${name}' of ${qube}`]),
		...Object.entries(values).map(([name, value]): Step => [get(name), `default=True type=vm ${value}`]),
	];
}

test("GetSystemInfo tells the policy of all qubes, and what is new of them at once", async (t) => {
	const house = await openFurnished(t);
	const ask = async () => {
		const reply = await house.call("internal.GetSystemInfo+ dom0 name dom0\0", "internal.sock");
		t.true(reply.startsWith("0\0"), reply);
		return JSON.parse(reply.slice(2)).domains;
	};
	const of = (id: number, type: string, more: object) => ({
		...{ internal: null, tags: ["audiovm-dom0", "created-by-dom0", "guivm-dom0"], type, template_for_dispvms: false },
		...{ default_dispvm: "dvm", icon: "appvm-red", label: "0xcc0000", guivm: "dom0", relayvm: null, transport_rpc: null },
		...{ power_state: "Halted", uuid: `${UUID}${id}`, ...more },
	});
	const before = await ask();
	t.deepEqual(before, {
		base: of(1, "TemplateVM", { icon: "appvm-black", label: "0x000000" }),
		dom0: of(0, "AdminVM", {
			...{ tags: [], icon: "appvm-black", label: "0x000000", guivm: null, power_state: "Running" },
			uuid: "00000000-0000-0000-0000-000000000000",
		}),
		dvm: of(2, "AppVM", { template_for_dispvms: true }),
		solo: of(4, "StandaloneVM", { icon: "appvm-green", label: "0x73d216" }),
		work: of(3, "AppVM", {}),
	});
	await replay(t, house, [
		["work: admin.vm.feature.Set+internal <1>", ""],
		["work: admin.vm.tag.Set+mail", ""],
		["work: admin.vm.property.Set+label <green>", ""],
		["work: admin.vm.property.Set+default_dispvm", ""],
		["work: admin.vm.Start", ""],
		["dom0: internal.GetSystemInfo+x", "!ProtocolError unexpected argument"],
		["work: internal.GetSystemInfo", "!ProtocolError expected destination to be AdminVM"],
	]);
	t.deepEqual(await ask(), {
		...before,
		work: of(3, "AppVM", {
			...{ internal: "1", tags: ["audiovm-dom0", "created-by-dom0", "guivm-dom0", "mail"], icon: "appvm-green" },
			...{ label: "0x73d216", default_dispvm: null, power_state: "Running" },
		}),
	});
	t.is(
		await house.call("internal.GetSystemInfo+ dom0 name dom0\0"),
		"2\0ProtocolError\0\0no such method: 'internal.GetSystemInfo'\0",
	);
});
