// What fails late: what is undone by then may have been saved by another call, and what stands has to be saved. spec/admin-core.md 1.4, 12 (12).
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import type { Emitter } from "../../../admin-core/model/events/emitter.ts";
import type { Qube } from "../../../admin-core/model/qubes/qube.ts";
import { qubesPrograms } from "../../../admin-core/system/programs.ts";
import { QubesPrograms } from "../../support/qubes-programs.ts";
import { makeDeviceHouse } from "../model/devices/dock.ts";
import { openStorage, type StorageDesk } from "../storage/storage-desk.ts";
import { openDesk } from "./desk.ts";
import { openDeskWithDirs } from "./qube-dirs.ts";

const NO = "QubesException: no";

function refuse(): never {
	throw new AdminError("QubesException", "no");
}

/** From now on the first one to be told of an event refuses, when another call has changed a qube and was saved. */
function refuseLate(emitter: Emitter, event: string, change: () => Promise<string>): void {
	const handler = async (): Promise<never> => {
		emitter.removeHandler(event, handler);
		await change();
		return refuse();
	};
	emitter.addHandler(event, handler);
}

function tag(desk: StorageDesk): Promise<string> {
	return desk.call("work", "admin.vm.tag.Set+other");
}

function addPool(desk: StorageDesk): Promise<string> {
	return desk.call("dom0", "admin.pool.Add+test-files", `name=new\ndir_path=${desk.dir}/new`);
}

test.serial("a qube that was saved while it was made, and is not made, is saved away", async (t) => {
	const desk = await openStorage(t);
	desk.app.addHandler("domain-add", (_app, _event, { vm }) => refuseLate(vm as Qube, "domain-create-on-disk", () => tag(desk)));
	t.is(await desk.call("dom0", "admin.vm.Create.AppVM+base", "name=new label=red"), NO);
	t.is(desk.saved, 2);
	t.notRegex(desk.store(), /name="name">new</);
});

test.serial(
	"so is a pool that was saved while it was added; one that is gone stays so, whatever who is told of it thinks",
	async (t) => {
		const desk = await openStorage(t);
		refuseLate(desk.app, "pool-add", () => tag(desk));
		t.is(await addPool(desk), NO);
		t.is(desk.saved, 2);
		t.is(await addPool(desk), "");
		t.is(desk.saved, 3);
		desk.app.addHandler("pool-delete", refuse);
		t.is(await desk.call("dom0", "admin.pool.Remove+new"), NO);
		t.is(desk.app.pools.find("new"), null);
		t.is(desk.saved, 4);
	},
);

test.serial("an assignment that is undone is saved as it is then", async (t) => {
	const app = makeDeviceHouse();
	const desk = openDesk(t, app);
	refuseLate(app.qube("work"), "device-assign:block", () => desk.call("work", "admin.vm.tag.Set+other"));
	t.is(await desk.call("work", "admin.vm.device.block.Assign+sys-usb+sda", "mode='required'"), NO);
	t.is(await desk.call("work", "admin.vm.device.block.Assigned"), "");
	t.is(desk.saved, 2);
});

test.serial("features that a qube asked for and got are saved, also when a handler fails after that", async (t) => {
	const programs = new QubesPrograms();
	const desk = openDeskWithDirs(t, { programs: qubesPrograms() });
	programs.setQubesDb("base", "/features-request/qrexec = 1");
	desk.app.qube("base").addHandler("template-postinstall", refuse);
	t.is(await desk.call("base>dom0", "qubes.FeaturesRequest"), NO);
	t.is(desk.app.qube("base").features.get("qrexec"), "1");
	t.is(desk.saved, 1);
});

test.serial(
	"a handler that is told of a removal cannot stop it half-way: the disk is cleared, the store saved, the error told",
	async (t) => {
		const desk = await openStorage(t);
		const name = await desk.call("work>dvm", "admin.vm.CreateDisposable");
		await desk.call(name, "admin.vm.Start");
		const { saved } = desk;
		desk.app.addHandler("domain-delete", refuse);
		t.is(await desk.call("work", "admin.vm.Remove"), NO);
		t.is(desk.app.find("work"), null);
		t.deepEqual(desk.files("work"), []);
		t.is(desk.saved, saved + 1);
		t.is(await desk.call(name, "admin.vm.Kill"), "");
		t.deepEqual(desk.files(name), []);
		t.is(desk.saved, saved + 2);
	},
);
