// Pools, volumes, copies and devices by the built commands, on the built daemon: what the fake one of the other tests answers is true.
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { type Ended, runToEnd } from "../../support/run-program.ts";
import { House } from "../e2e/house.ts";

const MIB = 2 ** 20;

/** A daemon with a pool on any file system, which is the default one. */
async function open(t: ExecutionContext) {
	const house = await House.open(t);
	const { env } = house;
	const attempt = (command: string, ...args: readonly string[]): Promise<Ended> =>
		runToEnd([path.resolve("dist/bin", command), ...args], { env });
	const run = async (command: string, ...args: readonly string[]): Promise<string> => {
		const { status, stdout, stderr } = await attempt(command, ...args);
		t.is(status, 0, `${command} ${args.join(" ")}: ${stderr}`);
		return stdout;
	};
	await run("qvm-pool", "add", "files", "file-reflink", "-o", `dir_path=${house.path("files")}`, "-o", "setup_check=no");
	await run("qubes-prefs", "default_pool", "files");
	return { house, run, attempt };
}

test("a pool is added, shown, changed and removed", async (t) => {
	const { house, run, attempt } = await open(t);
	t.regex(await run("qvm-pool", "list"), /^files +file-reflink$/m);
	await run("qvm-pool", "set", "files", "-o", "revisions_to_keep=5");
	const info = JSON.parse(await run("qvm-pool", "info", "files", "--json"));
	t.like(info, { name: "files", driver: "file-reflink", dir_path: house.path("files"), revisions_to_keep: 5 });
	t.true(info.size > 0 && info.data_size > 0);
	const second = ["add", "second", "file-reflink", "-o", `dir_path=${house.path("second")}`, "-o", "setup_check=no"] as const;
	await run("qvm-pool", ...second);
	t.regex((await attempt("qvm-pool", ...second)).stderr, /^qvm-pool: error: Failed to add pool second: /);
	await run("qvm-pool", "remove", "second");
	t.is((await attempt("qvm-pool", "remove", "files")).status, 1, "it is the default");
});

test("an image is imported, resized, reverted and cleared", async (t) => {
	const { house, run, attempt } = await open(t);
	await run("qvm-create", "--class", "TemplateVM", "-l", "red", "new");
	const image = Buffer.concat([Buffer.alloc(MIB, "a"), Buffer.alloc(8 * MIB), Buffer.alloc(MIB, "b")]);
	fs.writeFileSync(house.path("image"), image);
	await run("qvm-volume", "import", "new:root", house.path("image"));
	const file = house.path("files/vm-templates/new/root.img");
	t.true(fs.readFileSync(file).equals(image));
	t.true(fs.statSync(file).blocks * 512 < 3 * MIB, "holes stay holes");
	await run("qvm-volume", "resize", "new:root", "12Mi");
	t.is(await run("qvm-volume", "info", "new:root", "size"), `${12 * MIB}\n`);
	t.is((await attempt("qvm-volume", "resize", "new:root", "1Mi")).status, 1);
	const short = await attempt("qvm-volume", "import", "new:root", house.path("image"), "--no-resize");
	const message = `Data import failed: not enough data: got ${10 * MIB} of ${12 * MIB} bytes`;
	t.deepEqual([short.status, short.stderr], [1, `qvm-volume: error: ${message}\n`]);
	t.is(fs.statSync(file).size, 12 * MIB);
	await run("qvm-volume", "clear", "--force", "new:root");
	t.is(fs.statSync(file).blocks, 0);
	await run("qvm-volume", "revert", "new:root");
	t.true(fs.readFileSync(file).subarray(0, image.length).equals(image));
});

test("a qube is copied with its volumes, its settings and its devices", async (t) => {
	const { house, run } = await open(t);
	fs.writeFileSync(house.path("image"), Buffer.alloc(MIB, "x"));
	await run("qvm-create", "--class", "TemplateVM", "-l", "red", "old", "-r", house.path("image"), "--prop", "memory=600");
	await run("qvm-tags", "old", "add", "mine");
	await run("qvm-features", "old", "gui", "1");
	await run("qvm-block", "assign", "old", "dom0:sda", "--port", "--ro", "--required");
	await run("qvm-clone", "old", "copy");
	t.is(await run("qvm-prefs", "copy", "memory"), "600\n");
	t.regex(await run("qvm-tags", "copy"), /^mine$/m);
	t.is(await run("qvm-features", "copy", "gui"), "1\n");
	const used = JSON.parse(await run("qvm-block", "list", "-s", "copy", "--json"));
	t.deepEqual(used[0].assigned, [{ frontend: "copy", mode: "required", options: { "read-only": "yes" } }]);
	const roots = ["old", "copy"].map((name) => fs.readFileSync(house.path(`files/vm-templates/${name}/root.img`)));
	t.true(roots[0]?.equals(roots[1] as Buffer));
	await run("qvm-create", "--standalone", "-t", "old", "-l", "green", "alone");
	t.is(await run("qvm-prefs", "alone", "label"), "green\n");
	t.is(fs.statSync(house.path("files/appvms/alone/root.img")).size, MIB);
	await run("qvm-block", "unassign", "copy");
	t.is(await run("qvm-block", "list", "-s", "copy"), "");
});

test("a copy that fails leaves nothing", async (t) => {
	const { run, attempt } = await open(t);
	await run("qvm-create", "--class", "TemplateVM", "-l", "red", "old");
	const before = await run("qvm-ls", "--raw-list");
	const { status, stderr } = await attempt("qvm-clone", "old", "copy", "-P", "nosuch");
	t.is(status, 1);
	t.regex(stderr, /^qvm-clone: error: .*nosuch/);
	t.is(await run("qvm-ls", "--raw-list"), before);
});

test("what a device class or a pool is not is told", async (t) => {
	const { run, attempt } = await open(t);
	t.regex(await run("qvm-device", "--list-device-classes"), /^usb$/m);
	for (const [line, error] of [
		[["qvm-device", "nosuch", "list"], /no such method/],
		[["qvm-volume", "info", "work:nosuch"], /no such volume: 'work:nosuch'/],
		[["qvm-pool", "info", "nosuch"], /no such pool: 'nosuch'/],
		[["qvm-block", "attach", "work", "dom0:nosuch"], /dom0 has no block device/],
	] as const) {
		const [command, ...args] = line;
		const { status, stderr } = await attempt(command, ...args);
		t.true(status === 1 || status === 2, command);
		t.regex(stderr, error);
	}
});
