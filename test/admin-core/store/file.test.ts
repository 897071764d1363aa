// The file on the disk: what a save keeps, what it refuses, and what lies beside it (spec 5.5).
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { StoreFile, type StoreOptions } from "../../../admin-core/store/store-file.ts";
import { numbered, numberOf } from "./numbered.ts";
import { EXAMPLE, makeFolder, makeStore, namesIn, read, refusalOf, write } from "./stage.ts";

async function opened(t: ExecutionContext, file: string, options: StoreOptions = {}): Promise<StoreFile> {
	const store = await StoreFile.open(file, options);
	t.teardown(() => store.close());
	return store;
}

function text(file: string): string {
	return fs.readFileSync(file, "utf8");
}

test("a store that is loaded and saved has the same bytes, and a backup beside it has them too", async (t) => {
	const { folder, file } = makeStore(t);
	const store = await opened(t, file);
	const { data, warnings } = await store.load();
	t.deepEqual(warnings, []);
	await store.save(data);
	t.is(text(file), EXAMPLE);
	const [, backup, ...others] = namesIn(folder);
	t.regex(backup ?? "", /^qubes\.xml\.bak-\d{8}T\d{6}\.\d{3}Z$/);
	t.is(text(path.join(folder, backup as string)), EXAMPLE);
	t.deepEqual(others, []);
});

test("a backup is made before the first save of a session only, and the newest three are kept", async (t) => {
	const { folder, file } = makeStore(t, write(numbered(0)));
	for (let session = 0; session < 5; session++) {
		const store = await StoreFile.open(file);
		await store.load();
		for (let save = 0; save < 3; save++) await store.save(numbered(10 * session + save + 1));
		await store.close();
	}
	const backups = namesIn(folder).filter((name) => name.includes(".bak-"));
	t.deepEqual(
		backups.sort().map((name) => numberOf(read(text(path.join(folder, name))).data)),
		[13, 23, 33],
	);
});

test("as many backups are kept as are asked for, and a backup of the future does not push out the new one", async (t) => {
	const { folder, file } = makeStore(t);
	fs.writeFileSync(`${file}.bak-29990101T000000.000Z`, "");
	fs.writeFileSync(`${file}.bak-mine`, "");
	const store = await opened(t, file, { backups: 1 });
	await store.save((await store.load()).data);
	const backups = namesIn(folder).filter((name) => name.includes(".bak-2"));
	t.is(backups.length, 1);
	t.false(backups[0]?.includes(".bak-2999"));
	t.true(fs.existsSync(`${file}.bak-mine`), "what we did not make is not ours to remove");
});

test("mode, owner and group of the file are kept, also bits beyond the usual ones", async (t) => {
	const { file } = makeStore(t);
	if (process.getuid?.() === 0) fs.chownSync(file, 12_345, 54_321);
	fs.chmodSync(file, 0o2640);
	const before = fs.statSync(file);
	const store = await opened(t, file);
	await store.load();
	await store.save(numbered(1));
	const after = fs.statSync(file);
	t.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
	t.not(after.ino, before.ino);
});

test("a new store is made with mode 0660, of the group qubes if there is one, and without a backup", async (t) => {
	const folder = makeFolder(t);
	const file = path.join(folder, "qubes.xml");
	const store = await opened(t, file);
	await store.save(numbered(1));
	await store.save(numbered(2));
	t.is(numberOf((await store.load()).data), 2);
	const { mode, gid } = fs.statSync(file);
	t.is(mode & 0o7777, 0o660);
	const group = spawnSync("getent", ["group", "qubes"], { encoding: "utf8" }).stdout.split(":")[2];
	t.is(gid, group === undefined ? fs.statSync(folder).gid : Number(group));
	t.deepEqual(namesIn(folder), ["qubes.xml"]);
});

test("a symbolic link stays one, and leads to the same lock as the file", async (t) => {
	const { folder, file } = makeStore(t);
	const link = path.join(makeFolder(t), "link.xml");
	fs.symlinkSync(file, link);
	const store = await opened(t, link);
	await store.load();
	await store.save(numbered(1));
	t.is(fs.readlinkSync(link), file);
	t.true(text(file).includes('name="n"'));
	t.is(
		await refusalOf(t, StoreFile.open(file)),
		`locked ${folder}/qubes.xml.lock is held by process ${process.pid}: stop it first`,
	);
});

test("what a crash has left is removed at the next open, an editor's copy is not", async (t) => {
	const { folder, file } = makeStore(t);
	for (const name of ["qubes.xml~0123abcd", "qubes.xml~", "qubes.xml~mine", "other.xml~0123abcd"])
		fs.writeFileSync(path.join(folder, name), "");
	fs.linkSync(file, `${file}.bak-20260101T000000.000Z`);
	await opened(t, file);
	t.deepEqual(namesIn(folder), ["other.xml~0123abcd", "qubes.xml", "qubes.xml~", "qubes.xml~mine"]);
});

for (const [title, change, what] of [
	["written to", (file: string) => fs.appendFileSync(file, "\n"), "was changed by somebody else"],
	["touched", (file: string) => fs.utimesSync(file, 1, 1), "was changed by somebody else"],
	["removed", (file: string) => fs.rmSync(file), "is gone"],
	[
		"replaced by a copy of the same size and time",
		(file: string) => {
			const { atime, mtime } = fs.statSync(file);
			fs.copyFileSync(file, `${file}.copy`);
			fs.utimesSync(`${file}.copy`, atime, mtime);
			fs.renameSync(`${file}.copy`, file);
		},
		"was changed by somebody else",
	],
] as const) {
	for (const when of ["load", "save"]) {
		test(`a save is refused after the file was ${title} since the last ${when}`, async (t) => {
			const { folder, file } = makeStore(t);
			const store = await opened(t, file);
			await store.load();
			if (when === "save") await store.save(numbered(1));
			change(file);
			const now = fs.existsSync(file) ? text(file) : null;
			const names = namesIn(folder);
			const message = `changed ${file} ${what} since it was read: nothing is written, start again to read it`;
			t.is(await refusalOf(t, store.save(numbered(2))), message);
			t.is(await refusalOf(t, store.save(numbered(2))), message, "and again");
			t.deepEqual(namesIn(folder), names);
			t.is(fs.existsSync(file) ? text(file) : null, now);
		});
	}
}

test("a save is refused where a file has appeared since the open", async (t) => {
	const file = path.join(makeFolder(t), "qubes.xml");
	const store = await opened(t, file);
	fs.writeFileSync(file, EXAMPLE);
	t.regex(await refusalOf(t, store.save(numbered(1))), /^changed .*qubes\.xml is there now since it was read/);
	t.is(text(file), EXAMPLE);
});

test("a file that was changed can be saved after it was loaded again", async (t) => {
	const { file } = makeStore(t);
	const store = await opened(t, file);
	await store.load();
	fs.writeFileSync(file, write(numbered(5)));
	await refusalOf(t, store.save(numbered(6)));
	t.is(numberOf((await store.load()).data), 5);
	await store.save(numbered(6));
	t.true(text(file).includes(">6<"));
});

test("a file that cannot be read is left alone, and the message names the newest backup that can", async (t) => {
	const { file } = makeStore(t, EXAMPLE.slice(0, 400));
	fs.writeFileSync(`${file}.bak-20260101T000000.000Z`, EXAMPLE);
	fs.writeFileSync(`${file}.bak-20260102T000000.000Z`, EXAMPLE);
	fs.writeFileSync(`${file}.bak-20260103T000000.000Z`, "<qubes>");
	const store = await opened(t, file);
	const message = await refusalOf(t, store.load());
	t.regex(
		message,
		/^malformed .*qubes\.xml:9:77: not well-formed XML: unclosed tag: pools; to go back to the newest good backup: cp -p /,
	);
	t.true(message.endsWith(`cp -p ${file}.bak-20260102T000000.000Z ${file}`), message);
	t.is(await refusalOf(t, store.save(numbered(1))), `misused ${file} is not loaded: load it before a save`);
	t.is(text(file), EXAMPLE.slice(0, 400));
});

test("a byte order mark is read over, and not written again", async (t) => {
	const { file } = makeStore(t, `\ufeff${EXAMPLE}`);
	const store = await opened(t, file);
	await store.save((await store.load()).data);
	t.is(text(file), EXAMPLE);
});

test("a missing file cannot be loaded", async (t) => {
	const file = path.join(makeFolder(t), "qubes.xml");
	const store = await opened(t, file);
	t.is(
		await refusalOf(t, store.load()),
		`missing ${file} is missing: make it with qubes-create; there is no backup that can be read`,
	);
});

test("a directory in place of the file, and a directory that is not there, are refused", async (t) => {
	const folder = makeFolder(t);
	fs.mkdirSync(path.join(folder, "qubes.xml"));
	const store = await opened(t, path.join(folder, "qubes.xml"));
	t.is(await refusalOf(t, store.load()), `system ${folder}/qubes.xml is no regular file: want an XML file`);
	t.is(
		await refusalOf(t, StoreFile.open(`${folder}/no/qubes.xml`)),
		`system cannot open ${folder}/no/qubes.xml: there is no such directory: make it`,
	);
});

test("data that cannot be saved is refused before anything is written, and what is saved at the same time is", async (t) => {
	const { file } = makeStore(t);
	const store = await opened(t, file);
	await store.load();
	const saves = [store.save(numbered(1)), store.save(numbered(2, "\u0001")), store.save(numbered(3))];
	const how = await Promise.allSettled(saves);
	t.deepEqual(
		how.map(({ status }) => status),
		["fulfilled", "rejected", "fulfilled"],
	);
	t.is(numberOf(read(text(file)).data), 3);
});

test("saves that come together are written one after the other, the last one last, and the data is that of the call", async (t) => {
	const { folder, file } = makeStore(t);
	const store = await opened(t, file);
	await store.load();
	const properties: [string, string][] = [["n", "0"]];
	const saves = Array.from({ length: 50 }, (_, n) => {
		(properties[0] as [string, string])[1] = String(n + 1);
		return store.save({ ...numbered(0), properties });
	});
	(properties[0] as [string, string])[1] = "99";
	await saves[0];
	t.is(numberOf(read(text(file)).data), 1);
	await Promise.all(saves);
	t.is(numberOf(read(text(file)).data), 50);
	t.is(namesIn(folder).length, 2);
});

test("a close waits for the saves, may come twice, and ends all use", async (t) => {
	const { file } = makeStore(t);
	const store = await StoreFile.open(file);
	await store.load();
	const saved = store.save(numbered(4));
	await store.close();
	t.is(numberOf(read(text(file)).data), 4);
	await saved;
	await store.close();
	t.is(await refusalOf(t, store.load()), `misused ${file} is closed: open it again`);
	t.is(await refusalOf(t, store.save(numbered(5))), `misused ${file} is closed: open it again`);
});
