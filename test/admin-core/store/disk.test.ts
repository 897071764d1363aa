// A disk that is full, and directories that may not be written to.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "ava";
import { StoreFile } from "../../../admin-core/store/store-file.ts";
import { numbered, numberOf } from "./numbered.ts";
import { buildProgram, makeFolder, makeStore, namesIn, read, refusalOf, write } from "./stage.ts";

/** Somebody who owns nothing. */
const NOBODY = 65_534;

test.serial("on a full disk a save is refused, the old file is left whole, and the next one that fits works", (t) => {
	const folder = makeFolder(t);
	// A name space of its own, so that the file system is gone with the program, however it ends.
	const unshare = ["--mount", ...(process.geteuid?.() === 0 ? [] : ["--map-root-user"])];
	const script = 'mount -t tmpfs -o size=128k none "$1" && shift && exec "$@"';
	const program = buildProgram("full-disk.ts", folder);
	const mounted = path.join(folder, "disk");
	fs.mkdirSync(mounted);
	const { stdout, stderr, status } = spawnSync("unshare", [...unshare, "sh", "-c", script, "sh", mounted, ...program, mounted], {
		encoding: "utf8",
	});
	t.is(status, 0, `the test has to mount a small file system: ${stderr}`);
	const file = path.join(mounted, "qubes.xml");
	t.deepEqual(JSON.parse(stdout), {
		refused: [
			`system: cannot write ${file}: the disk is full: make room`,
			`system: cannot write ${file}: the disk is full: make room`,
		],
		namesAfter: ["qubes.xml", "qubes.xml.lock"],
		textAfter: write(numbered(1)),
		saved: 5,
	});
});

test.serial("in a directory that may not be written to a save is refused and the file is left whole", async (t) => {
	const { folder, file } = makeStore(t, write(numbered(1)));
	const store = await StoreFile.open(file);
	await store.load();
	await asNobody(folder, async () => {
		t.is(
			await refusalOf(t, store.save(numbered(2))),
			`system cannot write ${file}: not permitted: run as root or as a member of the group of the file`,
		);
	});
	t.deepEqual(namesIn(folder), ["qubes.xml"]);
	t.is(numberOf(read(fs.readFileSync(file, "utf8")).data), 1);
	await store.save(numbered(3));
	t.is(numberOf(read(fs.readFileSync(file, "utf8")).data), 3);
	await store.close();
});

test.serial("in a directory that may not be written to no store can be opened", async (t) => {
	const { folder, file } = makeStore(t);
	await asNobody(folder, async () => {
		t.is(
			await refusalOf(t, StoreFile.open(file)),
			`system cannot open the lock file ${file}.lock: not permitted: run as root or as a member of the group of the file`,
		);
	});
	t.deepEqual(fs.readdirSync(folder), ["qubes.xml"]);
});

test.serial("a lock file that is a symbolic link is not followed", async (t) => {
	const { folder, file } = makeStore(t);
	fs.writeFileSync(path.join(folder, "victim"), "precious");
	fs.symlinkSync("victim", `${file}.lock`);
	t.is(
		await refusalOf(t, StoreFile.open(file)),
		`system cannot open the lock file ${file}.lock: it is a symbolic link: remove it`,
	);
	t.is(fs.readFileSync(path.join(folder, "victim"), "utf8"), "precious");
});

test.serial("without the program flock the message says what to install", async (t) => {
	const { file } = makeStore(t);
	const old = process.env["PATH"];
	process.env["PATH"] = "/nowhere";
	try {
		t.is(await refusalOf(t, StoreFile.open(file)), "system there is no program flock: install util-linux");
	} finally {
		process.env["PATH"] = old;
	}
});

/** Runs a step as somebody who may look into a folder but not write there: root may write everywhere. */
async function asNobody(folder: string, step: () => Promise<void>): Promise<void> {
	fs.chmodSync(folder, 0o555);
	const isRoot = process.geteuid?.() === 0;
	if (isRoot) process.seteuid?.(NOBODY);
	try {
		await step();
	} finally {
		if (isRoot) process.seteuid?.(0);
		fs.chmodSync(folder, 0o755);
	}
}
