// The methods of the Admin API that plugins serve: spec/admin-core.md 7.2, 7.6, 8.1 to 8.4, 9.1.
import test from "ava";
import { type Exchange, expectAnswers, openDesk } from "./desk.ts";

/** Calls in their order, each with what is answered. */
function answers(title: string, ...calls: readonly Exchange[]): void {
	test.serial(title, (t) => expectAnswers(t, openDesk(t), calls));
}

answers(
	"what is wrong with a call is said in the order of spec 7.2",
	["nosuch>alsonot", "no.Method", "", "QubesVMNotFoundError: No such domain: 'nosuch'"],
	["dom0>nosuch", "no.Method", "", "QubesVMNotFoundError: No such domain: 'nosuch'"],
	["dom0>1x", "no.Method", "", /^QubesValueError: VM name cannot start/],
	["dom0>uuid:x", "no.Method", "", /^QubesVMInvalidUUIDError/],
	["dom0", "no.Method", "", "ProtocolError: no such method: 'no.Method'"],
	["work", "admin.property.List+x", "x", "ProtocolError: unexpected payload"],
	["work", "admin.property.List+x", "", "ProtocolError: unexpected argument"],
	["work", "admin.property.List", "", "ProtocolError: expected destination to be AdminVM"],
	["work", "admin.vm.feature.Get", "", "ProtocolError: expected an argument"],
	["dom0", "admin.label.Create+x", "", "ProtocolError: expected payload"],
	["work", "admin.label.Create+x", "0xff00ff", "ProtocolError: expected destination to be AdminVM"],
);

answers(
	"features are set, listed in the order they were set, read and removed",
	["work", "admin.vm.feature.List", "", ""],
	["work", "admin.vm.feature.Set+b", "1", ""],
	["work", "admin.vm.feature.Set+a.B_c-9", "x = y~", ""],
	["work", "admin.vm.feature.Set+empty", "", ""],
	["work", "admin.vm.feature.List", "", "b\na.B_c-9\nempty\n"],
	["work", "admin.vm.feature.Get+a.B_c-9", "", "x = y~"],
	["work", "admin.vm.feature.Get+empty", "", ""],
	["work", "admin.vm.feature.Remove+b", "", ""],
	["work", "admin.vm.feature.Get+b", "", "QubesFeatureNotFoundError: Feature not set for domain work: b"],
	["work", "admin.vm.feature.Remove+b", "", "QubesFeatureNotFoundError: Feature not set for domain work: b"],
);

answers(
	"features are looked up at the template, the net qube, and dom0",
	["base", "admin.vm.feature.Set+t", "T", ""],
	["sys-net", "admin.vm.feature.Set+n", "N", ""],
	["dom0", "admin.vm.feature.Set+a", "A", ""],
	["disp1", "admin.vm.feature.CheckWithTemplate+t", "", "T"],
	["disp1", "admin.vm.feature.CheckWithNetvm+n", "", "N"],
	["disp1", "admin.vm.feature.CheckWithAdminVM+a", "", "A"],
	["disp1", "admin.vm.feature.CheckWithTemplateAndAdminVM+a", "", "A"],
	["disp1", "admin.vm.feature.CheckWithTemplateAndAdminVM+t", "", "T"],
	["disp1", "admin.vm.feature.CheckWithTemplate+a", "", "QubesFeatureNotFoundError: Feature not set for domain disp1: a"],
	["dom0", "admin.vm.feature.CheckWithAdminVM+a", "", "A"],
);

answers(
	"names and values that are none of a feature are refused before anybody is asked; names of the system for everybody",
	["work", "admin.vm.feature.Set+a b", "1", /^ProtocolError: feature name/],
	["work", "admin.vm.feature.Set+ä", "1", /^ProtocolError: feature name/],
	["work", "admin.vm.feature.Set+a", "ä", /^ProtocolError: feature value/],
	["work", "admin.vm.feature.Set+a", "x\n", /^ProtocolError: feature value/],
	["work", "admin.vm.feature.Set+preload-dispvm", "1", /^PermissionDenied/],
	["work", "admin.vm.feature.Remove+deferred-netvm-original", "", /^PermissionDenied/],
	["work", "admin.vm.feature.List", "", ""],
);

answers(
	"tags are set as often as one likes, listed sorted, asked for and removed",
	["work", "admin.vm.tag.Set+b", "", ""],
	["work", "admin.vm.tag.Set+b", "", ""],
	["work", "admin.vm.tag.Set+a", "", ""],
	["work", "admin.vm.tag.List", "", "a\nb\n"],
	["work", "admin.vm.tag.Get+a", "", "1"],
	["work", "admin.vm.tag.Get+c", "", "0"],
	["work", "admin.vm.tag.Remove+a", "", ""],
	["work", "admin.vm.tag.Remove+a", "", "QubesTagNotFoundError: Tag not set for domain work: a"],
	["work", "admin.vm.tag.Set+a.b", "", /^QubesInvalidTagError/],
	["work", "admin.vm.tag.Get+a b", "", /^QubesInvalidTagError/],
);

answers(
	"tags that say who made a qube are dom0's",
	["work>vault", "admin.vm.tag.Set+created-by-x", "", /^PermissionDenied/],
	["work>vault", "admin.vm.tag.Set+other", "", ""],
	["dom0>vault", "admin.vm.tag.Set+created-by-x", "", ""],
	["work>vault", "admin.vm.tag.Remove+created-by-x", "", /^PermissionDenied/],
);

answers(
	"labels are made, found by name and number, and removed when nobody has them",
	["dom0", "admin.label.Create+pink", "0xff00ff", ""],
	["dom0", "admin.label.List", "", "red\norange\nyellow\ngreen\ngray\nblue\npurple\nblack\npink\n"],
	["dom0", "admin.label.Get+pink", "", "0xff00ff"],
	["dom0", "admin.label.Get+9", "", "0xff00ff"],
	["dom0", "admin.label.Index+pink", "", "9"],
	["work", "admin.vm.property.Set+label", "pink", ""],
	["dom0", "admin.label.Remove+pink", "", "QubesLabelInUseError: label pink is used by work"],
	["work", "admin.vm.property.Set+label", "red", ""],
	["dom0", "admin.label.Remove+pink", "", ""],
	["dom0", "admin.label.Remove+red", "", "ProtocolError: Can only remove custom labels"],
	["dom0", "admin.label.Create+label-1", "0xff00ff", /^QubesInvalidLabelError/],
	["dom0", "admin.label.Remove+blue", "", "ProtocolError: Can only remove custom labels"],
	["dom0", "admin.label.Get+pink", "", "QubesLabelNotFoundError: Label does not exist: pink"],
	["dom0", "admin.label.Create+pink", "pink", /^QubesInvalidLabelValueError/],
	["dom0", "admin.label.Create+12", "0xff00ff", /^QubesInvalidLabelError/],
);

answers(
	"properties are read with their type and whether they are default",
	["work", "admin.vm.property.Get+memory", "", "default=True type=int 400"],
	["work", "admin.vm.property.Get+netvm", "", "default=False type=vm sys-net"],
	["vault", "admin.vm.property.Get+netvm", "", "default=False type=vm "],
	["work", "admin.vm.property.Get+debug", "", "default=True type=bool False"],
	["work", "admin.vm.property.Get+label", "", "default=False type=label red"],
	["work", "admin.vm.property.Get+stubdom_mem", "", "default=True type=int "],
	["work", "admin.vm.property.GetDefault+memory", "", "type=int 400"],
	["work", "admin.vm.property.GetDefault+stubdom_mem", "", "type=int "],
	["work", "admin.vm.property.GetDefault+backup_timestamp", "", "type=int "],
	["dom0", "admin.property.GetDefault+default_template", "", ""],
	["work", "admin.vm.property.Get+nosuch", "", "QubesNoSuchPropertyError: Invalid property 'nosuch' of work"],
	["work", "admin.vm.property.Help+memory", "", "Memory at the start, in MiB."],
	["dom0", "admin.property.Get+clockvm", "", "default=True type=vm "],
	["dom0", "admin.property.Get+nosuch", "", "QubesNoSuchPropertyError: Invalid property 'nosuch' of Qubes"],
);

answers(
	"properties are set and reset",
	["work", "admin.vm.property.Set+memory", "1000", ""],
	["work", "admin.vm.property.Get+memory", "", "default=False type=int 1000"],
	["work", "admin.vm.property.Reset+memory", "", ""],
	["work", "admin.vm.property.Get+memory", "", "default=True type=int 400"],
	["work", "admin.vm.property.Set+netvm", "", ""],
	["work", "admin.vm.property.Get+netvm", "", "default=False type=vm "],
	["work", "admin.vm.property.Set+debug", "yes", ""],
	["work", "admin.vm.property.Get+debug", "", "default=False type=bool True"],
	["dom0", "admin.property.Set+clockvm", "sys-net", ""],
	["dom0", "admin.property.Get+clockvm", "", "default=False type=vm sys-net"],
	["work", "admin.vm.property.Set+keyboard_layout", "de++nodeadkeys", ""],
);

answers(
	"values that a property cannot have are refused by the class of error that the client expects",
	["work", "admin.vm.property.Set+memory", "ä", "QubesValueError: Non-ASCII bytes in property value"],
	["work", "admin.vm.property.Set+memory", "x", "QubesValueError: Failed to parse property value as int"],
	["work", "admin.vm.property.Set+memory", "0", /^QubesPropertyValueError/],
	["work", "admin.vm.property.Set+debug", "maybe", "QubesValueError: Invalid literal for boolean property: 'maybe'"],
	["work", "admin.vm.property.Set+netvm", "nosuch", "QubesPropertyValueError: Can't set netvm to non-existing qube nosuch"],
	["work", "admin.vm.property.Set+netvm", "1x", /^QubesValueError: VM name cannot start/],
	["work", "admin.vm.property.Set+default_user", "a\rb", /^QubesValueError/],
	["work", "admin.vm.property.Set+label", "nosuch", "QubesLabelNotFoundError: Label does not exist: nosuch"],
	["work", "admin.vm.property.Set+name", "other", /^QubesPropertyValueError/],
	["work", "admin.vm.property.Reset+template", "", "QubesValueError: Cannot unset template of work"],
	["work", "admin.vm.property.Set+nosuch", "x", "QubesNoSuchPropertyError: Invalid property 'nosuch' of work"],
);

test.serial("all properties come in one reply, a line each, with backslashes and line feeds escaped", async (t) => {
	const desk = openDesk(t);
	desk.app.qube("work").set("kernelopts", "a\\b\nc");
	const lines = (await desk.call("work", "admin.vm.property.GetAll")).split("\n");
	t.is(lines.pop(), "");
	t.true(lines.includes("kernelopts default=False type=str a\\\\b\\nc"));
	t.true(lines.includes("stubdom_mem default=True type=int "));
	const names = (await desk.call("work", "admin.vm.property.List")).split("\n").slice(0, -1);
	t.deepEqual(
		lines.map((line) => line.split(" ")[0]),
		names,
	);
});

answers(
	"who is there",
	[
		"dom0",
		"admin.vm.List",
		"",
		/^dom0 class=AdminVM state=Running uuid=0{8}-0{4}-0{4}-0{4}-0{12}\nbase class=TemplateVM state=Halted uuid=[0-9a-f-]{36}\ndisp1 /,
	],
	["work", "admin.vm.List", "", /^work class=AppVM state=Halted uuid=[0-9a-f-]{36}\n$/],
	["dom0", "admin.vmclass.List", "", "AdminVM\nTemplateVM\nAppVM\nStandaloneVM\nDispVM\nRemoteVM\n"],
	["work", "admin.vm.CurrentState", "", "mem=0 mem_static_max=0 cputime=0 power_state=Halted"],
);

test.serial("the system information for the qrexec policy has all qubes with all fields", async (t) => {
	const desk = openDesk(t);
	desk.app.qube("work").tags.add("mail");
	desk.app.qube("work").features.set("internal", true);
	const { domains } = JSON.parse(await desk.call("dom0", "internal.GetSystemInfo")) as { domains: { [name: string]: object } };
	t.deepEqual(Object.keys(domains), ["dom0", "base", "disp1", "dvm", "sys-net", "vault", "work"]);
	t.deepEqual(domains["work"], {
		...{ internal: "1", tags: ["mail"], type: "AppVM", template_for_dispvms: false, default_dispvm: null },
		...{ icon: "appvm-red", label: "0xcc0000", guivm: "dom0", relayvm: null, transport_rpc: null, power_state: "Halted" },
		uuid: desk.app.qube("work").uuid,
	});
	t.like(domains["disp1"], { default_dispvm: "dvm", type: "DispVM" });
	t.like(domains["dvm"], { template_for_dispvms: true });
});

test.serial("the store is saved after what changes something, and only then", async (t) => {
	const desk = openDesk(t);
	await desk.call("work", "admin.vm.feature.Get+x");
	await desk.call("work", "admin.vm.feature.Set+x y", "1");
	await desk.call("work", "admin.vm.property.Set+memory", "0");
	t.is(desk.saved, 0);
	await desk.call("work", "admin.vm.feature.Set+x", "1");
	t.is(desk.saved, 1);
});

test.serial("a handler of the permission may refuse, and is told what is to happen", async (t) => {
	const desk = openDesk(t);
	t.plan(5);
	desk.app.qube("vault").addHandler("admin-permission:*", (source, event, args) => {
		t.is(source.name, "vault");
		t.is(event, "admin-permission:admin.vm.property.Set");
		t.like(args, { dest: desk.app.qube("work"), arg: "memory", newvalue: 500 });
		throw new RangeError("no");
	});
	await t.throwsAsync(desk.call("vault>work", "admin.vm.property.Set+memory", "500"), { instanceOf: RangeError });
	t.is(desk.app.qube("work").get("memory"), 400);
});

test.serial("a handler of the permission may hide items of a list", async (t) => {
	const desk = openDesk(t);
	const { app } = desk;
	app.qube("dom0").addHandler("admin-permission:admin.vm.List", () => [(item: unknown) => item !== app.qube("work")]);
	app.qube("dom0").addHandler("admin-permission:admin.vm.List", () => [(item: unknown) => item !== app.qube("base")]);
	const listed = await desk.call("dom0", "admin.vm.List");
	t.deepEqual(
		listed.split("\n").map((line) => line.split(" ")[0]),
		["dom0", "disp1", "dvm", "sys-net", "vault", ""],
	);
});

test.serial("a RemoteVM is no clock, and text is no IPv6 address", async (t) => {
	const desk = openDesk(t);
	await desk.call("dom0", "admin.vm.Create.RemoteVM", "name=far label=red");
	t.regex(
		await desk.call("dom0", "admin.property.Set+clockvm", "far"),
		/^QubesPropertyValueError: clockvm: want a qube of class LocalVM/,
	);
	t.is(
		await desk.call("work", "admin.vm.property.Set+ip6", "hello"),
		"QubesValueError: Failed to parse property value as IPv6Address",
	);
	t.is(await desk.call("work", "admin.vm.property.Set+ip6", "fd09::7"), "");
});
