// The built qubesd with pools on a real disk, over a real socket: spec/storage-reflink.md 1.8, 9; spec/admin-core.md 8.5 to 8.7, 9.2.
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { build } from "esbuild";
import { House } from "../e2e/house.ts";
import { makeKernel, STORE, TEST_PLUGINS } from "./storage-desk.ts";

const DRIVER = path.join(TEST_PLUGINS, "test-files");

/** The folder with the driver of the tests, bundled as plugins are. */
async function buildDriver(house: House): Promise<void> {
	fs.mkdirSync(house.path("plugins/test-files"), { recursive: true });
	const manifest = JSON.parse(fs.readFileSync(path.join(DRIVER, "manifest.json"), "utf8"));
	fs.writeFileSync(house.path("plugins/test-files/manifest.json"), JSON.stringify({ ...manifest, module: "./index.cjs" }));
	const outfile = house.path("plugins/test-files/index.cjs");
	await build({ entryPoints: [path.join(DRIVER, "index.ts")], bundle: true, platform: "node", format: "cjs", outfile });
}

/** A house with the usual store, without a daemon; `edit` may change the text of the store. */
async function prepare(t: ExecutionContext, edit: (store: string) => string = (store) => store): Promise<House> {
	const options: string[] = [];
	const house = House.prepare(t, "", options);
	options.push("--plugins", house.path("plugins"), "--run-dir", house.path("run"));
	fs.writeFileSync(house.path("qubes.xml"), edit(STORE).replaceAll("DIR", house.dir));
	makeKernel(house.dir, "6.1");
	await buildDriver(house);
	return house;
}

/** Makes images of 4 KiB, each with a text at its start. */
function makeImages(house: House, images: { readonly [file: string]: string }): void {
	for (const [file, text] of Object.entries(images)) {
		fs.mkdirSync(path.dirname(house.path(`files/${file}`)), { recursive: true });
		fs.writeFileSync(house.path(`files/${file}`), text);
		fs.truncateSync(house.path(`files/${file}`), 4096);
	}
}

const AT_REST = {
	"vm-templates/base/root.img": "R",
	"vm-templates/base/private.img": "",
	"appvms/work/private.img": "old",
	"appvms/dvm/private.img": "D",
};

function textOf(house: House, file: string): string {
	return fs.readFileSync(house.path(`files/${file}`), "latin1").replace(/\0+$/, "");
}

function filesOf(house: House, qube: string): string[] {
	return fs.existsSync(house.path(`files/appvms/${qube}`)) ? fs.readdirSync(house.path(`files/appvms/${qube}`)).sort() : [];
}

test("before anybody can call, what a power cut left running is kept or thrown away", async (t) => {
	const house = await prepare(t);
	makeImages(house, { ...AT_REST, "appvms/work/private-dirty.img": "new", "appvms/work/volatile-dirty.img": "v" });
	makeImages(house, { "appvms/d1/private-dirty.img": "secret", "appvms/d1/root-dirty.img": "r" });
	fs.mkdirSync(house.path("run"));
	fs.writeFileSync(house.path("run/volume-running-files:appvms-work-private"), "");
	await house.start();
	t.is(textOf(house, "appvms/work/private.img"), "new");
	t.is(textOf(house, "appvms/work/private.img.1"), "old");
	t.deepEqual(filesOf(house, "work"), ["private.img", "private.img.1"]);
	t.deepEqual(filesOf(house, "d1"), []);
	t.deepEqual(fs.readdirSync(house.path("run")), []);
});

test("a volume that cannot be stopped at the start is logged, and keeps nobody else from it", async (t) => {
	const house = await prepare(t);
	makeImages(house, { ...AT_REST, "appvms/work/private-dirty.img": "new" });
	fs.mkdirSync(house.path("files/appvms/d1/root-dirty.img/x"), { recursive: true });
	await house.start();
	t.is(textOf(house, "appvms/work/private.img"), "new");
	await house.stop();
	t.regex(house.logged, /cannot stop the volumes of d1: .*root-dirty\.img/);
});

test("a daemon whose pools are not there starts, and says so to who wants to start a qube", async (t) => {
	const house = await prepare(t, (store) => store.replaceAll("DIR/kernels", "DIR/no-kernels"));
	await house.start();
	t.is(await house.call("admin.pool.List+ dom0 name dom0\0"), "0\0files\nkernels\n");
	t.is(
		await house.call("admin.pool.Info+kernels dom0 name dom0\0"),
		`0\0dir_path=${house.dir}/no-kernels\ndriver=linux-kernel\nname=kernels\n`,
	);
	t.regex(await house.call("admin.vm.Start+ dom0 name work\0"), /^2\0StoragePoolException\0\0missing /);
	t.regex(await house.call("admin.vm.volume.Info+root dom0 name work\0"), /^0\0pool=files\n/);
});

test("qubes are made, run, cloned and removed over the socket, and all of it is there after a restart", async (t) => {
	const house = await prepare(t);
	makeImages(house, AT_REST);
	await house.start();
	const call = (method: string, where: string, payload = ""): Promise<string> =>
		house.call(`${method} dom0 name ${where}\0${payload}`);
	t.is(await call("admin.vm.CreateInPool.AppVM+base", "dom0", "name=mail label=red pool=files"), "0\0");
	const token = (await call("admin.vm.volume.CloneFrom+private", "work")).slice(2);
	t.is(await call("admin.vm.volume.CloneTo+private", "mail", token), "0\0");
	t.is(textOf(house, "appvms/mail/private.img"), "old");
	t.is(await call("admin.vm.Start", "mail"), "0\0");
	t.true(fs.existsSync(house.path("run/volume-running-files:appvms-mail-private")));
	fs.writeFileSync(house.path("files/appvms/mail/private-dirty.img"), "mine");
	await house.stop("SIGKILL");
	// What the house takes for the sign that a daemon listens.
	fs.rmSync(house.path("internal.sock"));
	await house.start();
	t.is(textOf(house, "appvms/mail/private.img"), "mine");
	t.is(await call("admin.vm.volume.ListSnapshots+private", "mail"), "0\x002\n");
	t.is(await call("admin.vm.Remove", "mail"), "0\0");
	t.deepEqual(filesOf(house, "mail"), []);
	const name = (await call("admin.vm.CreateDisposable", "dvm")).slice(2);
	t.regex(house.store(), new RegExp(`>${name}<`));
	t.is(await call("admin.vm.Start", name), "0\0");
	t.is(await call("admin.vm.Kill", name), "0\0");
	t.notRegex(house.store(), new RegExp(`>${name}<`));
});

test("imports go through the internal socket only", async (t) => {
	const house = await prepare(t);
	makeImages(house, AT_REST);
	await house.start();
	const begin = "internal.vm.volume.ImportBegin+private dom0 name work\0";
	t.regex(await house.call(begin), /^2\0ProtocolError/);
	const file = house.path("files/appvms/work/private-import.img");
	t.is(await house.call(`${begin}8192`, "internal.sock"), `0\x008192 ${file}`);
	fs.writeFileSync(file, "imported", { flag: "r+" });
	t.is(await house.call("internal.vm.volume.ImportEnd+private dom0 name work\0ok", "internal.sock"), "0\0");
	t.is(textOf(house, "appvms/work/private.img"), "imported");
	t.regex(house.store(), /vid="appvms\/work\/private" .*size="8192"/);
});

test("a driver that throws where it should not takes nobody else down, and the store keeps what it says of its volumes", async (t) => {
	const house = await prepare(t);
	makeImages(house, AT_REST);
	await house.start();
	t.is(await house.call("admin.vm.volume.Set.revisions_to_keep+private dom0 name work\x005"), "0\0");
	const volumesOf = (store: string): string[] => store.split("\n").filter((line) => line.includes("<volume "));
	const before = volumesOf(house.store());
	t.true(before.some((line) => /vid="appvms\/work\/private".*revisions_to_keep="5"/.test(line)));
	fs.renameSync(house.path("files/appvms"), house.path("files/away"));
	fs.writeFileSync(house.path("files/appvms"), "");
	for (const value of ["1", "2"]) {
		t.is(await house.call(`admin.vm.feature.Set+x dom0 name work\0${value}`), "0\0");
		t.true(house.store().includes(`<feature name="x">${value}</feature>`));
		t.deepEqual(volumesOf(house.store()), before);
		await house.stop();
		t.regex(house.logged, /what the store says of volume private of work stays, as its driver fails: ENOTDIR/);
		house.logged = "";
		await house.start();
		t.regex(
			house.logged,
			/cannot stop the volumes of work: .*root-dirty(.*\n)+cannot stop the volumes of work: .*volatile-dirty/,
		);
	}
	await house.stop();
});

test("listeners are told of pools and volumes by name", async (t) => {
	const house = await prepare(t);
	makeImages(house, AT_REST);
	await house.start();
	const socket = net.connect({ path: house.path("qubesd.sock"), allowHalfOpen: true });
	t.teardown(() => socket.destroy());
	let received = "";
	socket.on("data", (chunk) => {
		received += chunk.toString("latin1");
	});
	socket.end("admin.Events+ dom0 name dom0\0");
	const until = async (text: string): Promise<void> => {
		while (!received.includes(text)) await new Promise((resolve) => setTimeout(resolve, 10));
	};
	await until("connection-established");
	await house.call(`admin.pool.Add+test-files dom0 name dom0\0name=new\ndir_path=${house.dir}/new`);
	await until("1\0\0pool-add\0pool\0new\0\0");
	await house.call("admin.pool.Remove+new dom0 name dom0\0");
	await until("1\0\0pool-pre-delete\0pool\0new\0\x001\0\0pool-delete\0pool\0new\0\0");
	const token = (await house.call("admin.vm.volume.CloneFrom+private dom0 name dvm\0")).slice(2);
	await house.call(`admin.vm.volume.CloneTo+private dom0 name work\0${token}`);
	await until("1\0work\0domain-import-volume\0name\0private\0source\0appvms/dvm/private\0\0");
	await house.call("admin.vm.volume.Clear+private dom0 name work\0");
	await until("1\0work\0domain-volume-import-begin\0volume\0private\0size\x004096\0\0");
	await until("1\0work\0domain-volume-import-end\0volume\0private\0success\0True\0\0");
	t.pass();
});

test("a qubesd that is told to end waits for its pools, and only the drivers of the store were loaded", async (t) => {
	const house = await prepare(t);
	makeImages(house, AT_REST);
	await house.start();
	await house.run("qubes-prefs");
	const loaded = house.logged.match(/^plugin [\w-]+(?=: loaded)/gm)?.sort();
	t.true(loaded?.includes("plugin test-files"));
	for (const name of ["features", "volumes", "pools", "lifecycle", "storage-reflink"])
		t.false(loaded?.includes(`plugin ${name}`), name);
	await house.stop();
	t.true(fs.existsSync(house.path("settled-files")));
});
