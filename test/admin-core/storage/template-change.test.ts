// Snapshots follow the template: spec/storage-reflink.md 1.4.
import test from "ava";
import { AdminError } from "../../../admin-core/model/errors.ts";
import { openStorage, POOLS, qube, STORE, type StorageDesk, volume, volumes } from "./storage-desk.ts";

const OTHER =
	'\n    <pool name="other" driver="test-files" revisions_to_keep="1" dir_path="DIR/other" ephemeral_volatile="False"/>';
const NEWER = qube(9, "TemplateVM", "newer", volumes("vm-templates/newer", null).replace('pool="files"', 'pool="other"'));
const ADDED = STORE.replace(POOLS, POOLS + OTHER).replace("  </domains>", `${NEWER}  </domains>`);

function sourceOf(desk: StorageDesk, name: string): string {
	const root = desk.app.qube(name).storage.find("root");
	return `${root?.pool.name}:${root?.vid} of ${root?.source?.pool.name}:${root?.source?.vid}`;
}

test.serial("a qube that gets another template starts as that one, and so do its disposables", async (t) => {
	const desk = await openStorage(t, ADDED);
	t.is(sourceOf(desk, "dvm"), "files:appvms/dvm/root of files:vm-templates/base/root");
	t.is(await desk.call("dvm", "admin.vm.property.Set+template", "newer"), "");
	for (const name of ["dvm", "d1"]) {
		t.is(sourceOf(desk, name), `other:appvms/${name}/root of other:vm-templates/newer/root`);
		t.throws(() => desk.app.pools.get("files").getVolume(`appvms/${name}/root`));
	}
	t.is(sourceOf(desk, "work"), "files:appvms/work/root of files:vm-templates/base/root");
	t.regex(desk.store(), /pool="other" vid="appvms\/d1\/root" .* source="vm-templates\/newer\/root"/);
	t.is(await desk.call("d1", "admin.vm.Start"), "");
	t.regex(
		await desk.call("dvm", "admin.vm.property.Set+template", "base"),
		/^QubesVMNotHaltedError: Cannot change template of dvm while d1/,
	);
	t.is(await desk.call("d1", "admin.vm.Kill"), "");
	t.is(await desk.call("dvm", "admin.vm.property.Set+template", "base"), "");
	t.is(sourceOf(desk, "d1"), "files:appvms/d1/root of files:vm-templates/base/root");
});

test.serial("unknown attributes, revisions to keep and what can be written stay when the template changes", async (t) => {
	const store = STORE.replace(
		/(vid="appvms\/work\/root") revisions_to_keep="1" rw="True"(.*)\/>/,
		'$1 revisions_to_keep="4" rw="False"$2 acme="x"/>',
	);
	const desk = await openStorage(
		t,
		store.replace("  </domains>", `${NEWER.replace('pool="other"', 'pool="files"')}  </domains>`),
	);
	t.is(await desk.call("work", "admin.vm.property.Set+template", "newer"), "");
	t.regex(
		desk.store(),
		/vid="appvms\/work\/root" revisions_to_keep="4" rw="False" .*source="vm-templates\/newer\/root" acme="x"/,
	);
});

test.serial("a template without a volume to start as is refused before anything is changed", async (t) => {
	const broken = ADDED.replace('pool="other" vid="vm-templates/newer/root"', 'pool="none" vid="vm-templates/newer/root"');
	const desk = await openStorage(t, broken);
	t.regex(
		await desk.call("work", "admin.vm.property.Set+template", "newer"),
		/^StoragePoolException: volume root cannot become a copy/,
	);
	t.is(desk.app.qube("work").related("template")?.name, "base");
	t.is(sourceOf(desk, "work"), "files:appvms/work/root of files:vm-templates/base/root");
});

test.serial("volumes go back with a template that somebody refuses when they have followed it", async (t) => {
	const desk = await openStorage(t, ADDED);
	desk.app.qube("dvm").addHandler("property-set:template", (_qube, _event, { newvalue }) => {
		if (newvalue === desk.app.qube("newer")) throw new AdminError("QubesException", "not that one");
	});
	t.is(await desk.call("dvm", "admin.vm.property.Set+template", "newer"), "QubesException: not that one");
	t.is(desk.app.qube("dvm").related("template")?.name, "base");
	for (const name of ["dvm", "d1"]) t.is(sourceOf(desk, name), `files:appvms/${name}/root of files:vm-templates/base/root`);
});

test.serial("a volume whose source somebody named keeps it", async (t) => {
	const named = volume("data", "appvms/work/data", {
		save_on_stop: "False",
		snap_on_start: "True",
		source: "appvms/dvm/private",
	});
	const desk = await openStorage(
		t,
		ADDED.replace(/( *<volume name="kernel".*\n)( *<\/volume-config>\n *<\/domain>\n *<domain id="domain-9")/, `$1${named}\n$2`),
	);
	const source = desk.app.qube("work").storage.find("data")?.source;
	t.is(source?.vid, "appvms/dvm/private");
	t.is(await desk.call("work", "admin.vm.property.Set+template", "newer"), "");
	t.is(desk.app.qube("work").storage.find("data")?.source, source);
});
