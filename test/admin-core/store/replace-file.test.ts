// How a file is replaced: what is on the disk before what, and who else may have been there (spec 5.5).
import { readlinkSync, writeFileSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import path from "node:path";
import test, { type ExecutionContext } from "ava";
import { type Replacing, replaceFile, stampOf } from "../../../admin-core/store/replace-file.ts";
import { makeFolder, namesIn, refusalOf } from "./stage.ts";

const NOTHING: Replacing = { beforeRename: async () => undefined, renamed: () => undefined };

/** The calls that make something durable or put it in place, from now to the end of the test; the random end of a name is left out. */
async function watchCalls(t: ExecutionContext, folder: string): Promise<string[]> {
	const calls: string[] = [];
	const nameOf = (file: string): string => (path.relative(folder, file) || "the directory").replace(/~[0-9a-f]{8}$/, "~");
	const handle = await fs.open(folder);
	const handles = Object.getPrototypeOf(handle) as FileHandle;
	await handle.close();
	const { sync } = handles;
	const { rename } = fs;
	handles.sync = async function (this: FileHandle) {
		calls.push(`sync ${nameOf(readlinkSync(`/proc/self/fd/${this.fd}`))}`);
		return sync.call(this);
	};
	fs.rename = async (from, to) => {
		calls.push(`rename ${nameOf(String(from))} ${nameOf(String(to))}`);
		return rename(from, to);
	};
	t.teardown(() => {
		handles.sync = sync;
		fs.rename = rename;
	});
	return calls;
}

test.serial("the new file is on the disk before it gets its name, and the name before the end", async (t) => {
	const folder = await fs.realpath(makeFolder(t));
	const file = path.join(folder, "qubes.xml");
	writeFileSync(file, "old");
	const calls = await watchCalls(t, folder);
	const steps: Replacing = {
		beforeRename: async () => void calls.push("beforeRename"),
		renamed: () => void calls.push("renamed"),
	};
	await replaceFile(file, Buffer.from("new"), await stampOf(file), steps);
	t.deepEqual(calls, ["sync qubes.xml~", "beforeRename", "rename qubes.xml~ qubes.xml", "renamed", "sync the directory"]);
	t.is(await fs.readFile(file, "utf8"), "new");
});

test.serial("what somebody writes while the new file is prepared is not written over", async (t) => {
	const folder = makeFolder(t);
	const file = path.join(folder, "qubes.xml");
	writeFileSync(file, "old");
	const steps: Replacing = { ...NOTHING, beforeRename: async () => writeFileSync(file, "theirs") };
	t.is(
		await refusalOf(t, replaceFile(file, Buffer.from("new"), await stampOf(file), steps)),
		`changed ${file} was changed by somebody else since it was read: nothing is written, start again to read it`,
	);
	t.is(await fs.readFile(file, "utf8"), "theirs");
	t.deepEqual(namesIn(folder), ["qubes.xml"]);
});
