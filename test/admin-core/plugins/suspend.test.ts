// internal.SuspendPre and internal.SuspendPost: spec/admin-core.md 9.2, 12 (decided 3). Services are called by a stand-in for qrexec-client.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import type { PowerState } from "../../../admin-core/model/qubes/qube.ts";
import { qubesPrograms } from "../../../admin-core/system/programs.ts";
import { QubesPrograms } from "../../support/qubes-programs.ts";
import { type DeskWithDirs, openDeskWithDirs } from "./qube-dirs.ts";

const fake = new QubesPrograms();

/** A desk where qubes do what is said. */
function open(t: ExecutionContext, states: { readonly [name: string]: PowerState }): DeskWithDirs {
	const desk = openDeskWithDirs(t, { programs: qubesPrograms() });
	for (const [name, state] of Object.entries(states)) desk.app.qube(name).powerState = state;
	return desk;
}

function statesOf(desk: DeskWithDirs, ...names: readonly string[]): string {
	return names.map((name) => desk.app.qube(name).powerState).join(" ");
}

function filesOf(desk: DeskWithDirs): string[] {
	return fs.readdirSync(path.join(desk.dir, "run"));
}

test.serial("qubes that run are suspended and resumed; those that rested before go on resting", async (t) => {
	const desk = open(t, { work: "Running", "sys-net": "Running", vault: "Paused", dvm: "Suspended", far: "Running" });
	const names = ["dom0", "far", "base", "work", "sys-net", "vault", "dvm"];
	t.is(await desk.call("dom0", "internal.SuspendPre"), "");
	t.is(statesOf(desk, ...names), "Running Running Halted Suspended Suspended Paused Suspended");
	t.is(fs.readFileSync(path.join(desk.dir, "run/resting-at-suspend"), "utf8"), "dvm\nvault\n");
	t.is(await desk.call("dom0", "internal.SuspendPost"), "");
	t.is(statesOf(desk, ...names), "Running Running Halted Running Running Paused Suspended");
	t.deepEqual(filesOf(desk), []);
	t.is(desk.saved, 0);
});

test.serial("a second suspend before the end of the first loses nothing", async (t) => {
	const desk = open(t, { work: "Running", vault: "Paused" });
	await desk.call("dom0", "internal.SuspendPre");
	await desk.call("dom0", "internal.SuspendPre");
	await desk.call("dom0", "internal.SuspendPost");
	t.is(statesOf(desk, "work", "vault"), "Running Paused");
	t.is(await desk.call("dom0", "internal.SuspendPost"), "", "nor does a second end");
	t.is(statesOf(desk, "work", "vault"), "Running Paused");
});

test.serial("each qube has the events of it, in their order", async (t) => {
	const desk = open(t, { work: "Running" });
	const told: string[] = [];
	const work = desk.app.qube("work");
	work.addHandler("domain-*", (_qube, event) => void told.push(`${event} ${work.powerState}`));
	await desk.call("dom0", "internal.SuspendPre");
	await desk.call("dom0", "internal.SuspendPost");
	t.deepEqual(told, [
		"domain-pre-paused Running",
		"domain-paused Suspended",
		"domain-pre-unpaused Suspended",
		"domain-resumed Running",
	]);
});

test.serial("those that can be called are told, while they run; one that does not answer changes nothing", async (t) => {
	const desk = open(t, { work: "Running", vault: "Running", disp1: "Running", dvm: "Paused" });
	for (const name of ["work", "dvm", "base"]) desk.app.qube(name).features.set("qrexec", "1");
	desk.app.qube("vault").features.set("qrexec", "");
	fake.refuseCalls("work");
	t.is(await desk.call("dom0", "internal.SuspendPre"), "");
	t.is(statesOf(desk, "work", "vault", "disp1"), "Suspended Suspended Suspended");
	t.deepEqual(fake.takeCalls(), [
		"disp1: root:QUBESRPC qubes.SuspendPreAll dom0",
		"work: root:QUBESRPC qubes.SuspendPreAll dom0",
	]);
	t.is(await desk.call("dom0", "internal.SuspendPost"), "");
	t.deepEqual(fake.takeCalls(), [
		"disp1: root:QUBESRPC qubes.SuspendPostAll dom0",
		"work: root:QUBESRPC qubes.SuspendPostAll dom0",
	]);
});

test.serial("a qube that cannot be suspended is named, after all others were", async (t) => {
	const desk = open(t, { "sys-net": "Running", work: "Running" });
	desk.app.qube("sys-net").addHandler("domain-pre-paused", () => {
		throw new AdminError("QubesException", "busy");
	});
	t.is(await desk.call("dom0", "internal.SuspendPre"), "QubesVMError: not suspended: sys-net: busy");
	t.is(statesOf(desk, "sys-net", "work"), "Running Suspended");
	t.is(await desk.call("dom0", "internal.SuspendPost"), "");
	t.is(statesOf(desk, "sys-net", "work"), "Running Running");
});

test.serial("a qube that cannot be resumed is named, after all others were and were told", async (t) => {
	const desk = open(t, { "sys-net": "Running", work: "Running" });
	for (const name of ["sys-net", "work"]) desk.app.qube(name).features.set("qrexec", true);
	await desk.call("dom0", "internal.SuspendPre");
	fake.takeCalls();
	desk.app.qube("sys-net").addHandler("domain-pre-unpaused", () => {
		throw new Error("broken");
	});
	t.is(await desk.call("dom0", "internal.SuspendPost"), "QubesVMError: not resumed: sys-net: broken");
	t.is(statesOf(desk, "sys-net", "work"), "Suspended Running");
	t.deepEqual(fake.takeCalls(), ["work: root:QUBESRPC qubes.SuspendPostAll dom0"]);
	t.deepEqual(filesOf(desk), []);
});

test.serial("what was begun with a qube is done before it is suspended", async (t) => {
	const desk = open(t, { work: "Running" });
	let goOn = (): void => undefined;
	const begun = new Promise<void>((resolve) => {
		goOn = resolve;
	});
	desk.app.qube("work").addHandler("domain-pre-paused", () => begun, { async: true });
	const pausing = desk.call("work", "admin.vm.Pause");
	const suspending = desk.call("dom0", "internal.SuspendPre");
	await sleep(50);
	t.is(statesOf(desk, "work"), "Running");
	goOn();
	t.deepEqual(await Promise.all([pausing, suspending]), ["", ""]);
	t.is(statesOf(desk, "work"), "Paused");
	await desk.call("dom0", "internal.SuspendPost");
	t.is(statesOf(desk, "work"), "Paused");
});

test.serial("without the file nothing is suspended: it could not be known afterwards who had rested", async (t) => {
	const desk = open(t, { work: "Running" });
	fs.writeFileSync(path.join(desk.dir, "run"), "");
	t.regex(await desk.call("dom0", "internal.SuspendPre"), /^QubesException: cannot (read|write) \S+\/run\/resting-at-suspend: /);
	t.is(statesOf(desk, "work"), "Running");
	fs.rmSync(path.join(desk.dir, "run"));
});
