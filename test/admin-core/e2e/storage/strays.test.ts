// Images in the directory of a pool that belong to no qube (issue 4, point 3): the built qubesd warns of them at its start, of nothing else, and leaves them.
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { make } from "../../../storage-reflink/images.ts";
import type { House } from "../house.ts";
import { prepareFurnished } from "../sequences/furnished.ts";
import { scenario } from "./stage.ts";

/** Makes images, each with 8 KiB of data, of which the file system knows how much it has allocated; returns their directory. */
function lay(directory: string, ...names: readonly string[]): string {
	fs.mkdirSync(directory, { recursive: true });
	for (const name of names) {
		make(path.join(directory, name), "A");
		const file = fs.openSync(path.join(directory, name), "r+");
		fs.fsyncSync(file);
		fs.closeSync(file);
	}
	return directory;
}

/** The warnings of one run of the daemon. */
async function warningsOf(house: House): Promise<string[]> {
	house.logged = "";
	await house.start();
	// Who answers also minds signals: before that one would end it at once.
	await house.call("admin.vm.List+ dom0 name dom0\0");
	await house.stop();
	return house.logged.split("\n").filter((line) => line.includes(" of no qube "));
}

function edit(house: House, change: (store: string) => string): void {
	fs.writeFileSync(house.path("qubes.xml"), change(house.store()));
}

/** Adds a pool to the store. */
function addPool(house: House, name: string, driver: string, dir: string): void {
	edit(house, (store) => store.replace("</pools>", `  <pool name="${name}" driver="${driver}" dir_path="${dir}"/>\n  </pools>`));
}

const REMOVE = "as a creation or removal leaves that was broken off: remove the directory if nobody needs it";
const REPLACED = "of that name in this pool, which replaces the images of its volumes";
const ADVICE = `${REMOVE}, or create a qube that is no template ${REPLACED}`;
const TEMPLATE_ADVICE = `${REMOVE}, or create a template ${REPLACED}`;

test("each start warns of images of no qube, a line for each directory, and leaves them", async (t) => {
	const house = prepareFurnished(t);
	const gone = lay(house.path("images/appvms/gone"), "private.img", "private.img.3@2026-08-17T08:00:01Z");
	const old = lay(house.path("images/vm-templates/old"), "root.img~ab_12345");
	const wanted = [
		`pool main: "${gone}" has 2 images of no qube (16384 bytes), ${ADVICE}`,
		`pool main: "${old}" has an image of no qube (8192 bytes), ${TEMPLATE_ADVICE}`,
	];
	t.deepEqual([await warningsOf(house), await warningsOf(house)], [wanted, wanted]);
	t.deepEqual(fs.readdirSync(gone), ["private.img", "private.img.3@2026-08-17T08:00:01Z"]);
	t.deepEqual(fs.readdirSync(old), ["root.img~ab_12345"]);
});

test("a qube of that name replaces the images of its volumes, and nothing is warned of any more", async (t) => {
	const house = prepareFurnished(t);
	const gone = lay(
		house.path("images/appvms/gone"),
		"private.img",
		"private.img.3@2026-08-17T08:00:01Z",
		"root-dirty.img",
		"x.img",
	);
	t.is((await warningsOf(house)).length, 1);
	await house.start();
	t.is(await house.call("admin.vm.Create.AppVM+base dom0 name dom0\0name=gone label=red"), "0\0");
	await house.stop();
	t.deepEqual(
		fs.readdirSync(gone).filter((name) => !name.startsWith("private-precache")),
		["private.img", "x.img"],
	);
	t.is(fs.statSync(path.join(gone, "private.img")).blocks, 0);
	t.deepEqual(await warningsOf(house), []);
});

test("a template replaces what lies where templates are, and a qube that is none does not make it its own", async (t) => {
	const house = prepareFurnished(t);
	const gone = lay(house.path("images/vm-templates/gone"), "root.img");
	const work = lay(house.path("images/vm-templates/work"), "root.img");
	const base = lay(house.path("images/appvms/base"), "root.img");
	const warning = (directory: string, advice: string): string =>
		`pool main: "${directory}" has an image of no qube (8192 bytes), ${advice}`;
	const own = [warning(base, REMOVE), warning(gone, TEMPLATE_ADVICE), warning(work, REMOVE)];
	t.deepEqual(await warningsOf(house), own);
	await house.start();
	t.is(await house.call("admin.vm.Create.AppVM+base dom0 name dom0\0name=gone label=red"), "0\0");
	await house.stop();
	t.deepEqual(await warningsOf(house), [warning(base, REMOVE), warning(gone, REMOVE), warning(work, REMOVE)]);
	await house.start();
	t.is(await house.call("admin.vm.Remove+ dom0 name gone\0"), "0\0");
	t.is(await house.call("admin.vm.Create.TemplateVM+ dom0 name dom0\0name=gone label=red"), "0\0");
	await house.stop();
	t.is(fs.statSync(path.join(gone, "root.img")).blocks, 0);
	t.deepEqual(await warningsOf(house), [warning(base, REMOVE), warning(work, REMOVE)]);
});

test("a directory is named in one line, and as it is called", async (t) => {
	const house = prepareFurnished(t);
	lay(house.path('images/appvms/new\nline "x"'), "private.img");
	const [line = ""] = await warningsOf(house);
	t.true(line.includes(`/appvms/new\\nline "x"" has an image of no qube`), line);
});

scenario(
	"a system with all sorts of qubes, at rest, running, and after a crash, is warned of nothing",
	"BX",
	async (t, stage) => {
		await stage.run("work", "A");
		await stage.run("base", "R", "root");
		await stage.expect(
			["dom0", "admin.vm.Create.DispVM+dvm", "name=disp label=red", ""],
			...["work", "solo", "base", "disp"].map((qube) => [qube, "admin.vm.Start", "", ""] as const),
			["dom0", "admin.vm.CreateDisposable", "", /^disp\d+$/],
		);
		stage.make("appvms/work/root-cow.img", "w");
		stage.make("appvms/work/notes.img.old", "w");
		await stage.crash();
		await stage.restart();
		t.true(stage.names("work").length > 2);
		await stage.house.stop();
		t.regex(stage.house.logged, /renamed ".*private-dirty\.img"/);
		t.notRegex(stage.house.logged, / of no qube /);
	},
);

const silent = test.macro(async (t: ExecutionContext, arrange: (house: House) => void) => {
	const house = prepareFurnished(t);
	arrange(house);
	t.deepEqual(await warningsOf(house), []);
});

test("qubes whose volumes cannot be made are not called gone", silent, (house) => {
	lay(house.path("images/appvms/elsewhere"), "private.img");
	edit(house, (store) =>
		store
			.replace(/vid="appvms\/work(\/private" .*?)revisions_to_keep="1"/, 'vid="appvms/elsewhere$1revisions_to_keep="many"')
			.replaceAll(/<volume name="\w+" vid="appvms\/solo[^>]*>/g, "")
			.replaceAll(/(vid="appvms\/dvm\/\w+") pool="main"/g, '$1 pool="none"')
			.replace('<property name="default_pool">main</property>', ""),
	);
});

test("a pool of the driver file and one that is not there have no images of no qube", silent, (house) => {
	lay(house.path("images/appvms/gone"), "private.img");
	edit(house, (store) => store.replace('driver="file-reflink"', 'driver="file"'));
	addPool(house, "away", "file-reflink", house.path("away"));
});

test("pools in one place do not call the qubes of the other gone, by whatever path", silent, (house) => {
	fs.symlinkSync(house.path("images"), house.path("link"));
	addPool(house, "same", "file-reflink", house.path("link"));
	addPool(house, "foreign", "file", house.path("images"));
	edit(house, (store) =>
		store
			.replaceAll(/(vid="appvms\/solo\/\w+") pool="main"/g, '$1 pool="same"')
			.replaceAll(/(vid="appvms\/dvm\/\w+") pool="main"/g, '$1 pool="foreign"'),
	);
});

test("pools within others are let alone, and what is in two pools is told once", async (t) => {
	const house = prepareFurnished(t);
	const gone = lay(house.path("images/appvms/gone"), "private.img");
	addPool(house, "same", "file-reflink", house.path("images/"));
	addPool(house, "inner", "file-reflink", house.path("images/appvms/inner"));
	addPool(house, "deep", "file-reflink", house.path("images/appvms/holder/deep"));
	lay(house.path("images/appvms/inner"), "private.img");
	lay(house.path("images/appvms/holder"), "private.img");
	fs.mkdirSync(house.path("images/appvms/holder/deep"));
	t.deepEqual(await warningsOf(house), [`pool main: "${gone}" has an image of no qube (8192 bytes), ${ADVICE}`]);
	addPool(house, "around", "linux-kernel", house.path("images/appvms"));
	t.deepEqual(await warningsOf(house), []);
});
