// How qubes are made, run and removed: spec/admin-core.md 8.7, 12 (decided 3).
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import type { Qube } from "../../../admin-core/model/qubes/qube.ts";
import { type Exchange, expectAnswers, openDesk } from "./desk.ts";

/** Calls in their order, each with what is answered. */
function answers(title: string, ...calls: readonly Exchange[]): void {
	test.serial(title, (t) => expectAnswers(t, openDesk(t), calls));
}

answers(
	"qubes are made with a template that is named, or the usual one",
	[
		"dom0",
		"admin.vm.Create.AppVM",
		"name=new label=red",
		"QubesValueError: there is no default template for class AppVM: name one",
	],
	["dom0", "admin.property.Set+default_template", "base", ""],
	["dom0", "admin.vm.Create.AppVM", "name=new label=red", ""],
	["dom0", "admin.vm.Create.AppVM+base", "label=2 name=other", ""],
	["new", "admin.vm.property.Get+template", "", "default=False type=vm base"],
	["other", "admin.vm.property.Get+label", "", "default=False type=label orange"],
	["other", "admin.vm.tag.List", "", "audiovm-dom0\ncreated-by-dom0\nguivm-dom0\n"],
	["vault>dom0", "admin.vm.Create.TemplateVM", "name=t label=black", ""],
	["t", "admin.vm.tag.Get+created-by-vault", "", "1"],
	["dom0", "admin.vm.Create.DispVM+dvm", "name=disp2 label=red", ""],
	["disp2", "admin.vm.property.Get+template", "", "default=False type=vm dvm"],
);

answers(
	"a creation that is not as it should be makes nothing",
	["dom0", "admin.vm.Create.AppVM+base", "name=new", "ProtocolError: creation of a qube: missing label="],
	["dom0", "admin.vm.Create.AppVM+base", "label=red", "ProtocolError: creation of a qube: missing name="],
	["dom0", "admin.vm.Create.AppVM+base", "name=a name=b label=red", "ProtocolError: duplicated argument: name"],
	[
		"dom0",
		"admin.vm.Create.AppVM+base",
		"name=a label=red pool=x",
		/^ProtocolError: creation of a qube: want name=NAME label=LABEL/,
	],
	["dom0", "admin.vm.Create.AppVM+base", "name", /^ProtocolError/],
	["dom0", "admin.vm.Create.AppVM+base", "", /^ProtocolError/],
	["dom0", "admin.vm.Create.AppVM+base", "name=1x label=red", /^QubesValueError: VM name cannot start/],
	["dom0", "admin.vm.Create.AppVM+base", "name=work label=red", "QubesVMAlreadyExistsError: qube work already exists"],
	["dom0", "admin.vm.Create.AppVM+base", "name=new label=nosuch", "QubesLabelNotFoundError: Label does not exist: nosuch"],
	["dom0", "admin.vm.Create.AppVM+nosuch", "name=new label=red", "QubesVMNotFoundError: No such domain: 'nosuch'"],
	[
		"dom0",
		"admin.vm.Create.AppVM+vault",
		"name=new label=red",
		/^QubesPropertyValueError: template: want a qube of class TemplateVM/,
	],
	["dom0", "admin.vm.Create.DispVM+dom0", "name=new label=red", /^QubesPropertyValueError: template: .*dom0 is AdminVM$/],
	["dom0", "admin.vm.Create.TemplateVM+base", "name=new label=red", "ProtocolError: class TemplateVM has no template"],
	["dom0", "admin.vm.Create.AdminVM", "name=new label=red", "ProtocolError: no such method: 'admin.vm.Create.AdminVM'"],
	["new", "admin.vm.List", "", "QubesVMNotFoundError: No such domain: 'new'"],
);

answers(
	"a qube is removed when it is halted and nobody names it",
	["dom0", "admin.vm.Remove", "", "QubesVMInUseError: dom0 cannot be removed"],
	["base", "admin.vm.Remove", "", "QubesVMInUseError: base is used: dvm.template, vault.template, work.template"],
	["dom0", "admin.property.Set+clockvm", "vault", ""],
	["vault", "admin.vm.Remove", "", "QubesVMInUseError: vault is used: Qubes.clockvm"],
	["dom0", "admin.property.Reset+clockvm", "", ""],
	["vault", "admin.vm.property.Set+installed_by_rpm", "True", ""],
	["vault", "admin.vm.Remove", "", /^QubesVMInUseError: vault is installed by a package/],
	["work", "admin.vm.Start", "", ""],
	["work", "admin.vm.Remove", "", "QubesVMNotHaltedError: work is not halted"],
	["work", "admin.vm.Kill", "", ""],
	["work", "admin.vm.Remove", "", ""],
	["work", "admin.vm.List", "", "QubesVMNotFoundError: No such domain: 'work'"],
);

answers(
	"qubes are started, paused and stopped",
	["work", "admin.vm.Shutdown", "", "QubesVMNotStartedError: work is not running"],
	["work", "admin.vm.Pause", "", "QubesVMNotRunningError: work is not running"],
	["work", "admin.vm.Unpause", "", "QubesVMNotPausedError: work is not paused"],
	["work", "admin.vm.Start", "", ""],
	["work", "admin.vm.Start", "", ""],
	["work", "admin.vm.CurrentState", "", /power_state=Running$/],
	["work", "admin.vm.Pause", "", ""],
	["work", "admin.vm.CurrentState", "", /power_state=Paused$/],
	["work", "admin.vm.Unpause", "", ""],
	["sys-net", "admin.vm.Start", "", ""],
	["sys-net", "admin.vm.Shutdown", "", "QubesVMInUseError: work runs and is connected through sys-net"],
	["sys-net", "admin.vm.Shutdown+now", "", "ProtocolError: shutdown: want force or wait, not 'now'"],
	["sys-net", "admin.vm.Shutdown+force+wait", "", ""],
	["work", "admin.vm.Shutdown", "", ""],
	["work", "admin.vm.CurrentState", "", /power_state=Halted$/],
	["dom0", "admin.vm.Start", "", "QubesVMNotHaltedError: dom0 cannot be started"],
	["dom0", "admin.vm.Kill", "", /^QubesVMError/],
);

test.serial("the events of a qube's life come in their order", async (t) => {
	const desk = openDesk(t);
	const { app } = desk;
	const fired: string[] = [];
	const note = (_subject: unknown, event: string): void => {
		if (event.startsWith("domain-")) fired.push(event);
	};
	app.addHandler("*", note);
	app.qube("work").addHandler("*", note);
	app.addHandler("domain-add", (_app, _event, { vm }) => (vm as Qube).addHandler("*", note));
	await desk.call("work", "admin.vm.Start");
	await desk.call("work", "admin.vm.Shutdown");
	t.deepEqual(fired.splice(0), [
		...["domain-pre-start", "domain-verify-files", "domain-pre-spawn", "domain-spawn", "domain-start"],
		...["domain-pre-shutdown", "domain-stopped", "domain-shutdown"],
	]);
	await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red");
	await desk.call("new", "admin.vm.Remove");
	t.deepEqual(fired, [
		...["domain-add", "domain-tag-add:created-by-dom0", "domain-create-on-disk"],
		...["domain-pre-delete", "domain-delete", "domain-remove-from-disk"],
	]);
});

test.serial("a handler that vetoes a start leaves the qube halted, and says why", async (t) => {
	const desk = openDesk(t);
	const work = desk.app.qube("work");
	const reasons: unknown[] = [];
	work.addHandler("domain-pre-start", () => {
		throw new AdminError("QubesVMError", "not today");
	});
	work.addHandler("domain-start-failed", (_qube, _event, { reason }) => {
		reasons.push(reason);
	});
	t.is(await desk.call("work", "admin.vm.Start"), "QubesVMError: not today");
	t.is(work.powerState, "Halted");
	t.deepEqual(reasons, ["not today"]);
});

test.serial("a creation that fails late leaves no qube behind", async (t) => {
	const desk = openDesk(t);
	const { app } = desk;
	await desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=a.b label=red");
	t.regex(await desk.call("a.b>dom0", "admin.vm.Create.StandaloneVM", "name=new label=red"), /^QubesInvalidTagError/);
	t.is(app.find("new"), null);
	app.addHandler("domain-add", (_app, _event, { vm }) => {
		(vm as Qube).addHandler("domain-create-on-disk", async () => {
			throw new AdminError("StoragePoolException", "the disk is full");
		});
	});
	t.is(await desk.call("dom0", "admin.vm.Create.StandaloneVM", "name=new label=red"), "StoragePoolException: the disk is full");
	t.is(app.find("new"), null);
});

test.serial("a caller who may not create learns nothing of templates", async (t) => {
	const desk = openDesk(t);
	desk.app.qube("vault").addHandler("admin-permission:*", () => {
		throw new AdminError("PermissionDenied", "no");
	});
	for (const template of ["nosuch", "base", ""]) {
		t.is(await desk.call("vault>dom0", `admin.vm.Create.AppVM+${template}`, "name=new label=red"), "PermissionDenied: no");
	}
});

test.serial("what is done to a qube is done one after the other", async (t) => {
	const desk = openDesk(t);
	const work = desk.app.qube("work");
	const fired: string[] = [];
	work.addHandler("domain-[ps]*", async (_qube, event) => {
		fired.push(event);
		await sleep(5);
	});
	const replies = await Promise.all(
		["Start", "Start", "Shutdown", "Shutdown", "Kill"].map((what) => desk.call("work", `admin.vm.${what}`)),
	);
	t.deepEqual(
		replies.map((reply) => reply.split(":")[0]),
		["", "", "", "QubesVMNotStartedError", "QubesVMNotStartedError"],
	);
	t.deepEqual(fired, [
		...["domain-pre-start", "domain-pre-spawn", "domain-spawn", "domain-start"],
		...["domain-pre-shutdown", "domain-stopped", "domain-shutdown"],
	]);
	t.is(work.powerState, "Halted");
});

test.serial("a qube that runs is shown in between until all handlers say that it can be used", async (t) => {
	const desk = openDesk(t);
	const work = desk.app.qube("work");
	let said: unknown = [true];
	work.addHandler("domain-is-fully-usable", () => said);
	work.addHandler("domain-is-fully-usable", () => [true]);
	const shown = async (): Promise<string[]> => {
		const replies = [await desk.call("work", "admin.vm.List"), await desk.call("work", "admin.vm.CurrentState")];
		const info = JSON.parse(await desk.call("dom0", "internal.GetSystemInfo"));
		return [...replies.map((reply) => /state=(\w+)/.exec(reply)?.[1] ?? ""), info.domains.work.power_state];
	};
	t.deepEqual(await shown(), ["Halted", "Halted", "Halted"]);
	await desk.call("work", "admin.vm.Start");
	t.deepEqual(await shown(), ["Running", "Running", "Running"]);
	said = [false];
	t.deepEqual(await shown(), ["Transient", "Transient", "Transient"]);
	said = 1;
	t.deepEqual(await shown(), ["Transient", "Transient", "Transient"]);
	t.is(await desk.call("work", "admin.vm.Pause"), "");
	t.deepEqual(await shown(), ["Paused", "Paused", "Paused"]);
});
