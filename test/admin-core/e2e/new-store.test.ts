// A store that did not exist before, from nothing to a qube that runs: qubes-create (spec 5.6), and what README says can be done with it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { runToEnd } from "../../support/run-program.ts";
import { xmllint } from "../../support/xmllint.ts";
import { House } from "./house.ts";

function makeFolder(t: ExecutionContext): string {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "qubes-create-"));
	t.teardown(() => fs.rmSync(dir, { recursive: true }));
	return dir;
}

function create(...args: readonly string[]) {
	return runToEnd([path.resolve("dist/bin/qubes-create"), ...args]);
}

test("a new store has labels, kernels and dom0, is valid, and takes a pool and qubes", async (t) => {
	const file = path.join(makeFolder(t), "new/qubes.xml");
	t.is((await create("--store", file)).status, 0);
	const text = fs.readFileSync(file, "utf8");
	t.is(xmllint(t, text), "- validates");
	t.regex(text, /<pool name="linux-kernel" driver="linux-kernel" dir_path="[^"]*\/new\/vm-kernels"\/>/);
	const house = await House.open(t, { store: text });
	const images = house.path("images");
	const stream = await house.listen("admin.Events+ dom0 name dom0\0");
	const pool = await house.run("qvm-pool", "add", "main", "file-reflink", "-o", `dir_path=${images}`, "-o", "setup_check=no");
	t.is(pool.stderr, "");
	await stream.until(/\0pool-add\0pool\0main\0\0/);
	stream.close();
	await house.run("qubes-prefs", "default-pool", "main");
	t.is((await house.run("qvm-create", "--class", "TemplateVM", "-l", "black", "base")).stderr, "");
	await house.run("qubes-prefs", "default-template", "base");
	t.is((await house.run("qvm-create", "-l", "green", "mail")).stderr, "");
	t.is(await house.call("admin.vm.Start+ dom0 name mail\0"), "0\0");
	t.deepEqual(fs.readdirSync(path.join(images, "appvms/mail")).sort(), [
		...["private-dirty.img", "private.img", "root-dirty.img", "root.img", "volatile-dirty.img"],
	]);
	t.is(await house.call("admin.vm.Shutdown+wait dom0 name mail\0"), "0\0");
	t.deepEqual(fs.readdirSync(path.join(images, "appvms/mail")).sort()[0], "private.img");
	t.is(xmllint(t, house.store()), "- validates");
	t.is((await house.run("qvm-remove", "-f", "mail")).status, 0);
	t.false(fs.existsSync(path.join(images, "appvms/mail")));
});

test("with a driver there is a pool for qubes too, beside the store", async (t) => {
	const dir = makeFolder(t);
	const file = path.join(dir, "qubes.xml");
	t.is(
		(await create("--store", file, "--driver", "file-reflink", "-o", "setup_check=no", "-o", "revisions_to_keep=2")).status,
		0,
	);
	t.regex(fs.readFileSync(file, "utf8"), /<pool name="varlibqubes" driver="file-reflink" revisions_to_keep="2" dir_path="[^"]+"/);
	t.deepEqual(fs.readdirSync(dir).sort(), ["appvms", "qubes.xml", "qubes.xml.lock", "vm-kernels", "vm-templates"]);
});

const REFUSED: { readonly [fact: string]: readonly [args: readonly string[], message: RegExp] } = {
	"a driver that is not there": [["--driver", "nosuch"], /^there is no storage driver 'nosuch'$/m],
	"an option that the driver does not have": [
		["--driver", "file-reflink", "-o", "a=b"],
		/^Unexpected driver options found: a: want revisions_to_keep, dir_path, /m,
	],
	"an option without a value": [["--driver", "file-reflink", "-o", "a"], /^-o a: want KEY=VALUE$/m],
};
for (const [fact, [args, message]] of Object.entries(REFUSED)) {
	test(`${fact} is refused, and there is no store`, async (t) => {
		const file = path.join(makeFolder(t), "qubes.xml");
		const { status, stderr } = await create("--store", file, ...args);
		t.is(status, 1);
		t.regex(stderr, message);
		t.false(fs.existsSync(file));
	});
}

const MISUSED: { readonly [args: string]: RegExp } = {
	"-o dir_path=/x": /^qubes-create: error: Implications failed: option -> driver$/m,
	"--nosuch": /^qubes-create: error: Unknown argument: nosuch$/m,
	extra: /^qubes-create: error: Unknown argument: extra$/m,
};
for (const [args, message] of Object.entries(MISUSED)) {
	test(`qubes-create ${args} is a usage error, and there is no store`, async (t) => {
		const file = path.join(makeFolder(t), "qubes.xml");
		const { status, stderr } = await create("--store", file, ...args.split(" "));
		t.is(status, 2);
		t.regex(stderr, /^usage: qubes-create \[OPTION\.\.\.\]\n/);
		t.regex(stderr, message);
		t.false(fs.existsSync(file));
	});
}

test("--force-root changes nothing and is not in the help", async (t) => {
	const file = path.join(makeFolder(t), "qubes.xml");
	t.deepEqual(await create("--force-root", "--store", file), await create("--store", path.join(makeFolder(t), "qubes.xml")));
	t.true(fs.existsSync(file));
	const help = await create("--help");
	t.is(help.status, 0);
	t.regex(help.stdout, /--store/);
	t.notRegex(help.stdout, /force-root/);
});

test("a store that is there is left as it is", async (t) => {
	const file = path.join(makeFolder(t), "qubes.xml");
	fs.writeFileSync(file, "mine");
	const { status, stderr } = await create("--store", file);
	t.deepEqual([status, stderr], [1, `${file} is there already: it is left as it is\n`]);
	t.is(fs.readFileSync(file, "utf8"), "mine");
});
